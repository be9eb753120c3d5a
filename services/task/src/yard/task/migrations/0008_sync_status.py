"""Why the last push to a dataset repository failed, and which news of it were heard last."""

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add the columns; repositories are numbered by their own service, from 1 for each task."""
    op.execute(_SYNC)


_SYNC = """
ALTER TABLE task
    ADD COLUMN sync_message text NOT NULL DEFAULT '',
    ADD COLUMN sync_version bigint NOT NULL DEFAULT 0
"""
