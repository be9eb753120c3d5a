"""Imports of data sets: they make what restores make, and labels of the project that they go to."""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Let parts be labels."""
    op.execute(
        """
        ALTER TABLE restored_part DROP CONSTRAINT restored_part_kind_check;
        ALTER TABLE restored_part ADD CONSTRAINT restored_part_kind_check
            CHECK (kind IN ('labels', 'project', 'task', 'upload'));
        """
    )
