"""Uploads with their files and parts; media with its batches and blocks."""

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create all tables of the service."""
    for statement in (_UPLOAD, _UPLOAD_FILE, _MEDIA, _FRAMES):
        op.execute(statement)


# uses: media that need the files; only without them the time of expiry counts.
_UPLOAD = """
CREATE TABLE upload (
    id uuid PRIMARY KEY,
    owner text NOT NULL,
    state text NOT NULL DEFAULT 'OPEN' CHECK (state IN ('OPEN', 'FINISHED', 'DELETED')),
    total_bytes bigint NOT NULL,
    uses integer NOT NULL DEFAULT 0 CHECK (uses >= 0),
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX upload_expires_at ON upload (expires_at) WHERE uses = 0;
CREATE INDEX upload_owner ON upload (owner) WHERE uses = 0;
"""

# writer: the stream that may add bytes now, the last one that came. next_part: part numbers are never given
# out twice, so that what a stream stores after it was replaced cannot become part of the file.
_UPLOAD_FILE = """
CREATE TABLE upload_file (
    upload_id uuid NOT NULL REFERENCES upload (id) ON DELETE CASCADE,
    number integer NOT NULL,
    name text COLLATE "C" NOT NULL,
    size_bytes bigint NOT NULL,
    declared_sha256 text NOT NULL,
    received_bytes bigint NOT NULL DEFAULT 0,
    is_complete boolean NOT NULL DEFAULT false,
    sha256 text NOT NULL DEFAULT '',
    family text NOT NULL DEFAULT '',
    format text NOT NULL DEFAULT '',
    writer uuid,
    blob_key text,
    multipart_id text,
    next_part integer NOT NULL DEFAULT 1,
    tail_key text,
    PRIMARY KEY (upload_id, number)
) WITH (fillfactor = 80);
CREATE INDEX upload_file_incomplete ON upload_file (upload_id, number) WHERE NOT is_complete;
CREATE TABLE upload_part (
    upload_id uuid NOT NULL,
    file_number integer NOT NULL,
    number integer NOT NULL,
    size_bytes integer NOT NULL,
    tag text NOT NULL,
    PRIMARY KEY (upload_id, file_number, number),
    FOREIGN KEY (upload_id, file_number) REFERENCES upload_file (upload_id, number) ON DELETE CASCADE
);
"""

# operation: that of the task service, which gets the progress; operation_id: ours, which cancels the work.
_MEDIA = """
CREATE TABLE media (
    id uuid PRIMARY KEY,
    task_id bigint NOT NULL,
    user_id bigint NOT NULL,
    state text NOT NULL DEFAULT 'INDEXING'
        CHECK (state IN ('INDEXING', 'READY', 'FAILED', 'CANCELLED', 'DELETED')),
    spec bytea NOT NULL,
    seed bigint NOT NULL,
    operation text NOT NULL,
    operation_id uuid NOT NULL,
    summary bytea NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX media_task_id ON media (task_id);
CREATE TABLE media_upload (
    media_id uuid NOT NULL REFERENCES media (id) ON DELETE CASCADE,
    upload_id uuid NOT NULL REFERENCES upload (id),
    PRIMARY KEY (media_id, upload_id)
);
CREATE INDEX media_upload_upload_id ON media_upload (upload_id);
"""

# index_batch: what is indexed and need not be again. frame_block: where frames lie in the plan.
_FRAMES = """
CREATE TABLE index_batch (
    media_id uuid NOT NULL REFERENCES media (id) ON DELETE CASCADE,
    number integer NOT NULL,
    blob_key text NOT NULL,
    size_bytes bigint NOT NULL,
    sha256 text NOT NULL,
    result jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (media_id, number)
);
CREATE TABLE frame_block (
    media_id uuid NOT NULL REFERENCES media (id) ON DELETE CASCADE,
    first bigint NOT NULL,
    frames integer NOT NULL,
    offset_bytes bigint NOT NULL,
    size_bytes bigint NOT NULL,
    PRIMARY KEY (media_id, first)
);
"""
