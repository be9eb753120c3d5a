"""Builds in advance, whose runs are shared by all replicas."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add how many runs of an operation have not ended, and the first fault of those that have."""
    op.execute(
        """
        CREATE TABLE build (
            operation_id uuid PRIMARY KEY,
            media_id uuid NOT NULL,
            runs_left integer NOT NULL CHECK (runs_left >= 0),
            error bytea
        );
        CREATE INDEX build_media ON build (media_id);
        """
    )
