"""Damaged frames keep their numbers, say what they are, and are listed."""

import pytest
from frameyard.media.v1 import media_pb2
from yard.chunking.settings import Settings
from yard.runtime import app

from services.chunking.tests.media_side import MediaSide, Picture, Viewer, all_stored, files_of
from services.chunking.tests.test_images import PICTURES, SIZE

DAMAGED = [1, 2, 5]


@pytest.fixture
async def media(side: MediaSide) -> media_pb2.Media:
    pictures = list(PICTURES[:6])
    for number in DAMAGED:
        name = f"bad-{number}.png"
        pictures[number] = Picture(name=name, content=b"\x89PNG\r\n\x1a\nnothing", size=SIZE)
    return await side.images(pictures, chunk_size=3)


async def test_who_reads_a_chunk_is_told(
    media: media_pb2.Media, ann: Viewer, running: app.Running[Settings]
) -> None:
    for _ in range(2):  # while it is built, and from the bucket
        _, content, trailer = await ann.whole_chunk(ann.request(media, number=0))
        assert list(trailer.corrupt_frames) == [1, 2]
        assert len(files_of(content)) == 3
        await all_stored(running.runtime.db)
    _, _, trailer = await ann.whole_chunk(ann.request(media, frames={"first": 2, "last": 4}))
    assert list(trailer.corrupt_frames) == [2]


async def test_pictures_tell_it_too(media: media_pb2.Media, ann: Viewer) -> None:
    for number in (1, 3):
        header, _ = await ann.frame(media, number)
        first, again = await ann.preview(media, number), await ann.preview(media, number)
        is_damaged = number in DAMAGED
        assert (header.is_corrupt, first.is_corrupt, again.is_corrupt) == (is_damaged,) * 3


async def test_they_are_listed_as_far_as_the_grant_goes(
    media: media_pb2.Media, ann: Viewer, running: app.Running[Settings]
) -> None:
    assert list((await ann.corrupt_frames(media)).frames) == []
    for number in range(2):
        await ann.chunk(media, number)
    await all_stored(running.runtime.db)
    listed = (await ann.corrupt_frames(media)).frames
    assert [each.frame for each in listed] == DAMAGED
    assert all(f"bad-{each.frame}.png" in each.reason for each in listed)
    first = await ann.corrupt_frames(media, page_size=2)
    renewed = ann.grant(media, 0, 5)
    rest = await ann.corrupt_frames(media, page_size=2, page_token=first.next_page_token, grant=renewed)
    assert [[each.frame for each in page.frames] for page in (first, rest)] == [[1, 2], [5]]
    assert rest.next_page_token == ""
    part = await ann.corrupt_frames(media, grant=ann.grant(media, 2, 4))
    assert [each.frame for each in part.frames] == [2]
