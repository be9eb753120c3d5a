"""Files whose parts a client sends to the store itself."""

from datetime import datetime
from uuid import UUID

from yard.media_ingest.store.receiving import ReceivedFile
from yard.runtime.db import Database


async def begin(db: Database, file: ReceivedFile, blob_key: str, multipart_id: str) -> bool:
    """Notes the multipart upload; False if anybody was faster, or the upload takes no bytes any more."""
    tag = await db.execute(
        """
        UPDATE upload_file AS file
        SET blob_key = $3, multipart_id = $4, is_direct = true, writer = NULL
        FROM upload
        WHERE file.upload_id = $1 AND file.number = $2 AND NOT file.is_complete
            AND file.received_bytes = 0 AND file.multipart_id IS NULL AND file.tail_key IS NULL
            AND upload.id = file.upload_id AND upload.state = 'OPEN'
        """,
        file.upload_id,
        file.number,
        blob_key,
        multipart_id,
    )
    return tag == "UPDATE 1"


async def prolong(db: Database, upload_id: UUID, expires_at: datetime) -> None:
    """Addresses were given: the upload lives on."""
    await db.execute(
        "UPDATE upload SET expires_at = $2 WHERE id = $1 AND state = 'OPEN'", upload_id, expires_at
    )


async def leave(db: Database, file: ReceivedFile, writer: UUID) -> bool:
    """The stream of `writer` takes the file over; its parts in the store count for nothing."""
    tag = await db.execute(
        """
        UPDATE upload_file
        SET blob_key = NULL, multipart_id = NULL, is_direct = false
        WHERE upload_id = $1 AND number = $2 AND writer = $3 AND NOT is_complete
        """,
        file.upload_id,
        file.number,
        writer,
    )
    return tag == "UPDATE 1"


async def complete(
    db: Database, file: ReceivedFile, sha256: str, kind: tuple[str, str], expires_at: datetime
) -> bool:
    """The parts are the file's object, of this family and format; False if the file went another way."""
    tag = await db.execute(
        """
        WITH completed AS (
            UPDATE upload_file
            SET received_bytes = size_bytes, is_complete = true, sha256 = $4, family = $5, format = $6,
                writer = NULL
            WHERE upload_id = $1 AND number = $2 AND multipart_id = $3 AND is_direct AND NOT is_complete
            RETURNING upload_id
        )
        UPDATE upload
        SET expires_at = $7
        FROM completed
        WHERE upload.id = completed.upload_id
        """,
        file.upload_id,
        file.number,
        file.multipart_id,
        sha256,
        *kind,
        expires_at,
    )
    return tag == "UPDATE 1"


async def start_again(db: Database, file: ReceivedFile) -> bool:
    """Nothing of the file is stored any more; False if it went another way."""
    tag = await db.execute(
        """
        UPDATE upload_file
        SET blob_key = NULL, multipart_id = NULL, is_direct = false, writer = NULL
        WHERE upload_id = $1 AND number = $2 AND multipart_id = $3 AND is_direct AND NOT is_complete
        """,
        file.upload_id,
        file.number,
        file.multipart_id,
    )
    return tag == "UPDATE 1"
