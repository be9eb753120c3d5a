"""Media that is indexed."""

from uuid import UUID

from yard.chunking.domain import Media
from yard.runtime.db import Database, Transaction

_COLUMNS = (
    "id, task_id, kind, size, width, height, image_quality, chunk_size, form, use_cache, plan_key,"
    " plan_size_bytes, operation_id"
)


async def insert_media(tx: Transaction, media: Media) -> None:
    """Keeps what an event told."""
    await tx.execute(
        f"""
        INSERT INTO media_plan ({_COLUMNS})
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
        """,  # noqa: S608 - literals only
        media.id,
        media.task_id,
        media.kind,
        media.size,
        media.width,
        media.height,
        media.image_quality,
        media.chunk_size,
        media.form,
        media.use_cache,
        media.plan_key,
        media.plan_size_bytes,
        media.operation_id,
    )


async def media_of(source: Database | Transaction, media_id: UUID, *, lock: bool = False) -> Media | None:
    """The media, unless it is deleted; locked, nothing of it is claimed until the transaction ends."""
    row = await source.fetchrow(
        f"""
        SELECT {_COLUMNS}
        FROM media_plan
        WHERE id = $1 AND NOT is_deleted
        {"FOR UPDATE" if lock else ""}
        """,  # noqa: S608 - literals only
        media_id,
    )
    return None if row is None else Media(**dict(row))


async def set_use_cache(tx: Transaction, media_id: UUID, use_cache: bool, operation_id: UUID | None) -> None:
    """Changes whether chunks are kept, and which operation builds them."""
    await tx.execute(
        "UPDATE media_plan SET use_cache = $2, operation_id = $3 WHERE id = $1",
        media_id,
        use_cache,
        operation_id,
    )


async def is_known(source: Database | Transaction, media_id: UUID) -> bool:
    """Whether there is a row, deleted or not."""
    return bool(await source.fetchval("SELECT true FROM media_plan WHERE id = $1", media_id))


async def is_deleted(source: Database | Transaction, media_id: UUID) -> bool:
    """Whether it was there and is going."""
    return bool(await source.fetchval("SELECT is_deleted FROM media_plan WHERE id = $1", media_id))


async def mark_deleted(tx: Transaction, media_id: UUID) -> UUID | None:
    """From now on nothing is built of it; returns the operation of its build, if there is one.

    Waits for claims that are about to commit, and later ones see it.
    """
    operation_id: UUID | None = await tx.fetchval(
        """
        UPDATE media_plan
        SET is_deleted = true
        WHERE id = $1
        RETURNING operation_id
        """,
        media_id,
    )
    return operation_id


async def delete_media(tx: Transaction, media_id: UUID) -> None:
    """Forgets media whose objects are gone."""
    await tx.execute("DELETE FROM media_plan WHERE id = $1", media_id)
