"""All SQL of export."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self
from uuid import UUID

from yard.export.domain import Target
from yard.runtime.blobs import BlobRef
from yard.runtime.db import Database, Record, Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """An export by the id of its operation; `archive` is None until it is complete."""

    id: UUID
    target: Target
    format: str
    owner: str
    expires_at: datetime
    file_name: str = ""
    archive: BlobRef | None = None

    @classmethod
    def from_row(cls, row: Record) -> Self:
        """An export from all columns."""
        archive = None
        if row["blob_key"] is not None:
            archive = BlobRef(key=row["blob_key"], size_bytes=row["size_bytes"], sha256=row["sha256"])
        return cls(
            id=row["id"],
            target=Target(task_id=row["task_id"], job_id=row["job_id"], project_id=row["project_id"]),
            format=row["format"],
            owner=row["owner"],
            expires_at=row["expires_at"],
            file_name=row["file_name"] or "",
            archive=archive,
        )


async def insert_export(tx: Transaction, export: Export) -> None:
    """Keeps what was asked for."""
    await tx.execute(
        """
        INSERT INTO export (id, task_id, job_id, project_id, format, owner, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        """,
        export.id,
        export.target.task_id,
        export.target.job_id,
        export.target.project_id,
        export.format,
        export.owner,
        export.expires_at,
    )


async def complete_export(
    tx: Transaction, export_id: UUID, *, file_name: str, archive: BlobRef, expires_at: datetime
) -> Export | None:
    """Sets the archive; None if the export was forgotten meanwhile."""
    row = await tx.fetchrow(
        """
        UPDATE export
        SET file_name = $2, blob_key = $3, size_bytes = $4, sha256 = $5, expires_at = $6
        WHERE id = $1
        RETURNING id, task_id, job_id, project_id, format, owner, file_name, blob_key, size_bytes, sha256,
            expires_at
        """,
        export_id,
        file_name,
        archive.key,
        archive.size_bytes,
        archive.sha256,
        expires_at,
    )
    return None if row is None else Export.from_row(row)


async def export_of(source: Database | Transaction, export_id: UUID) -> Export | None:
    """The export with this operation."""
    row = await source.fetchrow(
        """
        SELECT id, task_id, job_id, project_id, format, owner, file_name, blob_key, size_bytes, sha256,
            expires_at
        FROM export
        WHERE id = $1
        """,
        export_id,
    )
    return None if row is None else Export.from_row(row)


async def expire_task(tx: Transaction, task_id: int, now: datetime) -> None:
    """Lets the exports of a task go at the next purge."""
    await tx.execute(
        """
        UPDATE export
        SET expires_at = $2
        WHERE task_id = $1 AND expires_at > $2
        """,
        task_id,
        now,
    )


async def expired(db: Database, now: datetime, *, limit: int) -> list[UUID]:
    """Exports that are past their time, the oldest first; not those that wait for another one's archive."""
    rows = await db.fetch(
        """
        SELECT id
        FROM export
        WHERE expires_at <= $1
            AND NOT EXISTS (
                SELECT
                FROM operation
                WHERE operation.id = export.shares AND operation.state IN ('QUEUED', 'RUNNING')
            )
        ORDER BY expires_at
        LIMIT $2
        """,
        now,
        limit,
    )
    return [row["id"] for row in rows]


async def delete_exports(db: Database, ids: list[UUID], now: datetime) -> None:
    """Forgets exports whose objects are gone; one that was completed meanwhile stays."""
    await db.execute(
        """
        DELETE FROM export
        WHERE id = ANY ($1) AND expires_at <= $2
        """,
        ids,
        now,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class FileImport:
    """An import by the id of its operation; `user_id` is who asked for it, 0 a service."""

    id: UUID
    task_id: int
    job_id: int
    format: str
    user_id: int
    upload_id: str
    expires_at: datetime


async def insert_import(tx: Transaction, wanted: FileImport) -> None:
    """Keeps what was asked for."""
    await tx.execute(
        """
        INSERT INTO file_import (id, task_id, job_id, format, user_id, upload_id, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        """,
        wanted.id,
        wanted.task_id,
        wanted.job_id,
        wanted.format,
        wanted.user_id,
        wanted.upload_id,
        wanted.expires_at,
    )


async def import_of(source: Database | Transaction, import_id: UUID) -> FileImport | None:
    """The import with this operation."""
    row = await source.fetchrow(
        """
        SELECT id, task_id, job_id, format, user_id, upload_id, expires_at
        FROM file_import
        WHERE id = $1
        """,
        import_id,
    )
    return None if row is None else FileImport(**dict(row))


async def delete_imports(db: Database, now: datetime) -> None:
    """Forgets imports that are long over."""
    await db.execute("DELETE FROM file_import WHERE expires_at <= $1", now)
