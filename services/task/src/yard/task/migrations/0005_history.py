"""Every save of a job, and the way back from the present state."""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Create the tables."""
    op.execute(_REVISION)
    op.execute(_REVISION_PART)


# Going back: from the state after a revision to the one before it. The parts hold the rows that the revision
# removed (before an update too), and the ids of those that it wrote.
_REVISION = """
CREATE TABLE revision (
    job_id bigint NOT NULL REFERENCES job (id) ON DELETE CASCADE,
    number bigint NOT NULL,
    task_id bigint NOT NULL,
    kind smallint NOT NULL,
    user_id bigint NOT NULL,
    created integer NOT NULL,
    updated integer NOT NULL,
    deleted integer NOT NULL,
    restored bigint NOT NULL DEFAULT 0,
    size_bytes bigint NOT NULL,
    is_reversible boolean NOT NULL DEFAULT true,
    saved_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (job_id, number)
);
CREATE INDEX revision_task ON revision (task_id, saved_at DESC, job_id);
CREATE INDEX revision_age ON revision (saved_at);
"""

_REVISION_PART = """
CREATE TABLE revision_part (
    job_id bigint NOT NULL,
    number bigint NOT NULL,
    part integer NOT NULL,
    content bytea STORAGE EXTERNAL NOT NULL,
    PRIMARY KEY (job_id, number, part),
    FOREIGN KEY (job_id, number) REFERENCES revision (job_id, number) ON DELETE CASCADE
);
"""
