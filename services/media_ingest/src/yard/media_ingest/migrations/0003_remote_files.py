"""Files that are fetched from remote addresses, with their parts."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Keep how far each download is."""
    op.execute(_FILES)


# digest: SHA-256 of the URL; the URL itself stands in the media's spec. total_bytes: as the server says.
# validator: what the server must still know the file by, if the download is to go on. fault: why it cannot
# be had.
_FILES = """
CREATE TABLE remote_file (
    media_id uuid NOT NULL REFERENCES media (id) ON DELETE CASCADE,
    digest bytea NOT NULL,
    name text NOT NULL,
    total_bytes bigint,
    received_bytes bigint NOT NULL DEFAULT 0,
    validator text NOT NULL DEFAULT '',
    blob_key text NOT NULL DEFAULT '',
    blob_offset bigint NOT NULL DEFAULT 0,
    multipart_id text,
    is_complete boolean NOT NULL DEFAULT false,
    sha256 text NOT NULL DEFAULT '',
    family text NOT NULL DEFAULT '',
    format text NOT NULL DEFAULT '',
    fault text NOT NULL DEFAULT '',
    PRIMARY KEY (media_id, digest)
) WITH (fillfactor = 80);
CREATE TABLE remote_part (
    media_id uuid NOT NULL,
    digest bytea NOT NULL,
    number integer NOT NULL,
    tag text NOT NULL,
    PRIMARY KEY (media_id, digest, number),
    FOREIGN KEY (media_id, digest) REFERENCES remote_file (media_id, digest) ON DELETE CASCADE
);
"""
