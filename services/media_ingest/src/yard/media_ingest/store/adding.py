"""Files that are added to an open upload, some under names that are there already."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from yard.media_ingest.domain.uploads import SHA256_OF_NOTHING, NewFile
from yard.runtime.db import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownFile:
    """A file of that name; `charged_bytes` count for the quota, `has_objects` says whether any are stored."""

    number: int
    name: str
    charged_bytes: int
    is_complete: bool
    has_objects: bool


async def lock_known(tx: Transaction, upload_id: UUID, files: Sequence[NewFile]) -> dict[str, KnownFile]:
    """The files of these names, which nobody else changes until the commit."""
    rows = await tx.fetch(
        """
        SELECT file.number, file.name, file.is_complete,
            CASE WHEN file.size_unknown THEN file.received_bytes ELSE file.size_bytes END AS charged_bytes,
            file.blob_key IS NOT NULL OR file.tail_key IS NOT NULL AS has_objects
        FROM unnest($2::text[]) AS given (name)
        JOIN upload_file AS file
            ON file.upload_id = $1
            AND hashtextextended(file.name, 0) = hashtextextended(given.name COLLATE "C", 0)
            AND file.name = given.name
        ORDER BY file.number
        FOR UPDATE OF file
        """,
        upload_id,
        [file.name for file in files],
    )
    return {row["name"]: KnownFile(**dict(row)) for row in rows}


async def next_number(tx: Transaction, upload_id: UUID) -> int:
    """Number of the next new file, which is how many there have been."""
    return int(
        await tx.fetchval(
            """
            SELECT greatest(
                (SELECT max(number) + 1 FROM upload_file WHERE upload_id = $1),
                (SELECT least_number FROM upload WHERE id = $1)
            )
            """,
            upload_id,
        )
    )


async def leave_objects(tx: Transaction, upload_id: UUID, numbers: Sequence[int]) -> None:
    """Notes what is stored of these files: it is to be freed."""
    await tx.execute(
        """
        WITH file AS (
            SELECT blob_key, multipart_id, tail_key
            FROM upload_file
            WHERE upload_id = $1 AND number = ANY($2::int[])
        ), gone AS (
            DELETE FROM upload_part
            WHERE upload_id = $1 AND file_number = ANY($2::int[])
        )
        INSERT INTO upload_leftover (upload_id, blob_key, multipart_id, is_pack)
        SELECT $1, blob_key, multipart_id, blob_key LIKE '%/pack-%'
        FROM file
        WHERE blob_key IS NOT NULL
        UNION ALL
        SELECT $1, tail_key, NULL, false
        FROM file
        WHERE tail_key IS NOT NULL
        ON CONFLICT DO NOTHING
        """,
        upload_id,
        numbers,
    )


async def begin_again(tx: Transaction, upload_id: UUID, files: Mapping[int, NewFile]) -> None:
    """Nothing of these files has come, by number; streams that still write what they were are fenced off."""
    await tx.execute(
        """
        UPDATE upload_file AS file
        SET size_bytes = given.size_bytes,
            declared_sha256 = given.sha256,
            size_unknown = given.size_unknown,
            is_complete = given.is_empty,
            sha256 = CASE WHEN given.is_empty THEN $7 ELSE '' END,
            received_bytes = 0,
            generation = file.generation + 1,
            family = '',
            format = '',
            writer = NULL,
            blob_key = NULL,
            blob_offset = 0,
            multipart_id = NULL,
            next_part = 1,
            tail_key = NULL,
            is_direct = false
        FROM unnest($2::int[], $3::bigint[], $4::text[], $5::boolean[], $6::boolean[])
            AS given (number, size_bytes, sha256, size_unknown, is_empty)
        WHERE file.upload_id = $1 AND file.number = given.number
        """,
        upload_id,
        [*files],
        [file.size_bytes for file in files.values()],
        [file.sha256 for file in files.values()],
        [file.size_unknown for file in files.values()],
        [file.is_empty for file in files.values()],
        SHA256_OF_NOTHING,
    )


async def grow(tx: Transaction, upload_id: UUID, more_bytes: int, expires_at: datetime) -> bool:
    """Counts more bytes for the quota and prolongs the upload; False if it was closed meanwhile."""
    tag = await tx.execute(
        """
        UPDATE upload
        SET total_bytes = total_bytes + $2, expires_at = $3
        WHERE id = $1 AND state = 'OPEN'
        """,
        upload_id,
        more_bytes,
        expires_at,
    )
    return tag == "UPDATE 1"
