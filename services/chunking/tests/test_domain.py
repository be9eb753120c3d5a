from datetime import UTC, datetime, timedelta
from math import exp, log
from typing import Any

import pytest
from yard.chunking.domain import HALF_LIFE_S, Frames, Media, Rendition, weight
from yard.runtime import ids


def media(**fields: Any) -> Media:
    defaults: dict[str, Any] = {
        "id": ids.uuid7(),
        "task_id": 1,
        "kind": "video",
        "size": 25,
        "width": 8,
        "height": 6,
        "image_quality": 70,
        "chunk_size": 10,
        "form": "zip",
        "use_cache": True,
        "plan_key": "plan",
        "plan_size_bytes": 9,
        "operation_id": None,
    }
    return Media(**{**defaults, **fields})


@pytest.mark.parametrize(
    ("size", "chunk_size", "last_chunk"), [(25, 10, (20, 24)), (30, 10, (20, 29)), (1, 36, (0, 0))]
)
def test_chunks_cover_all_frames_once(size: int, chunk_size: int, last_chunk: tuple[int, int]) -> None:
    chunks = list(media(size=size, chunk_size=chunk_size).chunks())
    assert [frame for chunk in chunks for frame in range(chunk.frames.first, chunk.frames.last + 1)] == list(
        range(size)
    )
    assert (chunks[-1].frames.first, chunks[-1].frames.last) == last_chunk
    assert len(chunks) == media(size=size, chunk_size=chunk_size).chunk_count


@pytest.mark.parametrize(
    ("first", "last", "is_chunk"),
    [(0, 9, True), (20, 24, True), (20, 29, False), (0, 8, False), (5, 14, False), (0, 19, False)],
)
def test_only_whole_chunks_are_chunks(first: int, last: int, is_chunk: bool) -> None:
    assert media().is_chunk(Frames(first=first, last=last)) is is_chunk


def test_what_is_past_the_end_lies_past_the_last_frame() -> None:
    assert media().chunk(3) == Frames(first=30, last=30)


def test_only_own_chunks_of_static_media_are_kept() -> None:
    static = media(use_cache=False)
    own = next(static.chunks())
    assert static.keeps(own)
    assert not media().keeps(own)
    for quality, form in (("original", "zip"), ("compressed", "mp4"), ("preview", "jpeg")):
        rendition = Rendition(
            media_id=static.id,
            quality=quality,  # type: ignore[arg-type]
            form=form,  # type: ignore[arg-type]
            frames=own.frames,
        )
        assert not static.keeps(rendition)


def test_a_use_counts_half_after_a_half_life() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    before = now - timedelta(seconds=HALF_LIFE_S)
    assert exp(weight(before) - weight(now)) == pytest.approx(0.5)
    assert weight(now) == pytest.approx(now.timestamp() / HALF_LIFE_S * log(2))
