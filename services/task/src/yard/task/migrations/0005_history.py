"""Every save of a job, and the way back from the present state; what deleting a task leaves to undo."""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Create the tables, and note what jobs and tasks must know."""
    for statement in (_REVISION, _REVISION_PART, _JOB, _TASK):
        op.execute(statement)


# Going back: from the state after a revision to the one before it. `ids` packs the ids of new rows, the parts
# hold the rows that went or were changed, as they were; see `history` in the domain. size_bytes: of both.
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
    ids bytea NOT NULL,
    size_bytes bigint NOT NULL,
    saved_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (job_id, number)
);
CREATE INDEX revision_task ON revision (task_id, saved_at, job_id, number);
CREATE INDEX revision_age ON revision (saved_at);
"""

# Contents are compressed already.
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

# history_floor: the state after this revision is the oldest that can be read. Saves from before there was a
# history are behind it.
_JOB = """
ALTER TABLE job
    ADD COLUMN history_floor bigint NOT NULL DEFAULT 0,
    ADD COLUMN history_bytes bigint NOT NULL DEFAULT 0;
UPDATE job SET history_floor = revision WHERE revision > 0;
"""

# is_purging: its annotations are being removed for good, nothing brings it back any more.
_TASK = """
ALTER TABLE task
    ADD COLUMN deleted_with_project boolean NOT NULL DEFAULT false,
    ADD COLUMN is_purging boolean NOT NULL DEFAULT false;
"""
