"""Events out (outbox), events in (inbox, dead letters), long work and its operations."""

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the tables that every service has in its own schema."""
    for statement in (_OUTBOX, _INBOX, _DEAD_LETTER, _OPERATION, _WORK):
        op.execute(statement)


# sequence: the order of publishing, gapless, given by the relay; key_version: the order within one key.
# The partial index lists what is to be published: first what has a sequence already, then the new rows.
_OUTBOX = """
CREATE TABLE outbox (
    position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id uuid NOT NULL,
    sequence bigint,
    key text NOT NULL,
    key_version bigint NOT NULL,
    type text NOT NULL,
    subject text NOT NULL,
    headers jsonb NOT NULL,
    body bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    published_at timestamptz
);
CREATE INDEX outbox_unpublished ON outbox (sequence, position) WHERE published_at IS NULL;
CREATE UNIQUE INDEX outbox_sequence ON outbox (sequence) WHERE sequence IS NOT NULL;
CREATE TABLE outbox_counter (
    is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
    last_sequence bigint NOT NULL DEFAULT 0,
    stream_created_at timestamptz
);
INSERT INTO outbox_counter DEFAULT VALUES;
CREATE TABLE key_version (
    key text PRIMARY KEY,
    version bigint NOT NULL
) WITH (fillfactor = 80);
"""

_INBOX = """
CREATE TABLE inbox (
    handler text NOT NULL,
    event_id uuid NOT NULL,
    handled_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (handler, event_id)
);
CREATE INDEX inbox_handled_at ON inbox USING brin (handled_at);
CREATE TABLE consumer_lease (
    name text PRIMARY KEY,
    epoch bigint NOT NULL
);
"""

_DEAD_LETTER = """
CREATE TABLE dead_letter (
    id uuid PRIMARY KEY,
    handler text NOT NULL,
    event_id uuid NOT NULL,
    type text NOT NULL,
    subject text NOT NULL,
    headers jsonb NOT NULL,
    body bytea NOT NULL,
    reason text NOT NULL,
    first_error text NOT NULL,
    tries integer NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    redriven_at timestamptz
);
CREATE INDEX dead_letter_open ON dead_letter (id) WHERE redriven_at IS NULL;
"""

_OPERATION = """
CREATE TABLE operation (
    id uuid PRIMARY KEY,
    kind text NOT NULL,
    target text NOT NULL,
    owner text NOT NULL,
    state text NOT NULL DEFAULT 'QUEUED'
        CHECK (state IN ('QUEUED', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED')),
    progress real NOT NULL DEFAULT 0,
    message text NOT NULL DEFAULT '',
    error bytea,
    result bytea,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    cancel_requested boolean NOT NULL DEFAULT false
) WITH (fillfactor = 80);
CREATE INDEX operation_owner ON operation (owner, id);
CREATE INDEX operation_target ON operation (target, id);
"""

# attempt counts claims, tries counts failures that speak against the work itself.
_WORK = """
CREATE TABLE work (
    id uuid PRIMARY KEY,
    kind text NOT NULL,
    lane text NOT NULL CHECK (lane IN ('interactive', 'bulk')),
    owner text NOT NULL,
    unique_key text,
    operation_id uuid REFERENCES operation (id),
    payload bytea NOT NULL,
    payload_type text NOT NULL,
    state text NOT NULL DEFAULT 'queued'
        CHECK (state IN ('queued', 'running', 'done', 'failed', 'cancelled')),
    attempt integer NOT NULL DEFAULT 0,
    tries integer NOT NULL DEFAULT 0,
    run_after timestamptz NOT NULL DEFAULT now(),
    lease_until timestamptz,
    lease_holder text,
    epoch bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    last_error text
) WITH (fillfactor = 80);
CREATE UNIQUE INDEX work_unique_key ON work (unique_key)
    WHERE unique_key IS NOT NULL AND state IN ('queued', 'running');
CREATE INDEX work_queued ON work (kind, lane, owner, id) WHERE state = 'queued';
CREATE INDEX work_running ON work (lease_until) WHERE state = 'running';
CREATE INDEX work_operation ON work (operation_id) WHERE operation_id IS NOT NULL;
"""
