"""Downloads: rows of `remote_file` and `remote_part`, written only by the holder of the media's work."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self
from uuid import UUID

from yard.runtime.db import Database, Record, Transaction

_KEEP = """
INSERT INTO remote_file (
    media_id, digest, name, total_bytes, received_bytes, validator, blob_key, blob_offset, multipart_id,
    is_complete, sha256, family, format, fault
)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
ON CONFLICT (media_id, digest) DO UPDATE SET
    name = excluded.name,
    total_bytes = excluded.total_bytes,
    received_bytes = excluded.received_bytes,
    validator = excluded.validator,
    blob_key = excluded.blob_key,
    blob_offset = excluded.blob_offset,
    multipart_id = excluded.multipart_id,
    is_complete = excluded.is_complete,
    sha256 = excluded.sha256,
    family = excluded.family,
    format = excluded.format,
    fault = excluded.fault
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteFile:
    """A file behind a URL: on its way in parts, complete in its place, or with the `fault` that keeps it."""

    digest: bytes
    name: str
    total_bytes: int | None = None
    received_bytes: int = 0
    validator: str = ""
    blob_key: str = ""
    blob_offset: int = 0
    multipart_id: str | None = None
    is_complete: bool = False
    sha256: str = ""
    family: str = ""
    format: str = ""
    fault: str = ""

    @classmethod
    def from_row(cls, row: Record) -> Self:
        """A row of `files_of`."""
        return cls(**dict(row))

    @property
    def is_settled(self) -> bool:
        """Whether nothing more happens to it."""
        return self.is_complete or bool(self.fault)


async def files_of(db: Database, media_id: UUID) -> dict[bytes, RemoteFile]:
    """What has come of the URLs of media, by the digest of the URL."""
    rows = await db.fetch(
        """
        SELECT digest, name, total_bytes, received_bytes, validator, blob_key, blob_offset, multipart_id,
            is_complete, sha256, family, format, fault
        FROM remote_file
        WHERE media_id = $1
        """,
        media_id,
    )
    return {row["digest"]: RemoteFile.from_row(row) for row in rows}


async def keep(tx: Transaction, media_id: UUID, files: Sequence[RemoteFile]) -> None:
    """Writes files as they are now."""
    rows = [
        (
            media_id,
            file.digest,
            file.name,
            file.total_bytes,
            file.received_bytes,
            file.validator,
            file.blob_key,
            file.blob_offset,
            file.multipart_id,
            file.is_complete,
            file.sha256,
            file.family,
            file.format,
            file.fault,
        )
        for file in files
    ]
    await tx.executemany(_KEEP, rows)


async def add_part(
    tx: Transaction, media_id: UUID, digest: bytes, part: tuple[int, str], *, received: int
) -> None:
    """A part (number, tag) is stored: `received` bytes are safe."""
    await tx.execute(
        """
        WITH grown AS (
            UPDATE remote_file
            SET received_bytes = $5
            WHERE media_id = $1 AND digest = $2
            RETURNING media_id, digest
        )
        INSERT INTO remote_part (media_id, digest, number, tag)
        SELECT media_id, digest, $3, $4
        FROM grown
        """,
        media_id,
        digest,
        *part,
        received,
    )


async def parts_of(db: Database, media_id: UUID, digest: bytes) -> list[tuple[int, str]]:
    """Number and tag of the stored parts in order."""
    rows = await db.fetch(
        """
        SELECT number, tag
        FROM remote_part
        WHERE media_id = $1 AND digest = $2
        ORDER BY number
        """,
        media_id,
        digest,
    )
    return [(row["number"], row["tag"]) for row in rows]


async def forget(tx: Transaction, media_id: UUID, digest: bytes) -> None:
    """The download starts again from nothing."""
    await tx.execute("DELETE FROM remote_file WHERE media_id = $1 AND digest = $2", media_id, digest)


async def open_parts(db: Database, media_id: UUID) -> list[tuple[str, str]]:
    """Key and multipart id of files that are not complete."""
    rows = await db.fetch(
        """
        SELECT blob_key, multipart_id
        FROM remote_file
        WHERE media_id = $1 AND multipart_id IS NOT NULL AND NOT is_complete
        """,
        media_id,
    )
    return [(row["blob_key"], row["multipart_id"]) for row in rows]


async def delete_files(tx: Transaction, media_id: UUID) -> None:
    """Forgets the downloads of media that has its plan, or never will."""
    await tx.execute("DELETE FROM remote_file WHERE media_id = $1", media_id)
