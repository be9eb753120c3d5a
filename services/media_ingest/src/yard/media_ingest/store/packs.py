"""Packs: objects that hold many small files of one upload, and the files that came in them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from yard.runtime.db import Database, Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class AwaitedFile:
    """A file of an upload as a stream of files must know it; `is_begun` if another way has stored bytes."""

    number: int
    name: str
    size_bytes: int
    declared_sha256: str
    is_complete: bool
    is_begun: bool
    size_unknown: bool
    generation: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PackedFile:
    """A file, as it was added at `generation`, whose bytes lie in a pack from `offset` on."""

    number: int
    generation: int
    offset: int
    sha256: str
    family: str
    format: str


async def state_of(db: Database, upload_id: UUID, owner: str) -> str | None:
    """State of an upload; None if it is not this owner's."""
    state = await db.fetchval(
        "SELECT state FROM upload WHERE id = $1 AND owner = $2 AND state <> 'DELETED'", upload_id, owner
    )
    return None if state is None else str(state)


async def awaited_files(db: Database, upload_id: UUID, *, first: int, limit: int) -> list[AwaitedFile]:
    """Files by number from `first` on."""
    rows = await db.fetch(
        """
        SELECT number, name, size_bytes, declared_sha256, is_complete, size_unknown, generation,
            multipart_id IS NOT NULL OR tail_key IS NOT NULL AS is_begun
        FROM upload_file
        WHERE upload_id = $1 AND number >= $2
        ORDER BY number
        LIMIT $3
        """,
        upload_id,
        first,
        limit,
    )
    return [AwaitedFile(**dict(row)) for row in rows]


async def begin_pack(db: Database, upload_id: UUID, blob_key: str, multipart_id: str) -> bool:
    """Notes the multipart upload of a pack; False if the upload takes no bytes any more."""
    tag = await db.execute(
        """
        INSERT INTO upload_pack (blob_key, upload_id, multipart_id)
        SELECT $2, id, $3
        FROM upload
        WHERE id = $1 AND state = 'OPEN'
        FOR SHARE
        """,
        upload_id,
        blob_key,
        multipart_id,
    )
    return tag == "INSERT 0 1"


async def end_pack(db: Database | Transaction, blob_key: str) -> None:
    """Forgets a multipart upload that was completed or aborted."""
    await db.execute("DELETE FROM upload_pack WHERE blob_key = $1", blob_key)


async def is_open_for(tx: Transaction, upload_id: UUID, expires_at: datetime) -> bool:
    """Prolongs the upload and keeps it from closing until the commit; False if it takes no bytes any more."""
    tag = await tx.execute(
        "UPDATE upload SET expires_at = $2 WHERE id = $1 AND state = 'OPEN'", upload_id, expires_at
    )
    return tag == "UPDATE 1"


async def complete_files(
    tx: Transaction, upload_id: UUID, blob_key: str, files: Sequence[PackedFile]
) -> set[int]:
    """The bytes of these files lie in the pack; returns those that were neither complete nor begun before."""
    rows = await tx.fetch(
        """
        UPDATE upload_file AS file
        SET received_bytes = file.size_bytes,
            is_complete = true,
            writer = NULL,
            blob_key = $2,
            blob_offset = packed.blob_offset,
            sha256 = packed.sha256,
            family = packed.family,
            format = packed.format
        FROM unnest($3::int[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::int[])
            AS packed (number, blob_offset, sha256, family, format, generation)
        WHERE file.upload_id = $1 AND file.number = packed.number AND file.generation = packed.generation
            AND NOT file.is_complete AND file.multipart_id IS NULL AND file.tail_key IS NULL
        RETURNING file.number
        """,
        upload_id,
        blob_key,
        [file.number for file in files],
        [file.offset for file in files],
        [file.sha256 for file in files],
        [file.family for file in files],
        [file.format for file in files],
        [file.generation for file in files],
    )
    return {row["number"] for row in rows}


async def first_incomplete(tx: Transaction, upload_id: UUID, numbers: Sequence[int]) -> str | None:
    """Name of the first of these files that lacks bytes, or is not in the upload any more."""
    name = await tx.fetchval(
        """
        SELECT coalesce(file.name, 'file ' || given.number)
        FROM unnest($2::int[]) AS given (number)
        LEFT JOIN upload_file AS file ON file.upload_id = $1 AND file.number = given.number
        WHERE file.is_complete IS NOT TRUE
        ORDER BY given.number
        LIMIT 1
        """,
        upload_id,
        numbers,
    )
    return None if name is None else str(name)


async def left_packs(db: Database, *, limit: int) -> list[tuple[str, str]]:
    """Key and multipart id of packs whose upload was closed: streams that ended without ending them."""
    rows = await db.fetch(
        """
        SELECT pack.blob_key, pack.multipart_id
        FROM upload_pack AS pack
        JOIN upload ON upload.id = pack.upload_id
        WHERE upload.state = 'FINISHED'
        LIMIT $1
        """,
        limit,
    )
    return [(row["blob_key"], row["multipart_id"]) for row in rows]
