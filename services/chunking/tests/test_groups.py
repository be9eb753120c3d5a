"""Whole groups of pictures of the source, for who does not need exactly his frames."""

from pathlib import Path
from typing import Any

import pytest
from frameyard.chunk.v1 import chunk_service_pb2 as messages
from frameyard.common.v1.common_pb2 import FrameRange
from frameyard.media.v1 import media_pb2
from yard.chunking.settings import Settings
from yard.media.hard_clips import make_clip
from yard.runtime import app

from services.chunking.tests.media_side import MediaSide, Viewer, all_stored, numbers_in_mp4

WHOLE: dict[str, Any] = {
    "quality": messages.QUALITY_ORIGINAL,
    "format": media_pb2.CHUNK_FORMAT_MP4,
    "exact": False,
}


@pytest.fixture
async def media(side: MediaSide, tmp_path: Path) -> media_pb2.Media:
    return await side.video(make_clip("b_frames", tmp_path))


async def test_more_frames_come_and_are_cached_once(
    media: media_pb2.Media, ann: Viewer, running: app.Running[Settings]
) -> None:
    header, content = await ann.frames(media, 14, 15, **WHOLE)
    first, last = header.frames.first, header.frames.last
    assert first <= 14 <= 15 <= last
    assert (first, last) != (14, 15)
    assert header.first_frame_offset == 14 - first
    numbers = numbers_in_mp4(content)
    assert numbers == list(range(first, last + 1))
    assert numbers[header.first_frame_offset] == 14
    await all_stored(running.runtime.db)
    again, same = await ann.frames(media, 15, 15, **WHOLE)
    assert (same, again.first_frame_offset, again.HasField("size_bytes")) == (content, 15 - first, True)
    rows = await running.runtime.db.fetch("SELECT first_frame, last_frame, is_kept FROM chunk")
    assert [tuple(row) for row in rows] == [(first, last, False)]


async def test_exactly_the_wanted_frames_otherwise(media: media_pb2.Media, ann: Viewer) -> None:
    exact = {**WHOLE, "exact": True}
    compressed = {**WHOLE, "quality": messages.QUALITY_COMPRESSED}
    for fields in (exact, compressed):
        header, content = await ann.frames(media, 14, 15, **fields)
        assert (header.frames, header.first_frame_offset) == (FrameRange(first=14, last=15), 0)
        assert numbers_in_mp4(content) == [14, 15]


async def test_what_the_grant_does_not_cover_is_not_sent(media: media_pb2.Media, ann: Viewer) -> None:
    header, content = await ann.frames(media, 14, 15, grant=ann.grant(media, 13, 16), **WHOLE)
    assert header.frames == FrameRange(first=14, last=15)
    assert numbers_in_mp4(content) == [14, 15]
