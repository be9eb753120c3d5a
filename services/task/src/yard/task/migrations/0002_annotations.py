"""Tags, shapes and tracks with their keyframes, in parts by task."""

from alembic import op

revision = "0002"
down_revision = "0001"

_PARTS = 8


def upgrade() -> None:
    """Create the tables, which grow with every save."""
    for table, statement in (("tag", _TAG), ("shape", _SHAPE), ("track", _TRACK), ("keyframe", _KEYFRAME)):
        op.execute(statement)
        for part in range(_PARTS):
            op.execute(
                f"CREATE TABLE {table}_{part} PARTITION OF {table} "
                f"FOR VALUES WITH (MODULUS {_PARTS}, REMAINDER {part})"
            )


# Ids come from sequences of their own: a block of them is reserved before the rows are copied in.
# origin: copies that the jobs of a task hold of one object share it. Attributes are two columns, id and value
# at the same place, because that is what COPY takes in its binary form.
# The primary key finds objects by id, and all of a task; the other index gives those of a job in order.
_TAG = """
CREATE SEQUENCE tag_id;
CREATE TABLE tag (
    task_id bigint NOT NULL REFERENCES task (id) ON DELETE CASCADE,
    id bigint NOT NULL,
    job_id bigint NOT NULL,
    frame integer NOT NULL,
    label_id bigint NOT NULL,
    group_number integer NOT NULL,
    source smallint NOT NULL,
    attribute_ids bigint[] NOT NULL,
    attribute_values text[] NOT NULL,
    origin uuid,
    PRIMARY KEY (task_id, id)
) PARTITION BY HASH (task_id);
CREATE INDEX tag_job ON tag (job_id, frame, id);
"""

_SHAPE = """
CREATE SEQUENCE shape_id;
CREATE TABLE shape (
    task_id bigint NOT NULL REFERENCES task (id) ON DELETE CASCADE,
    id bigint NOT NULL,
    job_id bigint NOT NULL,
    frame integer NOT NULL,
    label_id bigint NOT NULL,
    group_number integer NOT NULL,
    source smallint NOT NULL,
    kind smallint NOT NULL,
    z_order integer NOT NULL,
    occluded boolean NOT NULL,
    rotation double precision NOT NULL,
    points double precision[] NOT NULL,
    attribute_ids bigint[] NOT NULL,
    attribute_values text[] NOT NULL,
    origin uuid,
    PRIMARY KEY (task_id, id)
) PARTITION BY HASH (task_id);
CREATE INDEX shape_job ON shape (job_id, frame, id);
"""

# first_frame, last_frame: of the first and the last keyframe. is_open: it is visible after the last one.
# weight: numbers of all keyframes, by which a reader knows how much it is about to ask for.
_TRACK = """
CREATE SEQUENCE track_id;
CREATE TABLE track (
    task_id bigint NOT NULL REFERENCES task (id) ON DELETE CASCADE,
    id bigint NOT NULL,
    job_id bigint NOT NULL,
    first_frame integer NOT NULL,
    last_frame integer NOT NULL,
    is_open boolean NOT NULL,
    weight bigint NOT NULL,
    label_id bigint NOT NULL,
    group_number integer NOT NULL,
    source smallint NOT NULL,
    attribute_ids bigint[] NOT NULL,
    attribute_values text[] NOT NULL,
    origin uuid,
    PRIMARY KEY (task_id, id)
) PARTITION BY HASH (task_id);
CREATE INDEX track_job ON track (job_id, first_frame, id);
"""

_KEYFRAME = """
CREATE TABLE keyframe (
    task_id bigint NOT NULL REFERENCES task (id) ON DELETE CASCADE,
    track_id bigint NOT NULL,
    frame integer NOT NULL,
    kind smallint NOT NULL,
    z_order integer NOT NULL,
    occluded boolean NOT NULL,
    outside boolean NOT NULL,
    rotation double precision NOT NULL,
    points double precision[] NOT NULL,
    attribute_ids bigint[] NOT NULL,
    attribute_values text[] NOT NULL,
    PRIMARY KEY (task_id, track_id, frame)
) PARTITION BY HASH (task_id);
"""
