"""People, projects, tasks, labels with attributes, jobs."""

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create all tables but those of annotations."""
    for statement in (_PERSON, _PROJECT, _TASK, _LABEL, _JOB):
        op.execute(statement)


# A copy of what identity tells; names of people who are unknown yet are filled in when they are told.
_PERSON = """
CREATE TABLE person (
    id bigint PRIMARY KEY,
    username text NOT NULL,
    is_active boolean NOT NULL DEFAULT true
);
"""

# name_key: the name without regard to case, by which is searched and sorted.
_PROJECT = """
CREATE TABLE project (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    name_key text COLLATE "C" NOT NULL,
    owner_id bigint NOT NULL,
    assignee_id bigint,
    issue_tracker text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    deleted_at timestamptz
) WITH (fillfactor = 80);
CREATE INDEX project_owner ON project (owner_id, id);
CREATE INDEX project_assignee ON project (assignee_id, id) WHERE assignee_id IS NOT NULL;
CREATE INDEX project_deleted ON project (deleted_at) WHERE deleted_at IS NOT NULL;
"""

# The numbers of mode, media_state, sync_status and status are those of the API. segment_size and overlap are
# those in force, wanted_* what was asked for (NULL: the default). data, plan and media_error are messages.
_TASK = """
CREATE TABLE task (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    name_key text COLLATE "C" NOT NULL,
    project_id bigint REFERENCES project (id),
    owner_id bigint NOT NULL,
    assignee_id bigint,
    issue_tracker text NOT NULL DEFAULT '',
    subset text NOT NULL DEFAULT '',
    wanted_segment_size bigint,
    wanted_overlap bigint,
    segment_size bigint NOT NULL DEFAULT 0,
    overlap bigint NOT NULL DEFAULT 0,
    mode smallint NOT NULL DEFAULT 0,
    media_state smallint NOT NULL DEFAULT 0,
    media_id uuid,
    media_operation uuid,
    size bigint NOT NULL DEFAULT 0,
    width integer NOT NULL DEFAULT 0,
    height integer NOT NULL DEFAULT 0,
    data bytea,
    plan bytea,
    media_error bytea,
    media_warnings text[] NOT NULL DEFAULT '{}',
    repository_location text NOT NULL DEFAULT '',
    repository_use_lfs boolean NOT NULL DEFAULT false,
    repository_format text NOT NULL DEFAULT '',
    sync_status smallint NOT NULL DEFAULT 0,
    jobs_total bigint NOT NULL DEFAULT 0,
    jobs_annotation bigint NOT NULL DEFAULT 0,
    jobs_validation bigint NOT NULL DEFAULT 0,
    jobs_completed bigint NOT NULL DEFAULT 0,
    status smallint NOT NULL GENERATED ALWAYS AS (
        CASE
            WHEN jobs_total = 0 OR jobs_annotation > 0 THEN 1
            WHEN jobs_validation > 0 THEN 2
            ELSE 3
        END
    ) STORED,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    deleted_at timestamptz,
    CHECK (jobs_total = jobs_annotation + jobs_validation + jobs_completed)
) WITH (fillfactor = 80);
CREATE INDEX task_project ON task (project_id, id) WHERE project_id IS NOT NULL;
CREATE INDEX task_owner ON task (owner_id, id);
CREATE INDEX task_assignee ON task (assignee_id, id) WHERE assignee_id IS NOT NULL;
CREATE INDEX task_name ON task (name_key, id) WHERE deleted_at IS NULL;
CREATE INDEX task_updated ON task (updated_at, id) WHERE deleted_at IS NULL;
CREATE INDEX task_deleted ON task (deleted_at) WHERE deleted_at IS NOT NULL;
"""

# Names may be swapped in one change, hence the deferred constraints.
_LABEL = """
CREATE TABLE label (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    project_id bigint REFERENCES project (id) ON DELETE CASCADE,
    task_id bigint REFERENCES task (id) ON DELETE CASCADE,
    position integer NOT NULL,
    name text NOT NULL,
    color text NOT NULL,
    kind smallint NOT NULL,
    CHECK (num_nonnulls(project_id, task_id) = 1),
    UNIQUE (project_id, name) DEFERRABLE INITIALLY DEFERRED,
    UNIQUE (task_id, name) DEFERRABLE INITIALLY DEFERRED
);
CREATE TABLE attribute (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    label_id bigint NOT NULL REFERENCES label (id) ON DELETE CASCADE,
    position integer NOT NULL,
    name text NOT NULL,
    mutable boolean NOT NULL,
    input smallint NOT NULL,
    "values" text[] NOT NULL,
    default_value text,
    UNIQUE (label_id, name) DEFERRABLE INITIALLY DEFERRED
);
"""

# active_at: the last sign of activity, from which the next gap is measured; NULL while nobody works on it.
_JOB = """
CREATE TABLE job (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    task_id bigint NOT NULL REFERENCES task (id) ON DELETE CASCADE,
    segment integer NOT NULL,
    first_frame bigint NOT NULL,
    last_frame bigint NOT NULL,
    assignee_id bigint,
    reviewer_id bigint,
    stage smallint NOT NULL DEFAULT 1,
    state smallint NOT NULL DEFAULT 1,
    status smallint NOT NULL GENERATED ALWAYS AS (
        CASE
            WHEN stage = 1 THEN 1
            WHEN stage = 3 AND state = 3 THEN 3
            ELSE 2
        END
    ) STORED,
    started_at timestamptz,
    work_s double precision NOT NULL DEFAULT 0,
    active_at timestamptz,
    revision bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (task_id, segment),
    CHECK (0 <= first_frame AND first_frame <= last_frame)
) WITH (fillfactor = 80);
CREATE INDEX job_assignee ON job (assignee_id, id) WHERE assignee_id IS NOT NULL;
CREATE INDEX job_reviewer ON job (reviewer_id, id) WHERE reviewer_id IS NOT NULL;
"""
