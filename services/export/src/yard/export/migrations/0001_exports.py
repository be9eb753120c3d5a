"""Exports: what was asked for, and the archive once it is there."""

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the table; the columns of the archive are set together when it is complete."""
    op.execute(
        """
        CREATE TABLE export (
            id uuid PRIMARY KEY,
            task_id bigint NOT NULL,
            job_id bigint NOT NULL,
            format text NOT NULL,
            owner text NOT NULL,
            file_name text,
            blob_key text,
            size_bytes bigint,
            sha256 text,
            expires_at timestamptz NOT NULL,
            CHECK (num_nulls(file_name, blob_key, size_bytes, sha256) IN (0, 4))
        );
        CREATE INDEX export_task ON export (task_id);
        CREATE INDEX export_expires ON export (expires_at);
        """
    )
