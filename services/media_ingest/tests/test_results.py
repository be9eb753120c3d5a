from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable
from typing import Any
from uuid import UUID

import pytest
from frameyard.media.v1 import media_pb2, media_service_pb2
from yard.media_ingest.domain.results import (
    TRAILER_BYTES,
    Encoding,
    FileResult,
    blocks_from,
    decode_index,
    decode_results,
    index_range,
)
from yard.media_ingest.settings import Settings
from yard.runtime import app, errors
from yard.runtime.auth.grants import MediaGrant
from yard.testkit.refusals import refused

from services.media_ingest.tests.contents import animation, clip, photo, photos
from services.media_ingest.tests.neighbours import Client, TaskSide

TAKEN, SKIPPED, REFUSED = (
    media_pb2.FILE_OUTCOME_TAKEN,
    media_pb2.FILE_OUTCOME_SKIPPED,
    media_pb2.FILE_OUTCOME_REFUSED,
)


async def results(client: Client, media_id: str, **fields: Any) -> list[media_pb2.FileResult]:
    request = media_service_pb2.ListFileResultsRequest(media_id=media_id, **fields)
    found: list[media_pb2.FileResult] = []
    while True:
        page = await client.media.ListFileResults(request)
        found += page.results
        if not page.next_page_token:
            return found
        assert 0 < len(page.results) <= (request.page_size or 1_000)
        request.page_token = page.next_page_token


def brief(found: Iterable[media_pb2.FileResult]) -> list[tuple[str, int, int]]:
    return [(result.name, result.outcome, result.frame_count) for result in found]


@pytest.mark.parametrize("page_size", [0, 1])
async def test_each_given_file_has_a_result_in_the_order_given(
    page_size: int, ann: Client, export: Client, task: TaskSide
) -> None:
    files = {
        "z.jpg": photo(),
        "notes.txt": b"words",
        "many.gif": animation(3),
        "a.jpg": photo(1),
        "broken.jpg": b"\xff\xd8\xff nothing",
        "empty": b"",
    }
    media = await task.media(await ann.upload(files))
    found = await results(export, media.id, page_size=page_size)
    assert brief(found) == [
        ("z.jpg", TAKEN, 1),
        ("notes.txt", SKIPPED, 0),
        ("many.gif", TAKEN, 3),
        ("a.jpg", TAKEN, 1),
        ("broken.jpg", SKIPPED, 0),
        ("empty", SKIPPED, 0),
    ]
    assert [bool(result.reason) for result in found] == [False, True, False, False, True, True]
    assert [result.size_bytes for result in found] == [len(content) for content in files.values()]
    assert (media.taken_count, media.skipped_count) == (3, 3)
    skipped = await results(export, media.id, outcome=SKIPPED, page_size=page_size)
    assert [result.name for result in skipped] == ["notes.txt", "broken.jpg", "empty"]


async def test_members_of_an_archive_follow_it(ann: Client, export: Client, task: TaskSide) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, member in {"d/b.jpg": photo(), "read.me": b"x", "a.gif": animation(2)}.items():
            archive.writestr(name, member)
    media = await task.media(await ann.upload({"all.zip": content.getvalue()}))
    found = await results(export, media.id)
    assert brief(found)[0] == ("all.zip", TAKEN, 3)
    assert sorted(brief(found)[1:]) == [
        ("a.gif", TAKEN, 2),
        ("d/b.jpg", TAKEN, 1),
        ("read.me", SKIPPED, 0),
    ]


async def test_a_video_has_its_frames(ann: Client, export: Client, task: TaskSide) -> None:
    media = await task.media(await ann.upload({"film.mp4": clip(), "film.txt": b"words"}))
    assert brief(await results(export, media.id)) == [("film.mp4", TAKEN, 40), ("film.txt", SKIPPED, 0)]


async def test_of_media_that_failed_the_culprit_is_named(
    ann: Client, export: Client, task: TaskSide, running: app.Running[Settings]
) -> None:
    media_id = await task.request(await ann.upload({"a.jpg": photo(), "film.mp4": clip(), "x": b"x"}))
    await task.outcome(media_id)
    found = await results(export, media_id)
    assert brief(found) == [("a.jpg", SKIPPED, 0), ("film.mp4", REFUSED, 0), ("x", SKIPPED, 0)]
    assert "among images" in found[1].reason
    grant = granted(running, media_id, first=0, last=0)
    assert await results(ann, media_id, grant=grant) == found


def granted(running: app.Running[Settings], media_id: str, **changes: Any) -> str:
    fields = {"media_id": UUID(media_id), "first": 0, "last": 1, "user_id": 1}
    return running.runtime.grants.sign(MediaGrant(**{**fields, **changes}))


async def test_only_who_sees_all_frames_sees_the_files(
    ann: Client, ben: Client, task: TaskSide, running: app.Running[Settings]
) -> None:
    media = await task.media(await ann.upload(photos("a.jpg", "b.jpg")))
    good = granted(running, media.id)
    assert len(await results(ann, media.id, grant=good)) == 2
    for client, grant in ((ann, ""), (ben, good), (ann, granted(running, media.id, first=1))):
        assert isinstance(await refused(results(client, media.id, grant=grant)), errors.NotFound)


async def test_pages_go_on_under_a_new_grant(
    ann: Client, task: TaskSide, running: app.Running[Settings]
) -> None:
    media = await task.media(await ann.upload(photos("a.jpg", "b.jpg")))
    grants = [granted(running, media.id, last=last) for last in (1, 9)]
    request = media_service_pb2.ListFileResultsRequest(media_id=media.id, grant=grants[0], page_size=1)
    request.page_token = (await ann.media.ListFileResults(request)).next_page_token
    request.grant = grants[1]
    assert [result.name for result in (await ann.media.ListFileResults(request)).results] == ["b.jpg"]
    request.outcome = SKIPPED
    assert isinstance(await refused(ann.media.ListFileResults(request)), errors.InvalidArgument)


def test_many_results_come_back_by_ranges() -> None:
    given = [
        FileResult(name=f"{number}", outcome="skipped" if number == 2_345 else "taken", size_bytes=number)
        for number in range(2_500)
    ]
    encoding = Encoding()
    content = b"".join([*encoding.add(given), *encoding.end()])
    assert (encoding.count("taken"), encoding.count("skipped")) == (2_499, 1)
    offset, length = index_range(content[-TRAILER_BYTES:], len(content))
    blocks = decode_index(content[offset : offset + length])
    read = [decode_results(content[block.offset : block.offset + block.length]) for block in blocks]
    assert [result for part in read for result in part] == given
    assert [block.first for block in blocks_from(blocks, 0, "skipped")] == [2_000]
    assert [block.first for block in blocks_from(blocks, 1_000, None)] == [1_000, 2_000]
