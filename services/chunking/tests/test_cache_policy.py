"""Which policy of the cache misses less, on calls that were recorded."""

import copy
import dataclasses
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from pathlib import Path
from typing import Literal
from uuid import UUID

import pytest
from yard.chunking.domain import Frames, Media, Rendition, weight
from yard.chunking.handlers.context import Chunking
from yard.chunking.handlers.evicting import evict
from yard.chunking.settings import Settings
from yard.chunking.store import chunks as store
from yard.chunking.store.chunks import Built
from yard.chunking.store.media import insert_media
from yard.media.hard_clips import make_clip
from yard.runtime import app, ids
from yard.runtime.blobs import BlobRef

from services.chunking.tests import cache_trace
from services.chunking.tests.cache_sessions import CHUNKS, TASKS, Call, calls
from services.chunking.tests.cache_trace import Got
from services.chunking.tests.media_side import MediaSide, Viewer

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
DAYS = 5
CLIPS = ("b_frames", "open_gop")


async def test_the_trace_is_what_the_service_answers(side: MediaSide, ann: Viewer, tmp_path: Path) -> None:
    media = await cache_trace.tasks(side, [make_clip(name, tmp_path) for name in CLIPS])
    recorded = [got async for got in cache_trace.record(ann, media, islice(calls(DAYS), 30))]
    for mine, kept in zip(recorded, cache_trace.read(), strict=False):
        assert mine.line().split()[:4] == kept.line().split()[:4]
        assert mine.size_bytes == pytest.approx(kept.size_bytes, rel=0.5)


@pytest.mark.parametrize(("share", "fewer"), [(0.12, 0.1), (0.2, 0.15), (0.3, 0.08)])
async def test_popularity_misses_less_than_the_time_of_the_last_use(
    running: app.Running[Settings], share: float, fewer: float
) -> None:
    trace = list(cache_trace.read())
    whole = sum(
        {(got.call.task, got.call.quality, got.call.number): got.size_bytes for got in trace}.values()
    )
    lfu = await Replay.of(running, "lfu", int(whole * share)).misses(trace)
    lru = await Replay.of(running, "lru", int(whole * share)).misses(trace)
    assert lfu < lru * (1 - fewer), f"{lfu} misses, {lru} by the time of the last use"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Replay:
    """The service's own statements, under a clock that goes as the trace says."""

    chunking: Chunking
    media: list[Media]

    @classmethod
    def of(cls, running: app.Running[Settings], policy: Literal["lfu", "lru"], cache_bytes: int) -> "Replay":
        runtime = copy.copy(running.runtime)
        runtime.settings = dataclasses.replace(
            running.runtime.settings, cache_policy=policy, cache_bytes=cache_bytes
        )
        return cls(chunking=Chunking.of(runtime), media=[_media() for _ in range(TASKS)])

    async def misses(self, trace: Sequence[Got]) -> int:
        """Plays it on an empty cache."""
        db = self.chunking.db
        await db.execute("DELETE FROM chunk")
        async with db.transaction() as tx:
            for media in self.media:
                await insert_media(tx, media)
        count = 0
        waits = [after.call.at_s - before.call.at_s for before, after in pairwise(trace)]
        for got, wait_s in zip(trace, [*waits, 0.0], strict=True):
            count += await self._is_miss(got)
            await db.execute("UPDATE chunk SET read_until = read_until - make_interval(secs => $1)", wait_s)
        return count

    async def _is_miss(self, got: Got) -> bool:
        db = self.chunking.db
        media, rendition = self._rendition(got.call)
        weighs = weight(BEGIN + timedelta(seconds=got.call.at_s))
        if await store.use(db, rendition, weighs) is not None:
            return False
        lease = ids.uuid7()
        assert await store.claim(db, media, rendition, lease, weight=weighs)
        blob = BlobRef(key=rendition.key, size_bytes=got.size_bytes, sha256="0" * 64)
        async with db.transaction() as tx:
            await store.complete(tx, rendition, lease, Built(blob=blob, width=1, height=1))
        await evict(self.chunking)
        return True

    def _rendition(self, call: Call) -> tuple[Media, Rendition]:
        media = self.media[call.task]
        frames = media.chunk(call.number)
        if call.quality == "preview":
            frames = Frames(first=frames.first, last=frames.first)
            return media, Rendition(media_id=media.id, quality="preview", form="jpeg", frames=frames)
        return media, Rendition(media_id=media.id, quality="compressed", form="zip", frames=frames)


def _media() -> Media:
    return Media(
        id=UUID(str(ids.uuid7())),
        task_id=1,
        kind="video",
        size=CHUNKS * 2,
        width=1,
        height=1,
        image_quality=70,
        chunk_size=2,
        form="zip",
        use_cache=True,
        plan_key="",
        plan_size_bytes=0,
        operation_id=None,
    )
