"""What is cached, and what has to go."""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from yard.chunking.domain import Frames, Media, Rendition
from yard.chunking.store.chunks import CHUNK_CHANGED, LEASE_S
from yard.runtime.db import Record, Transaction

Policy = Literal["lfu", "lru"]
_ORDER: dict[Policy, str] = {"lfu": "score", "lru": "read_until"}
"""What is read is protected for a constant time after each use, so that its end tells the last use."""
_LOCK = "SELECT pg_try_advisory_xact_lock(hashtextextended(current_schema() || '/evict', 0))"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cached:
    """Something that may be evicted."""

    rendition: Rendition
    size_bytes: int


async def lock(tx: Transaction) -> bool:
    """Whether no other process looks for what has to go, until the end of the transaction."""
    return bool(await tx.fetchval(_LOCK))


async def cached_bytes(tx: Transaction) -> int:
    """Length of all that is cached."""
    total: int = await tx.fetchval(
        """
        SELECT coalesce(sum(size_bytes), 0)::bigint
        FROM chunk
        WHERE state = 'built' AND NOT is_kept
        """
    )
    return total


async def expendable(tx: Transaction, policy: Policy, limit: int) -> list[Cached]:
    """Cached things that nobody reads, locked, those to be evicted first at the front."""
    rows = await tx.fetch(
        f"""
        SELECT media_id, quality, form, first_frame, last_frame, size_bytes
        FROM chunk
        WHERE state = 'built' AND NOT is_kept AND read_until < now()
        ORDER BY {_ORDER[policy]}
        LIMIT $1
        FOR UPDATE SKIP LOCKED
        """,  # noqa: S608 - literals only
        limit,
    )
    return [_cached(row) for row in rows]


async def set_kept(tx: Transaction, media: Media, *, is_kept: bool) -> None:
    """Compressed chunks in the media's own container are evicted no more, or from now on."""
    tx.wake(CHUNK_CHANGED)
    await tx.execute(
        """
        UPDATE chunk
        SET is_kept = $3
        WHERE media_id = $1 AND quality = 'compressed' AND form = $2
        """,
        media.id,
        media.form,
        is_kept,
    )


async def begin_eviction(tx: Transaction, victims: list[Cached], lease: UUID) -> None:
    """Nobody reads or builds them until they are gone, or the lease has ended."""
    await tx.executemany(
        """
        UPDATE chunk
        SET state = 'evicting', lease = $6, lease_until = now() + make_interval(secs => $7)
        WHERE media_id = $1 AND quality = $2 AND form = $3 AND first_frame = $4 AND last_frame = $5
        """,
        [
            (
                victim.rendition.media_id,
                victim.rendition.quality,
                victim.rendition.form,
                victim.rendition.frames.first,
                victim.rendition.frames.last,
                lease,
                LEASE_S,
            )
            for victim in victims
        ],
    )


async def end_eviction(tx: Transaction, lease: UUID) -> None:
    """They are gone."""
    tx.wake(CHUNK_CHANGED)
    await tx.execute("DELETE FROM chunk WHERE lease = $1 AND state = 'evicting'", lease)


def _cached(row: Record) -> Cached:
    rendition = Rendition(
        media_id=row["media_id"],
        quality=row["quality"],
        form=row["form"],
        frames=Frames(first=row["first_frame"], last=row["last_frame"]),
    )
    return Cached(rendition=rendition, size_bytes=row["size_bytes"])
