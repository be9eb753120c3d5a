"""What accounts are found by while somebody types."""

from alembic import op
from yard.identity.domain import search_keys

revision = "0002"
down_revision = "0001"

_AT_ONCE = 1_000


def upgrade() -> None:
    """Add the keys to all accounts, then index them."""
    op.execute(_COLUMNS)
    connection = op.get_bind()
    last = 0
    while True:
        rows = connection.exec_driver_sql(_NEXT, {"last": last, "limit": _AT_ONCE}).all()
        if not rows:
            break
        keys = [
            {"id": row.id, **search_keys(row.username, row.first_name, row.last_name)._asdict()}
            for row in rows
        ]
        connection.exec_driver_sql(_FILL, keys)
        last = rows[-1].id
    op.execute(_INDEXES)


# Names without case and accents, by code points. full_name_key: first and last name as one is written.
_COLUMNS = """
ALTER TABLE app_user
    ADD COLUMN plain_username_key text COLLATE "C" NOT NULL DEFAULT '',
    ADD COLUMN full_name_key text COLLATE "C" NOT NULL DEFAULT '',
    ADD COLUMN last_name_key text COLLATE "C" NOT NULL DEFAULT '';
"""

_NEXT = """
SELECT id, username, first_name, last_name
FROM app_user
WHERE id > %(last)s
ORDER BY id
LIMIT %(limit)s
"""

_FILL = """
UPDATE app_user
SET plain_username_key = %(plain_username_key)s,
    full_name_key = %(full_name_key)s,
    last_name_key = %(last_name_key)s
WHERE id = %(id)s
"""

_INDEXES = """
CREATE INDEX app_user_plain_username ON app_user (plain_username_key);
CREATE INDEX app_user_full_name ON app_user (full_name_key) WHERE full_name_key <> '';
CREATE INDEX app_user_last_name ON app_user (last_name_key) WHERE last_name_key <> '';
"""
