"""Uploads: rows of `upload`, and lists of their files."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Self
from uuid import UUID

from yard.media_ingest.domain.files import GivenFile, Place
from yard.media_ingest.domain.uploads import SHA256_OF_NOTHING, NewFile
from yard.runtime.db import Database, Record, Transaction

_FIND = """
SELECT id, owner, state, uses, slot, created_at, expires_at
FROM upload
WHERE id = $1 AND owner = $2 AND state <> 'DELETED'
"""
_LISTED = """
SELECT number, name, size_bytes, declared_sha256, received_bytes, is_complete, size_unknown
FROM upload_file
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A set of files; `uses` counts the media that need them."""

    id: UUID
    owner: str
    state: str
    uses: int
    slot: str = ""
    created_at: datetime
    expires_at: datetime

    @classmethod
    def from_row(cls, row: Record) -> Self:
        """A row of _FIND."""
        return cls(**dict(row))


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedFile:
    """A file as its owner sees it; as long as `size_unknown`, `size_bytes` is 0."""

    number: int
    name: str
    size_bytes: int
    declared_sha256: str
    received_bytes: int
    is_complete: bool
    size_unknown: bool


async def lock_owner(tx: Transaction, owner: str) -> None:
    """Puts the new uploads of one user in order, for the sake of the quota."""
    await tx.execute("SELECT pg_advisory_xact_lock(hashtextextended('upload/' || $1, 0))", owner)


async def unused_bytes(source: Database | Transaction, owner: str) -> int:
    """Bytes of uploads that no media uses: declared ones, and those that came of files of unknown length."""
    total = await source.fetchval(
        """
        SELECT coalesce(sum(total_bytes), 0)::bigint
        FROM upload
        WHERE owner = $1 AND uses = 0
        """,
        owner,
    )
    return int(total)


async def insert_upload(tx: Transaction, upload: Upload, files: Sequence[NewFile]) -> None:
    """A new upload; files without bytes are complete from the start."""
    await tx.execute(
        """
        INSERT INTO upload (id, owner, slot, total_bytes, created_at, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6)
        """,
        upload.id,
        upload.owner,
        upload.slot,
        sum(file.size_bytes for file in files),
        upload.created_at,
        upload.expires_at,
    )
    await insert_files(tx, upload.id, files)


async def insert_files(tx: Transaction, upload_id: UUID, files: Iterable[NewFile]) -> None:
    """More files of an upload; those without bytes are complete from the start."""
    await tx.copy_records("upload_file", _records(upload_id, files), _FILE_COLUMNS)


async def in_slot(tx: Transaction, owner: str, slot: str, now: datetime, expires_at: datetime) -> UUID | None:
    """The open upload there, which lives on until then; one that is past its time makes room."""
    await tx.execute(
        """
        UPDATE upload
        SET state = 'DELETED'
        WHERE owner = $1 AND slot = $2 AND state = 'OPEN' AND expires_at <= $3
        """,
        owner,
        slot,
        now,
    )
    found: UUID | None = await tx.fetchval(
        """
        UPDATE upload
        SET expires_at = $3
        WHERE owner = $1 AND slot = $2 AND state = 'OPEN'
        RETURNING id
        """,
        owner,
        slot,
        expires_at,
    )
    return found


async def last_in_slot(db: Database, owner: str, slot: str, now: datetime) -> UUID | None:
    """The open upload there, or else the last finished one that is not past its time."""
    found: UUID | None = await db.fetchval(
        """
        SELECT id
        FROM upload
        WHERE owner = $1 AND slot = $2 AND slot <> '' AND state IN ('OPEN', 'FINISHED')
            AND (uses > 0 OR expires_at > $3)
        ORDER BY state = 'OPEN' DESC, id DESC
        LIMIT 1
        """,
        owner,
        slot,
        now,
    )
    return found


async def upload_of(
    source: Database | Transaction, upload_id: UUID, owner: str, *, lock: bool = False
) -> Upload | None:
    """The upload, if it is this owner's and not deleted."""
    row = await source.fetchrow(f"{_FIND} FOR UPDATE" if lock else _FIND, upload_id, owner)
    return None if row is None else Upload.from_row(row)


async def list_files(
    source: Database | Transaction, upload_id: UUID, *, after: int = -1, limit: int
) -> list[ListedFile]:
    """Files by number."""
    rows = await source.fetch(
        f"""
        {_LISTED}
        WHERE upload_id = $1 AND number > $2
        ORDER BY number
        LIMIT $3
        """,
        upload_id,
        after,
        limit,
    )
    return [ListedFile(**dict(row)) for row in rows]


async def first_incomplete(tx: Transaction, upload_id: UUID) -> ListedFile | None:
    """The first file that lacks bytes."""
    row = await tx.fetchrow(
        f"""
        {_LISTED}
        WHERE upload_id = $1 AND NOT is_complete
        ORDER BY number
        LIMIT 1
        """,
        upload_id,
    )
    return None if row is None else ListedFile(**dict(row))


async def finish_upload(tx: Transaction, upload_id: UUID) -> None:
    """Takes no more bytes."""
    await tx.execute("UPDATE upload SET state = 'FINISHED' WHERE id = $1", upload_id)


async def mark_deleted(tx: Transaction, upload_id: UUID) -> None:
    """Hides an upload; the collector frees it."""
    await tx.execute("UPDATE upload SET state = 'DELETED', expires_at = now() WHERE id = $1", upload_id)


async def mark_expired(db: Database, now: datetime) -> int:
    """Hides what is past its time and in no use; returns how many."""
    tag = await db.execute(
        """
        UPDATE upload
        SET state = 'DELETED'
        WHERE uses = 0 AND expires_at <= $1 AND state <> 'DELETED'
        """,
        now,
    )
    return int(tag.split()[-1])


async def deleted(db: Database, *, limit: int) -> list[UUID]:
    """Uploads that are to be freed."""
    rows = await db.fetch(
        """
        SELECT id
        FROM upload
        WHERE uses = 0 AND state = 'DELETED'
        ORDER BY expires_at
        LIMIT $1
        """,
        limit,
    )
    return [row["id"] for row in rows]


async def delete_upload(db: Database, upload_id: UUID) -> None:
    """Forgets an upload whose objects are gone."""
    await db.execute("DELETE FROM upload WHERE id = $1 AND state = 'DELETED' AND uses = 0", upload_id)


async def use_upload(tx: Transaction, upload_id: UUID, owner: str) -> bool:
    """Keeps a finished upload for one more media; False if there is none of this owner."""
    tag = await tx.execute(
        """
        UPDATE upload
        SET uses = uses + 1
        WHERE id = $1 AND owner = $2 AND state = 'FINISHED'
        """,
        upload_id,
        owner,
    )
    return tag == "UPDATE 1"


async def release_uploads(tx: Transaction, media_id: UUID, expires_at: datetime) -> None:
    """Media needs its uploads no more: those that no other media uses live until then."""
    await tx.execute(
        """
        WITH released AS (
            DELETE FROM media_upload
            WHERE media_id = $1
            RETURNING upload_id
        )
        UPDATE upload
        SET uses = uses - 1, expires_at = $2
        FROM released
        WHERE upload.id = released.upload_id
        """,
        media_id,
        expires_at,
    )


async def given_files(db: Database, upload_id: UUID) -> list[GivenFile]:
    """All files of a finished upload: those that were put in order, then the others by number."""
    rows = await db.fetch(
        """
        SELECT name, size_bytes, coalesce(blob_key, '') AS key, blob_offset, sha256, family, format
        FROM upload_file
        WHERE upload_id = $1
        ORDER BY position, number
        """,
        upload_id,
    )
    return [_given_file(row) for row in rows]


async def finished_file(db: Database, upload_id: UUID, number: int) -> GivenFile | None:
    """A file of a finished upload, whoever it belongs to."""
    row = await db.fetchrow(
        """
        SELECT name, size_bytes, coalesce(blob_key, '') AS key, blob_offset, sha256, family, format
        FROM upload_file
        JOIN upload ON upload.id = upload_id
        WHERE upload_id = $1 AND number = $2 AND upload.state = 'FINISHED'
        """,
        upload_id,
        number,
    )
    return None if row is None else _given_file(row)


def _given_file(row: Record) -> GivenFile:
    values = dict(row)
    place = Place(key=values.pop("key"), offset=values.pop("blob_offset"), size_bytes=row["size_bytes"])
    return GivenFile(**values, place=place)


_FILE_COLUMNS = (
    "upload_id",
    "number",
    "name",
    "size_bytes",
    "declared_sha256",
    "size_unknown",
    "is_complete",
    "sha256",
)


def _records(upload_id: UUID, files: Iterable[NewFile]) -> Iterable[tuple[object, ...]]:
    for file in files:
        sha256 = SHA256_OF_NOTHING if file.is_empty else ""
        yield (
            upload_id,
            file.number,
            file.name,
            file.size_bytes,
            file.sha256,
            file.size_unknown,
            file.is_empty,
            sha256,
        )
