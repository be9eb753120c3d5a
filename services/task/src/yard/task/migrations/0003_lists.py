"""Progress of projects beside that of tasks, and the indexes of long lists."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the numbers of projects, and what lists are ordered and searched by."""
    for statement in (_PROGRESS, _PEOPLE, _TASKS, _JOBS, _PROJECTS):
        op.execute(statement)


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

# username_key: the user name without regard to case. The service writes it by its own rule, which for those
# that it knows already comes to the same, but for letters that are rare in user names.
_PEOPLE = """
ALTER TABLE person ADD COLUMN username_key text COLLATE "C" NOT NULL DEFAULT '';
UPDATE person SET username_key = lower(username);
ALTER TABLE person ALTER COLUMN username_key DROP DEFAULT;
CREATE INDEX person_username ON person (username_key, id);
"""

# One index an order, which holds what lists are filtered by: a page far behind is found without a look at the
# rows before it. What is deleted is listed by the index that finds what is to be purged.
_TASKS = """
DROP INDEX task_project, task_owner, task_assignee, task_name, task_updated;
CREATE INDEX task_listed ON task (id)
    INCLUDE (name_key, project_id, owner_id, assignee_id, status, mode, sync_status, subset)
    WHERE deleted_at IS NULL;
CREATE INDEX task_name ON task (name_key, id)
    INCLUDE (project_id, owner_id, assignee_id, status, mode, sync_status, subset)
    WHERE deleted_at IS NULL;
CREATE INDEX task_updated ON task (updated_at, id)
    INCLUDE (name_key, project_id, owner_id, assignee_id, status, mode, sync_status, subset)
    WHERE deleted_at IS NULL;
CREATE INDEX task_status ON task (status, id)
    INCLUDE (name_key, project_id, owner_id, assignee_id, mode, sync_status, subset)
    WHERE deleted_at IS NULL;
CREATE INDEX task_owner ON task (owner_id, id)
    INCLUDE (name_key, project_id, assignee_id, status, mode, sync_status, subset)
    WHERE deleted_at IS NULL;
CREATE INDEX task_assignee ON task (assignee_id, id)
    INCLUDE (name_key, project_id, owner_id, status, mode, sync_status, subset)
    WHERE deleted_at IS NULL;
CREATE INDEX task_project ON task (project_id, id)
    INCLUDE (name_key, owner_id, assignee_id, status, mode, sync_status, subset, size)
    WHERE deleted_at IS NULL;
CREATE INDEX task_project_any ON task (project_id) WHERE project_id IS NOT NULL;
"""

# Whose tasks are listed is asked for by person, with the tasks of the jobs alone. Without the last index the
# jobs of one task would be looked for among all jobs, as they are wanted in the order of all.
_JOBS = """
DROP INDEX job_assignee, job_reviewer;
CREATE INDEX job_assignee ON job (assignee_id, id) INCLUDE (task_id) WHERE assignee_id IS NOT NULL;
CREATE INDEX job_reviewer ON job (reviewer_id, id) INCLUDE (task_id) WHERE reviewer_id IS NOT NULL;
CREATE INDEX job_task ON job (task_id, id);
"""

_PROJECTS = """
CREATE INDEX project_name ON project (name_key, id) WHERE deleted_at IS NULL;
CREATE INDEX project_updated ON project (updated_at, id) WHERE deleted_at IS NULL;
"""
