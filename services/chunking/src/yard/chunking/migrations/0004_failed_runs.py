"""Which runs of a build have failed, so that one that is driven again opens the build again."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the work of the runs that have ended with a fault."""
    op.execute("ALTER TABLE build ADD COLUMN failed_runs uuid[] NOT NULL DEFAULT '{}'")
