"""What is made, being made or going."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self
from uuid import UUID

from yard.chunking.domain import Form, Frames, Media, Quality, Rendition
from yard.runtime.blobs import BlobRef
from yard.runtime.db import Database, Record, Transaction

LEASE_S = 20.0
READ_S = 30.0
BURST_S = 600.0
"""Uses with less than this between them count as one: stepping back and forth makes nothing popular."""
CHUNK_CHANGED = "chunk"
"""The wake-up of those who wait for what another process builds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """What lies in the bucket; width and height are those of the first picture, pixels."""

    blob: BlobRef
    width: int
    height: int
    corrupt_frames: tuple[int, ...] = ()

    @classmethod
    def from_row(cls, key: str, row: Record) -> Self:
        """Size, checksum, width, height and damaged frames."""
        return cls(
            blob=BlobRef(key=key, size_bytes=row["size_bytes"], sha256=row["sha256"]),
            width=row["width"],
            height=row["height"],
            corrupt_frames=tuple(row["corrupt_frames"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Chunks that are built, and their length in all."""

    count: int
    size_bytes: int


async def use(db: Database, rendition: Rendition, weight: float) -> Built | None:
    """Counts a use, and protects the object from eviction for `READ_S`; None if it is not built."""
    row = await db.fetchrow(
        """
        UPDATE chunk
        SET score = greatest(score, $6) + CASE
                WHEN read_until < now() - make_interval(secs => $8)
                    THEN ln(1 + exp(-least(abs(score - $6), 700)))
                ELSE 0
            END,
            read_until = greatest(read_until, now() + make_interval(secs => $7))
        WHERE media_id = $1 AND quality = $2 AND form = $3 AND first_frame = $4 AND last_frame = $5
            AND state = 'built'
        RETURNING size_bytes, sha256, width, height, corrupt_frames
        """,
        *_columns(rendition),
        weight,
        READ_S,
        BURST_S - READ_S,
    )
    return None if row is None else Built.from_row(rendition.key, row)


async def claim(
    db: Database, media: Media, rendition: Rendition, lease: UUID, *, weight: float, holder: str = ""
) -> bool:
    """Makes the owner of `lease` the only builder; False if it is built, somebody builds, or media goes.

    `holder` is where other replicas can read what is being built.
    """
    return bool(
        await db.fetchval(
            """
            INSERT INTO chunk (media_id, quality, form, first_frame, last_frame, state, is_kept, lease,
                lease_until, score, holder)
            SELECT $1::uuid, $2::text, $3::text, $4::bigint, $5::bigint, 'building',
                $6::boolean AND NOT use_cache, $7::uuid, now() + make_interval(secs => $8), $9::float8,
                $10::text
            FROM media_plan
            WHERE id = $1 AND NOT is_deleted
            FOR SHARE
            ON CONFLICT (media_id, quality, form, first_frame, last_frame) DO UPDATE
            SET state = 'building',
                is_kept = excluded.is_kept,
                lease = excluded.lease,
                lease_until = excluded.lease_until,
                holder = excluded.holder
            WHERE chunk.state <> 'built' AND chunk.lease_until < now()
            RETURNING true
            """,
            *_columns(rendition),
            media.is_native(rendition),
            lease,
            LEASE_S,
            weight,
            holder,
        )
    )


async def holder_of(db: Database, rendition: Rendition) -> str:
    """Address of the replica that is building it; empty if none is, or it is not known."""
    holder: str | None = await db.fetchval(
        """
        SELECT holder
        FROM chunk
        WHERE media_id = $1 AND quality = $2 AND form = $3 AND first_frame = $4 AND last_frame = $5
            AND state = 'building' AND lease_until > now()
        """,
        *_columns(rendition),
    )
    return holder or ""


async def renew(db: Database, rendition: Rendition, lease: UUID) -> bool:
    """Keeps the lease up; False if it is lost."""
    return bool(
        await db.fetchval(
            """
            UPDATE chunk
            SET lease_until = now() + make_interval(secs => $7)
            WHERE media_id = $1 AND quality = $2 AND form = $3 AND first_frame = $4 AND last_frame = $5
                AND lease = $6 AND state = 'building'
            RETURNING true
            """,
            *_columns(rendition),
            lease,
            LEASE_S,
        )
    )


async def complete(tx: Transaction, rendition: Rendition, lease: UUID, built: Built) -> bool:
    """The object is there; False if the lease is lost."""
    tx.wake(CHUNK_CHANGED)
    return bool(
        await tx.fetchval(
            """
            UPDATE chunk
            SET state = 'built', size_bytes = $7, sha256 = $8, width = $9, height = $10, built_at = now(),
                read_until = now() + make_interval(secs => $11), corrupt_frames = $12, holder = ''
            WHERE media_id = $1 AND quality = $2 AND form = $3 AND first_frame = $4 AND last_frame = $5
                AND lease = $6 AND state = 'building'
            RETURNING true
            """,
            *_columns(rendition),
            lease,
            built.blob.size_bytes,
            built.blob.sha256,
            built.width,
            built.height,
            READ_S,
            built.corrupt_frames,
        )
    )


async def release(tx: Transaction, rendition: Rendition, lease: UUID) -> None:
    """Somebody else may build it, or it is gone."""
    tx.wake(CHUNK_CHANGED)
    await tx.execute(
        """
        DELETE FROM chunk
        WHERE media_id = $1 AND quality = $2 AND form = $3 AND first_frame = $4 AND last_frame = $5
            AND lease = $6 AND state <> 'built'
        """,
        *_columns(rendition),
        lease,
    )


async def forget(db: Database, rendition: Rendition, built: Built) -> None:
    """The object is not in the bucket, whatever its row says."""
    await db.execute(
        """
        DELETE FROM chunk
        WHERE media_id = $1 AND quality = $2 AND form = $3 AND first_frame = $4 AND last_frame = $5
            AND state = 'built' AND sha256 = $6
        """,
        *_columns(rendition),
        built.blob.sha256,
    )


async def is_there(db: Database, rendition: Rendition) -> bool:
    """Whether it is built or somebody is at it."""
    return bool(
        await db.fetchval(
            """
            SELECT true
            FROM chunk
            WHERE media_id = $1 AND quality = $2 AND form = $3 AND first_frame = $4 AND last_frame = $5
            """,
            *_columns(rendition),
        )
    )


async def keep_reading(db: Database, renditions: list[Rendition]) -> None:
    """Protects what is being read for another `READ_S`."""
    columns = list(zip(*map(_columns, renditions), strict=True))
    await db.execute(
        """
        UPDATE chunk
        SET read_until = greatest(chunk.read_until, now() + make_interval(secs => $6))
        FROM unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[], $5::bigint[])
            AS reading (media_id, quality, form, first_frame, last_frame)
        WHERE chunk.media_id = reading.media_id AND chunk.quality = reading.quality
            AND chunk.form = reading.form AND chunk.first_frame = reading.first_frame
            AND chunk.last_frame = reading.last_frame
        """,
        *columns,
        READ_S,
    )


async def built_chunks(source: Database | Transaction, media: Media) -> Totals:
    """Of compressed quality in the media's own container."""
    row = await source.fetchrow(
        """
        SELECT count(*) AS count, coalesce(sum(size_bytes), 0)::bigint AS size_bytes
        FROM chunk
        WHERE media_id = $1 AND quality = 'compressed' AND form = $2 AND state = 'built'
        """,
        media.id,
        media.form,
    )
    assert row is not None
    return Totals(count=row["count"], size_bytes=row["size_bytes"])


async def built_among(db: Database, renditions: Sequence[Rendition]) -> set[Frames]:
    """Frames of those that are built; all are chunks of the same media, quality and container, in order."""
    rows = await db.fetch(
        """
        SELECT first_frame, last_frame
        FROM chunk
        WHERE media_id = $1 AND quality = $2 AND form = $3 AND first_frame BETWEEN $4 AND $5
            AND state = 'built'
        """,
        *_columns(renditions[0])[:4],
        renditions[-1].frames.first,
    )
    return {Frames(first=row["first_frame"], last=row["last_frame"]) for row in rows}


async def delete_chunks(tx: Transaction, media_id: UUID) -> None:
    """Forgets all that was made from media; who builds now has lost the lease."""
    tx.wake(CHUNK_CHANGED)
    await tx.execute("DELETE FROM corrupt_frame WHERE media_id = $1", media_id)
    await tx.execute("DELETE FROM build WHERE media_id = $1", media_id)
    await tx.execute("DELETE FROM chunk WHERE media_id = $1", media_id)


def _columns(rendition: Rendition) -> tuple[UUID, Quality, Form, int, int]:
    frames = rendition.frames
    return rendition.media_id, rendition.quality, rendition.form, frames.first, frames.last
