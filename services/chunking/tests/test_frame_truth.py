"""Every way to a frame shows that frame: by zip, by mp4, alone and small."""

import io
import zipfile
from pathlib import Path

import pytest
from frameyard.chunk.v1 import chunk_service_pb2 as messages
from frameyard.media.v1 import media_pb2
from yard.media.hard_clips import FRAMES, HARD_CLIPS, SIZE, make_clip
from yard.media.selection import FrameSelection

from services.chunking.tests.media_side import (
    MediaSide,
    Viewer,
    number_in,
    numbers_in_mp4,
    numbers_in_zip,
    opened,
)

CHUNK = 15
ZIP, MP4 = media_pb2.CHUNK_FORMAT_ZIP, media_pb2.CHUNK_FORMAT_MP4
ORIGINAL = messages.QUALITY_ORIGINAL


@pytest.mark.parametrize("clip", HARD_CLIPS)
async def test_frame_n_shows_number_n(clip: str, tmp_path: Path, side: MediaSide, ann: Viewer) -> None:
    media = await side.video(make_clip(clip, tmp_path), chunk_size=CHUNK)
    for number in range(3):
        wanted = list(range(number * CHUNK, min(FRAMES, (number + 1) * CHUNK)))
        header, content = await ann.chunk(media, number)
        assert (header.frames.first, header.frames.last) == (wanted[0], wanted[-1])
        assert (header.format, header.width, header.height) == (ZIP, *SIZE)
        assert numbers_in_zip(content) == wanted
        header, content = await ann.chunk(media, number, format=MP4)
        assert header.format == MP4
        assert numbers_in_mp4(content) == wanted
    for frame in (0, 13, 29, FRAMES - 1):
        framed, content = await ann.frame(media, frame)
        assert (framed.frame, framed.content_type, number_in(content)) == (frame, "image/jpeg", frame)
        assert (framed.width, framed.height) == opened(content).size == SIZE
        preview = await ann.preview(media, frame)
        assert number_in(preview.content) == frame
        assert (preview.width, preview.height) == opened(preview.content).size == (256, 192)


@pytest.mark.parametrize(
    "selection",
    [
        FrameSelection(start=5),
        FrameSelection(stop=0),
        FrameSelection(start=3, stop=37, step=7),
        FrameSelection(start=39),
        FrameSelection(step=2),
    ],
    ids=str,
)
async def test_start_stop_and_step(
    selection: FrameSelection, tmp_path: Path, side: MediaSide, ann: Viewer
) -> None:
    media = await side.video(make_clip("open_gop", tmp_path), selection=selection, chunk_size=4)
    shown: list[int] = []
    shown_by_mp4: list[int] = []
    for number in range(-(-media.size // 4)):
        shown += numbers_in_zip((await ann.chunk(media, number))[1])
        shown_by_mp4 += numbers_in_mp4((await ann.chunk(media, number, format=MP4))[1])
    wanted = list(range(selection.start, selection.clamp(FRAMES) + 1, selection.step))
    assert shown == shown_by_mp4 == wanted
    last = media.size - 1
    assert number_in((await ann.frame(media, last))[1]) == wanted[-1]
    assert number_in((await ann.preview(media, last)).content) == wanted[-1]


async def test_original_quality_of_a_video(tmp_path: Path, side: MediaSide, ann: Viewer) -> None:
    media = await side.video(make_clip("b_frames", tmp_path), image_quality=20)
    assert numbers_in_zip((await ann.chunk(media, 1, quality=ORIGINAL))[1]) == list(range(10, 20))
    original = await ann.chunk(media, 1, quality=ORIGINAL, format=MP4)
    assert numbers_in_mp4(original[1]) == list(range(10, 20))
    assert len(original[1]) > len((await ann.chunk(media, 1, format=MP4))[1])
    header, content = await ann.frame(media, 3, quality=ORIGINAL)
    assert (header.content_type, opened(content).format, number_in(content)) == ("image/png", "PNG", 3)
    header, content = await ann.frame(media, 3, format=messages.FRAME_FORMAT_PNG)
    assert header.content_type == "image/png"
    header, content = await ann.frame(media, 3, quality=ORIGINAL, format=messages.FRAME_FORMAT_JPEG)
    assert (header.content_type, number_in(content)) == ("image/jpeg", 3)
    assert len(content) > len((await ann.frame(media, 3))[1])


async def test_lossless_pictures_of_a_range(tmp_path: Path, side: MediaSide, ann: Viewer) -> None:
    media = await side.video(make_clip("open_gop", tmp_path), selection=FrameSelection(start=3, step=2))
    fields = {"quality": ORIGINAL, "format": ZIP, "picture_format": messages.FRAME_FORMAT_PNG}
    header, content = await ann.frames(media, 1, 12, **fields)
    assert (header.frames.first, header.frames.last, header.format) == (1, 12, ZIP)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        pictures = [archive.read(name) for name in archive.namelist()]
    assert [number_in(picture) for picture in pictures] == list(range(5, 28, 2))
    assert pictures[7] == (await ann.frame(media, 8, quality=ORIGINAL))[1]
    assert [blob.key async for blob in side.blobs.list("chunks/") if "original" in blob.key] == []


async def test_any_range_of_frames(tmp_path: Path, side: MediaSide, ann: Viewer) -> None:
    media = await side.video(make_clip("b_frames", tmp_path), chunk_format=MP4)
    for first, last in ((0, 39), (7, 7), (8, 31)):
        header, content = await ann.frames(media, first, last)
        assert (header.frames.first, header.frames.last, header.format) == (first, last, MP4)
        assert numbers_in_mp4(content) == list(range(first, last + 1))
        assert numbers_in_zip((await ann.frames(media, first, last, format=ZIP))[1]) == list(
            range(first, last + 1)
        )
    assert (await ann.status(media)).built_count == 0
    assert [blob.key async for blob in side.blobs.list("chunks/")] == []
