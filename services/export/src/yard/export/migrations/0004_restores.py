"""Restores of backups: who asked for them, and what they have made so far."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Create the tables.

    A part is noted before it is made, with the request that makes it: whoever sends that again learns its id.
    """
    op.execute(
        """
        CREATE TABLE restore (
            id uuid PRIMARY KEY,
            user_id bigint NOT NULL,
            username text NOT NULL,
            upload_id text NOT NULL,
            expires_at timestamptz NOT NULL
        );
        CREATE INDEX restore_expires ON restore (expires_at);
        CREATE TABLE restored_part (
            restore_id uuid NOT NULL REFERENCES restore ON DELETE CASCADE,
            kind text NOT NULL CHECK (kind IN ('project', 'task', 'upload')),
            number bigint NOT NULL,
            request bytea NOT NULL,
            made text,
            PRIMARY KEY (restore_id, kind, number)
        );
        """
    )
