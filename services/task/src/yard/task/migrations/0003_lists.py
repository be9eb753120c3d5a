"""Progress of projects beside that of tasks, and the indexes of long lists."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the numbers of projects."""
    op.execute(_PROGRESS)


# Kept by whoever changes a job, a task's jobs, or which tasks a project shows; see `progress` in the domain.
_PROGRESS = """
ALTER TABLE project
    ADD COLUMN task_count bigint NOT NULL DEFAULT 0,
    ADD COLUMN jobs_total bigint NOT NULL DEFAULT 0,
    ADD COLUMN jobs_annotation bigint NOT NULL DEFAULT 0,
    ADD COLUMN jobs_validation bigint NOT NULL DEFAULT 0,
    ADD COLUMN jobs_completed bigint NOT NULL DEFAULT 0,
    ADD COLUMN status smallint NOT NULL GENERATED ALWAYS AS (
        CASE
            WHEN jobs_total = 0 OR jobs_annotation > 0 THEN 1
            WHEN jobs_validation > 0 THEN 2
            ELSE 3
        END
    ) STORED,
    ADD CHECK (jobs_total = jobs_annotation + jobs_validation + jobs_completed);
UPDATE project
SET task_count = found.tasks,
    jobs_total = found.total,
    jobs_annotation = found.annotation,
    jobs_validation = found.validation,
    jobs_completed = found.completed
FROM (
    SELECT project_id,
        count(*) AS tasks,
        sum(jobs_total) AS total,
        sum(jobs_annotation) AS annotation,
        sum(jobs_validation) AS validation,
        sum(jobs_completed) AS completed
    FROM task
    WHERE deleted_at IS NULL AND project_id IS NOT NULL
    GROUP BY project_id
) AS found
WHERE found.project_id = project.id;
"""
