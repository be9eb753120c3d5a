"""Files that are being received: every change is fenced by the writer, the stream that came last."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self
from uuid import UUID

from yard.runtime.db import Database, Record

_COLUMNS = """
    file.upload_id, file.number, file.name, file.size_bytes, file.declared_sha256, file.received_bytes,
    file.is_complete, file.size_unknown, file.blob_key, file.multipart_id, file.tail_key, file.is_direct,
    file.next_part
"""
_FIND = f"""
SELECT {_COLUMNS}, upload.state
FROM upload_file AS file
JOIN upload ON upload.id = file.upload_id
WHERE file.upload_id = $1 AND file.number = $2 AND upload.owner = $3 AND upload.state <> 'DELETED'
"""  # noqa: S608 - literals only
_CLAIM = f"""
UPDATE upload_file AS file
SET writer = $4
FROM upload
WHERE file.upload_id = $1 AND file.number = $2 AND file.received_bytes = $3
    AND upload.id = file.upload_id AND upload.state = 'OPEN'
RETURNING {_COLUMNS}
"""  # noqa: S608 - literals only


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedFile:
    """A file of an open upload; its bytes lie in parts and, behind them, in the object `tail_key`.

    As long as `size_unknown`, `size_bytes` is 0, and what comes counts for the quota.
    """

    upload_id: UUID
    number: int
    name: str
    size_bytes: int
    declared_sha256: str
    received_bytes: int
    is_complete: bool
    size_unknown: bool
    blob_key: str | None
    multipart_id: str | None
    tail_key: str | None
    is_direct: bool
    next_part: int

    @classmethod
    def from_row(cls, row: Record) -> Self:
        """A row of _COLUMNS."""
        return cls(**dict(row))


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """Bytes of a file that are safe now, how many of them newly count for the quota, and until when."""

    received: int
    charge: int
    expires_at: datetime


async def find(db: Database, upload_id: UUID, number: int, owner: str) -> tuple[ReceivedFile, str] | None:
    """A file with the state of its upload, if the upload is this owner's."""
    row = await db.fetchrow(_FIND, upload_id, number, owner)
    if row is None:
        return None
    values = dict(row)
    state = values.pop("state")
    return ReceivedFile(**values), state


async def claim(db: Database, file: ReceivedFile, writer: UUID) -> ReceivedFile | None:
    """Makes `writer` the one that may add bytes behind `received_bytes`; None if that has changed."""
    row = await db.fetchrow(_CLAIM, file.upload_id, file.number, file.received_bytes, writer)
    return None if row is None else ReceivedFile.from_row(row)


async def begin_parts(
    db: Database, file: ReceivedFile, writer: UUID, blob_key: str, multipart_id: str
) -> bool:
    """Notes the object and its multipart upload; False if another stream writes the file."""
    tag = await db.execute(
        """
        UPDATE upload_file
        SET blob_key = $4, multipart_id = $5
        WHERE upload_id = $1 AND number = $2 AND writer = $3
        """,
        file.upload_id,
        file.number,
        writer,
        blob_key,
        multipart_id,
    )
    return tag == "UPDATE 1"


async def next_part(db: Database, file: ReceivedFile, writer: UUID) -> int | None:
    """A part number that nobody else gets; None if another stream writes the file."""
    number = await db.fetchval(
        """
        UPDATE upload_file
        SET next_part = next_part + 1
        WHERE upload_id = $1 AND number = $2 AND writer = $3
        RETURNING next_part - 1
        """,
        file.upload_id,
        file.number,
        writer,
    )
    return None if number is None else int(number)


async def add_part(
    db: Database,
    file: ReceivedFile,
    writer: UUID,
    part: tuple[int, int, str],
    growth: Growth,
) -> bool:
    """A part (number, bytes, tag) is stored; False if another stream writes the file."""
    tag = await db.execute(
        """
        WITH grown AS (
            UPDATE upload_file
            SET received_bytes = $4, tail_key = NULL
            WHERE upload_id = $1 AND number = $2 AND writer = $3
            RETURNING upload_id, number
        ), prolonged AS (
            UPDATE upload
            SET expires_at = $8, total_bytes = total_bytes + $9
            FROM grown
            WHERE upload.id = grown.upload_id
        )
        INSERT INTO upload_part (upload_id, file_number, number, size_bytes, tag)
        SELECT grown.upload_id, grown.number, $5, $6, $7
        FROM grown
        """,
        file.upload_id,
        file.number,
        writer,
        growth.received,
        *part,
        growth.expires_at,
        growth.charge,
    )
    return tag == "INSERT 0 1"


async def keep_tail(
    db: Database,
    file: ReceivedFile,
    writer: UUID,
    tail_key: str,
    growth: Growth,
) -> bool:
    """Bytes behind the last part are stored as an object; False if another stream writes the file."""
    tag = await db.execute(
        """
        WITH grown AS (
            UPDATE upload_file
            SET received_bytes = $4, tail_key = $5
            WHERE upload_id = $1 AND number = $2 AND writer = $3
            RETURNING upload_id
        )
        UPDATE upload
        SET expires_at = $6, total_bytes = total_bytes + $7
        FROM grown
        WHERE upload.id = grown.upload_id
        """,
        file.upload_id,
        file.number,
        writer,
        growth.received,
        tail_key,
        growth.expires_at,
        growth.charge,
    )
    return tag == "UPDATE 1"


async def parts(db: Database, file: ReceivedFile) -> list[tuple[int, str]]:
    """Number and tag of the stored parts in order."""
    rows = await db.fetch(
        """
        SELECT number, tag
        FROM upload_part
        WHERE upload_id = $1 AND file_number = $2
        ORDER BY number
        """,
        file.upload_id,
        file.number,
    )
    return [(row["number"], row["tag"]) for row in rows]


async def note_kind(db: Database, file: ReceivedFile, writer: UUID, family: str, form: str) -> None:
    """What the first bytes say."""
    await db.execute(
        """
        UPDATE upload_file
        SET family = $4, format = $5
        WHERE upload_id = $1 AND number = $2 AND writer = $3
        """,
        file.upload_id,
        file.number,
        writer,
        family,
        form,
    )


async def complete(
    db: Database,
    file: ReceivedFile,
    writer: UUID,
    blob_key: str | None,
    sha256: str,
    growth: Growth,
) -> bool:
    """All bytes are stored as the file's object; False if another stream writes the file."""
    tag = await db.execute(
        """
        WITH completed AS (
            UPDATE upload_file
            SET size_bytes = $7,
                size_unknown = false,
                received_bytes = $7,
                is_complete = true,
                blob_key = $4,
                sha256 = $5,
                tail_key = NULL,
                writer = NULL
            WHERE upload_id = $1 AND number = $2 AND writer = $3
            RETURNING upload_id, number
        ), gone AS (
            DELETE FROM upload_part
            USING completed
            WHERE upload_part.upload_id = completed.upload_id AND file_number = completed.number
        )
        UPDATE upload
        SET expires_at = $6, total_bytes = total_bytes + $8
        FROM completed
        WHERE upload.id = completed.upload_id
        """,
        file.upload_id,
        file.number,
        writer,
        blob_key,
        sha256,
        growth.expires_at,
        growth.received,
        growth.charge,
    )
    return tag == "UPDATE 1"


async def start_again(db: Database, file: ReceivedFile, writer: UUID) -> None:
    """Nothing of the file is stored any more, nor counts for the quota if its length is not known."""
    await db.execute(
        """
        WITH charged AS (
            SELECT upload_id, received_bytes
            FROM upload_file
            WHERE upload_id = $1 AND number = $2 AND writer = $3 AND size_unknown
        ), given_back AS (
            UPDATE upload
            SET total_bytes = total_bytes - charged.received_bytes
            FROM charged
            WHERE upload.id = charged.upload_id
        ), emptied AS (
            UPDATE upload_file
            SET received_bytes = 0, blob_key = NULL, multipart_id = NULL, tail_key = NULL, writer = NULL
            WHERE upload_id = $1 AND number = $2 AND writer = $3
            RETURNING upload_id, number
        )
        DELETE FROM upload_part
        USING emptied
        WHERE upload_part.upload_id = emptied.upload_id AND file_number = emptied.number
        """,
        file.upload_id,
        file.number,
        writer,
    )
