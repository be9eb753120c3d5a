"""Many small files in one object; parts that clients send to the store themselves."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Say where in its object a file begins, and which multipart uploads are packs on their way."""
    op.execute(_FILES)
    op.execute(_PACKS)


# is_direct: the parts of the multipart upload come from the client, not through us.
_FILES = """
ALTER TABLE upload_file
    ADD COLUMN blob_offset bigint NOT NULL DEFAULT 0 CHECK (blob_offset >= 0),
    ADD COLUMN is_direct boolean NOT NULL DEFAULT false;
"""

# A row goes with the end of its multipart upload; what a killed process leaves is found here and freed.
_PACKS = """
CREATE TABLE upload_pack (
    blob_key text PRIMARY KEY,
    upload_id uuid NOT NULL REFERENCES upload (id) ON DELETE CASCADE,
    multipart_id text NOT NULL
);
CREATE INDEX upload_pack_upload_id ON upload_pack (upload_id);
"""
