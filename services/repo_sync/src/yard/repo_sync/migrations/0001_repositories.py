"""Repositories of tasks, what has changed since the last push, pushes, and what identity tells of people."""

from alembic import op

revision = "0001"
down_revision = None

_REPOSITORY = """
CREATE TABLE repository (
    task_id bigint PRIMARY KEY,
    project_id bigint NOT NULL,
    version bigint NOT NULL,
    is_connected boolean NOT NULL,
    is_task_deleted boolean NOT NULL,
    location text NOT NULL,
    url text NOT NULL,
    path text NOT NULL,
    format text NOT NULL,
    use_lfs boolean NOT NULL,
    branch text NOT NULL,
    quiet_s double precision,
    period_s double precision,
    automatic_author_id bigint NOT NULL,
    status smallint NOT NULL,
    error bytea,
    pushed_revision bigint NOT NULL,
    pushed_commit text NOT NULL,
    pushed_branch text NOT NULL,
    pushed_at timestamptz,
    blobs text[] NOT NULL,
    pushed_change_number bigint NOT NULL,
    attempted_at timestamptz,
    known_revision bigint NOT NULL,
    connected_revision bigint NOT NULL,
    change_number bigint NOT NULL,
    changed_at timestamptz NOT NULL,
    created bigint NOT NULL,
    updated bigint NOT NULL,
    deleted bigint NOT NULL,
    due_at timestamptz,
    host_keys text[] NOT NULL,
    are_host_keys_given boolean NOT NULL,
    credential_kind smallint NOT NULL,
    credential bytea,
    credential_username text NOT NULL,
    public_key text NOT NULL,
    credential_set_at timestamptz,
    push_id uuid,
    updated_at timestamptz NOT NULL,
    CHECK ((quiet_s IS NULL) = (period_s IS NULL))
);
CREATE INDEX repository_project ON repository (project_id) WHERE project_id <> 0 AND is_connected;
CREATE INDEX repository_due ON repository (due_at)
    WHERE due_at IS NOT NULL AND push_id IS NULL AND is_connected AND NOT is_task_deleted;
"""

_WAITING_CHANGE = """
CREATE TABLE waiting_change (
    task_id bigint NOT NULL REFERENCES repository ON DELETE CASCADE,
    revision bigint NOT NULL,
    created bigint NOT NULL,
    updated bigint NOT NULL,
    deleted bigint NOT NULL,
    PRIMARY KEY (task_id, revision)
);
"""

_PUSH = """
CREATE TABLE push (
    id uuid PRIMARY KEY,
    task_id bigint NOT NULL,
    version bigint NOT NULL,
    change_number bigint,
    author_id bigint NOT NULL,
    author_name text NOT NULL,
    is_automatic boolean NOT NULL,
    revision bigint NOT NULL,
    commit text NOT NULL,
    branch text NOT NULL,
    was_unchanged boolean NOT NULL,
    created bigint NOT NULL,
    updated bigint NOT NULL,
    deleted bigint NOT NULL,
    error bytea,
    created_at timestamptz NOT NULL,
    finished_at timestamptz
);
CREATE INDEX push_of_task ON push (task_id, id);
CREATE INDEX push_age ON push (finished_at);

CREATE TABLE push_follower (
    push_id uuid NOT NULL REFERENCES push ON DELETE CASCADE,
    owner text NOT NULL,
    operation_id uuid NOT NULL,
    PRIMARY KEY (push_id, owner)
);
"""

_PERSON = """
CREATE TABLE person (
    id bigint PRIMARY KEY,
    username text NOT NULL,
    name text NOT NULL,
    role smallint NOT NULL,
    is_active boolean NOT NULL
);
"""


def upgrade() -> None:
    """Create the tables; the numbers of status, credential_kind and role are those of the API."""
    op.execute(_REPOSITORY)
    op.execute(_WAITING_CHANGE)
    op.execute(_PUSH)
    op.execute(_PERSON)
