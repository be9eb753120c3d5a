"""Files that are taken out of an open upload, and slots whose upload is finished."""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Remember which numbers were given, and find the last upload of a slot."""
    for statement in (_NUMBERS, _SLOTS):
        op.execute(statement)


# least_number: no new file gets a number below it, for those may have been of files that are gone.
_NUMBERS = "ALTER TABLE upload ADD COLUMN least_number integer NOT NULL DEFAULT 0;"

_SLOTS = """
CREATE INDEX upload_finished_in_slot ON upload (owner, slot, id) WHERE slot <> '' AND state = 'FINISHED';
"""
