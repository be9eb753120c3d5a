"""What was asked for, beside the target of an operation."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Keep it with the operation."""
    op.execute("ALTER TABLE operation ADD COLUMN parameters jsonb NOT NULL DEFAULT '{}'")
