"""Exports of projects, and archives that several exports share."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the columns.

    `digest` is that of all that goes into the archive, of the one export that writes it; `shares` names that
    export in the others, which have `request` to write it themselves if it fails; `result` is an
    ExportResult.
    """
    op.execute(
        """
        ALTER TABLE export
            ADD COLUMN project_id bigint NOT NULL DEFAULT 0,
            ADD COLUMN digest bytea,
            ADD COLUMN shares uuid,
            ADD COLUMN request bytea,
            ADD COLUMN result bytea;
        CREATE UNIQUE INDEX export_digest ON export (digest) WHERE digest IS NOT NULL;
        CREATE INDEX export_shares ON export (shares) WHERE shares IS NOT NULL;
        """
    )
