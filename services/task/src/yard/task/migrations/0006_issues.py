"""Deleted frames; issues and comments of jobs."""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Create the tables."""
    for statement in (_DELETED_FRAME, _ISSUE, _COMMENT):
        op.execute(statement)


# Runs of relative frames that touch neither each other nor themselves.
_DELETED_FRAME = """
CREATE TABLE deleted_frame (
    task_id bigint NOT NULL REFERENCES task (id) ON DELETE CASCADE,
    first_frame integer NOT NULL,
    last_frame integer NOT NULL,
    PRIMARY KEY (task_id, first_frame),
    CHECK (0 <= first_frame AND first_frame <= last_frame)
);
"""

_ISSUE = """
CREATE TABLE issue (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    task_id bigint NOT NULL REFERENCES task (id) ON DELETE CASCADE,
    job_id bigint NOT NULL REFERENCES job (id) ON DELETE CASCADE,
    frame integer NOT NULL,
    position double precision[] NOT NULL,
    owner_id bigint NOT NULL,
    assignee_id bigint,
    resolved boolean NOT NULL DEFAULT false,
    comment_count bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX issue_job ON issue (job_id, id);
CREATE INDEX issue_task ON issue (task_id, id);
CREATE INDEX issue_assignee ON issue (assignee_id, id) WHERE assignee_id IS NOT NULL;
"""

_COMMENT = """
CREATE TABLE comment (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    issue_id bigint NOT NULL REFERENCES issue (id) ON DELETE CASCADE,
    owner_id bigint NOT NULL,
    message text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX comment_issue ON comment (issue_id, id);
"""
