"""Slots of uploads, files that are added later or end when they say so, and what they leave behind."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Find uploads by slot and files by name, and remember what is to be freed."""
    for statement in (_SLOTS, _FILES, _LEFTOVERS):
        op.execute(statement)


_SLOTS = """
ALTER TABLE upload ADD COLUMN slot text COLLATE "C" NOT NULL DEFAULT '';
CREATE UNIQUE INDEX upload_slot ON upload (owner, slot) WHERE slot <> '' AND state = 'OPEN';
"""

# generation: how often the file has begun again; packs of an earlier one are not its bytes. position: where
# the file comes among those that were put in order. By a hash, for names are longer than an index may hold.
_FILES = """
ALTER TABLE upload_file
    ADD COLUMN size_unknown boolean NOT NULL DEFAULT false,
    ADD COLUMN generation integer NOT NULL DEFAULT 0,
    ADD COLUMN position integer;
CREATE INDEX upload_file_name ON upload_file (upload_id, hashtextextended(name, 0));
"""

# Objects of files that began again. A pack may hold other files too, and goes with the last of them.
_LEFTOVERS = """
CREATE TABLE upload_leftover (
    blob_key text PRIMARY KEY,
    upload_id uuid NOT NULL REFERENCES upload (id) ON DELETE CASCADE,
    multipart_id text,
    is_pack boolean NOT NULL
);
CREATE INDEX upload_leftover_upload_id ON upload_leftover (upload_id);
"""
