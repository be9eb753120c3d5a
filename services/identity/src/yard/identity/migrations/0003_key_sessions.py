"""Sessions that have one key, log-in by e-mail address, and personal access tokens that only read."""

from alembic import op
from yard.identity.domain import email_key

revision = "0003"
down_revision = "0002"

_AT_ONCE = 1_000


def upgrade() -> None:
    """Make the table, and give accounts and tokens what they are asked for now."""
    op.execute(_KEY_SESSION)
    op.execute(_OF_TOKENS)
    op.execute(_EMAIL_KEY)
    connection = op.get_bind()
    last = 0
    while rows := connection.exec_driver_sql(_NEXT, {"last": last, "limit": _AT_ONCE}).all():
        connection.exec_driver_sql(_FILL, [{"id": row.id, "key": email_key(row.email)} for row in rows])
        last = rows[-1].id
    op.execute(_EMAIL_INDEX)


# used_at is noted once an hour at most, and moves the end.
_KEY_SESSION = """
CREATE TABLE key_session (
    id uuid PRIMARY KEY,
    user_id bigint NOT NULL REFERENCES app_user (id) ON DELETE CASCADE,
    sha256 bytea NOT NULL UNIQUE,
    created_at timestamptz NOT NULL DEFAULT now(),
    used_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX key_session_user_id ON key_session (user_id);
CREATE INDEX key_session_expires_at ON key_session (expires_at);
"""

_OF_TOKENS = """
ALTER TABLE access_token
    ADD COLUMN read_only boolean NOT NULL DEFAULT false,
    ADD COLUMN updated_at timestamptz NOT NULL DEFAULT now();
UPDATE access_token SET updated_at = created_at;
"""

# Addresses need not be confirmed, so two accounts may have one: then nobody logs in by it.
_EMAIL_KEY = """
ALTER TABLE app_user ADD COLUMN email_key text COLLATE "C" NOT NULL DEFAULT '';
"""

_NEXT = """
SELECT id, email
FROM app_user
WHERE id > %(last)s AND email <> ''
ORDER BY id
LIMIT %(limit)s
"""

_FILL = "UPDATE app_user SET email_key = %(key)s WHERE id = %(id)s"

_EMAIL_INDEX = """
CREATE INDEX app_user_email ON app_user (email_key) WHERE email_key <> '';
"""
