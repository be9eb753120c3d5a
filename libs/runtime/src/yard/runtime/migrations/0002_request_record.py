"""Answers to requests that carry a request id."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the record; the index finds what is old enough to be forgotten."""
    op.execute(
        """
        CREATE TABLE request_record (
            key text PRIMARY KEY,
            digest bytea NOT NULL,
            response bytea NOT NULL,
            created_at timestamptz NOT NULL DEFAULT now()
        );
        CREATE INDEX request_record_created_at ON request_record USING brin (created_at);
        """
    )
