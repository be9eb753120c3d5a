"""Which builds of chunks have begun."""

from yard.runtime.db import Database

LOG_CLAIMS = """
CREATE TABLE claim_log (first_frame bigint, form text);
CREATE FUNCTION log_claim() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO claim_log VALUES (new.first_frame, new.form);
    RETURN NULL;
END $$;
CREATE TRIGGER log_claim AFTER INSERT OR UPDATE OF lease ON chunk
    FOR EACH ROW WHEN (new.state = 'building') EXECUTE FUNCTION log_claim();
"""


async def claims(db: Database) -> list[int]:
    """The first frames of the chunks, one for each beginning."""
    rows = await db.fetch("SELECT first_frame FROM claim_log ORDER BY first_frame")
    return [row["first_frame"] for row in rows]
