"""Roles of people, for to workers nothing can belong."""

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add the column."""
    op.execute(_ROLE)


# The numbers of the API; 0 of people of whom identity has told nothing since, whom nothing is kept from then.
_ROLE = "ALTER TABLE person ADD COLUMN role smallint NOT NULL DEFAULT 0"
