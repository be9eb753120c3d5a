"""Media that is indexed, and what has been made from it."""

from alembic import op

revision = "0001"
down_revision = None

PARTITIONS = 8


def upgrade() -> None:
    """Create the tables.

    A chunk that is being built or evicted belongs to the holder of `lease` until `lease_until`; one that is
    built is not evicted before `read_until`. `score` is the logarithm of its fading uses.
    """
    op.execute(
        """
        CREATE TABLE media_plan (
            id uuid PRIMARY KEY,
            task_id bigint NOT NULL,
            kind text NOT NULL CHECK (kind IN ('video', 'images')),
            size bigint NOT NULL,
            width integer NOT NULL,
            height integer NOT NULL,
            image_quality integer NOT NULL,
            chunk_size integer NOT NULL,
            form text NOT NULL CHECK (form IN ('zip', 'mp4')),
            use_cache boolean NOT NULL,
            plan_key text NOT NULL,
            plan_size_bytes bigint NOT NULL,
            operation_id uuid,
            is_deleted boolean NOT NULL DEFAULT false
        );
        CREATE TABLE chunk (
            media_id uuid NOT NULL,
            quality text NOT NULL CHECK (quality IN ('compressed', 'original', 'preview')),
            form text NOT NULL CHECK (form IN ('zip', 'mp4', 'jpeg')),
            first_frame bigint NOT NULL,
            last_frame bigint NOT NULL,
            state text NOT NULL CHECK (state IN ('building', 'built', 'evicting')),
            is_kept boolean NOT NULL,
            lease uuid NOT NULL,
            lease_until timestamptz NOT NULL,
            read_until timestamptz NOT NULL DEFAULT '-infinity',
            score double precision NOT NULL,
            size_bytes bigint,
            sha256 text,
            width integer,
            height integer,
            built_at timestamptz,
            PRIMARY KEY (media_id, quality, form, first_frame, last_frame),
            CHECK (state = 'building' OR num_nulls(size_bytes, sha256, width, height, built_at) = 0)
        ) PARTITION BY HASH (media_id);
        """
    )
    for number in range(PARTITIONS):
        op.execute(
            f"CREATE TABLE chunk_{number} PARTITION OF chunk"
            f" FOR VALUES WITH (MODULUS {PARTITIONS}, REMAINDER {number}) WITH (fillfactor = 80)"
        )
