"""Imports: what was asked for, by whom."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the table; `job_id` is 0 for a whole task, `user_id` 0 for a service."""
    op.execute(
        """
        CREATE TABLE file_import (
            id uuid PRIMARY KEY,
            task_id bigint NOT NULL,
            job_id bigint NOT NULL,
            format text NOT NULL,
            user_id bigint NOT NULL,
            upload_id text NOT NULL,
            expires_at timestamptz NOT NULL
        );
        CREATE INDEX file_import_expires ON file_import (expires_at);
        """
    )
