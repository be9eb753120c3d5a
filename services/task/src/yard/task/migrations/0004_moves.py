"""Which labels and attributes took whose place when a task was moved."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Create the table."""
    op.execute(_SUCCESSION)


# What is kept of the past names labels and attributes by the ids that they had then. `is_attribute` tells
# which of both an id is. Chains are followed when the past is read.
_SUCCESSION = """
CREATE TABLE label_succession (
    task_id bigint NOT NULL REFERENCES task (id) ON DELETE CASCADE,
    is_attribute boolean NOT NULL,
    old_id bigint NOT NULL,
    new_id bigint NOT NULL,
    moved_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (task_id, is_attribute, old_id, moved_at)
);
"""
