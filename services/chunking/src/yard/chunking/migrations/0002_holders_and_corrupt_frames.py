"""Where a chunk is being built, and which frames are damaged."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the address of the replica that holds a lease ("" unknown), and the list of placeholders.

    `corrupt_frames` of a chunk are relative frames; `corrupt_frame` keeps the reasons, also after evictions.
    """
    op.execute(
        """
        ALTER TABLE chunk
            ADD COLUMN holder text NOT NULL DEFAULT '',
            ADD COLUMN corrupt_frames bigint[] NOT NULL DEFAULT '{}';
        CREATE TABLE corrupt_frame (
            media_id uuid NOT NULL,
            frame bigint NOT NULL,
            reason text NOT NULL,
            PRIMARY KEY (media_id, frame)
        );
        """
    )
