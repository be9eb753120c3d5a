from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from frameyard.media.v1 import media_pb2, media_service_pb2, media_service_pb2_grpc
from yard.media_ingest.settings import Settings
from yard.runtime import app, errors, ids, paging, rpc
from yard.runtime.auth.grants import Grants, MediaGrant
from yard.testkit.refusals import refused

from services.media_ingest.tests.contents import SIZE, clip, photo, photos
from services.media_ingest.tests.neighbours import Client, TaskSide


async def get(client: Client, media_id: str, grant: str = "") -> media_pb2.Media:
    request = media_service_pb2.GetMediaRequest(media_id=media_id, grant=grant)
    return (await client.media.GetMedia(request)).media


async def frames(client: Client, media_id: str, **fields: Any) -> list[media_pb2.FrameInfo]:
    request = media_service_pb2.ListFramesRequest(media_id=media_id, **fields)
    found: list[media_pb2.FrameInfo] = []
    while True:
        page = await client.media.ListFrames(request)
        found += page.frames
        if not page.next_page_token:
            return found
        assert 0 < len(page.frames) <= (request.page_size or 1_000)
        request.page_token = page.next_page_token


def granted(running: app.Running[Settings], media_id: str, **changes: Any) -> str:
    fields = {"media_id": UUID(media_id), "first": 0, "last": 3, "user_id": 1}
    return running.runtime.grants.sign(MediaGrant(**{**fields, **changes}))


async def test_the_summary_is_what_the_event_said(ann: Client, export: Client, task: TaskSide) -> None:
    media = await task.media(await ann.upload({"film.mp4": clip()}))
    assert await get(export, media.id) == media


async def test_frames_of_a_video_are_named_by_their_absolute_number(
    ann: Client, export: Client, task: TaskSide
) -> None:
    media = await task.media(await ann.upload({"film.mp4": clip()}), start_frame=3, frame_step=10)
    assert [(f.frame, f.source_frame, f.name, f.width, f.height) for f in await frames(export, media.id)] == [
        (0, 3, "frame_000003", 320, 240),
        (1, 13, "frame_000013", 320, 240),
        (2, 23, "frame_000023", 320, 240),
        (3, 33, "frame_000033", 320, 240),
    ]


async def test_frames_of_images_have_their_own_names_and_sizes(
    ann: Client, export: Client, task: TaskSide
) -> None:
    files = {"d/0.jpg": photo(0), "d/1.jpg": photo(1), "d/2.jpg": photo(2, (30, 20))}
    media = await task.media(await ann.upload(files), start_frame=0, frame_step=2)
    assert [(f.frame, f.source_frame, f.name, f.width, f.height) for f in await frames(export, media.id)] == [
        (0, 0, "d/0.jpg", *SIZE),
        (1, 2, "d/2.jpg", 30, 20),
    ]


@pytest.mark.parametrize("page_size", [0, 1, 3, 10])
@pytest.mark.parametrize(
    ("bounds", "expected"),
    [
        ({}, range(10)),
        ({"first": 4, "last": 4}, [4]),
        ({"first": 7, "last": 99}, [7, 8, 9]),
        ({"last": 0}, [0]),
    ],
)
async def test_frames_are_listed_in_pages(
    page_size: int, bounds: dict[str, int], expected: list[int], ann: Client, export: Client, task: TaskSide
) -> None:
    media = await task.media(await ann.upload(photos(*(f"{number}.jpg" for number in range(10)))))
    found = await frames(export, media.id, page_size=page_size, **bounds)
    assert [frame.frame for frame in found] == [*expected]


async def test_a_grant_opens_its_frames_to_its_user(
    ann: Client, task: TaskSide, running: app.Running[Settings]
) -> None:
    media = await task.media(await ann.upload({"film.mp4": clip()}))
    grant = granted(running, media.id, first=5, last=8)
    assert (await get(ann, media.id, grant)).size == media.size
    found = await frames(ann, media.id, grant=grant, first=5)
    assert [frame.frame for frame in found] == [5, 6, 7, 8]
    for bounds in ({"first": 4, "last": 6}, {"first": 5, "last": 9}, {"first": 0}, {"first": 9}):
        fault = await refused(frames(ann, media.id, grant=grant, **bounds))
        assert isinstance(fault, errors.NotFound), bounds


async def test_pages_go_on_with_a_renewed_grant(
    ann: Client, task: TaskSide, running: app.Running[Settings]
) -> None:
    media = await task.media(await ann.upload(photos("a.jpg", "b.jpg", "c.jpg")))
    request = media_service_pb2.ListFramesRequest(media_id=media.id, page_size=2)
    request.grant = granted(running, media.id, last=2)
    page = await ann.media.ListFrames(request)
    request.page_token, request.grant = page.next_page_token, granted(running, media.id, last=3)
    assert [frame.name for frame in (await ann.media.ListFrames(request)).frames] == ["c.jpg"]


async def test_a_page_token_opens_no_frames(
    ann: Client, task: TaskSide, running: app.Running[Settings]
) -> None:
    """Anybody can make one, whatever it says."""
    media = await task.media(await ann.upload(photos("a.jpg", "b.jpg", "c.jpg", "d.jpg")))
    grant = granted(running, media.id, first=2, last=3)
    request = media_service_pb2.ListFramesRequest(media_id=media.id, first=2)
    for after, names in ((0, ["c.jpg", "d.jpg"]), (1, ["c.jpg", "d.jpg"]), (2, ["d.jpg"]), (3, [])):
        token = paging.encode([after], request)
        sent = media_service_pb2.ListFramesRequest(media_id=media.id, first=2, grant=grant, page_token=token)
        assert [frame.name for frame in (await ann.media.ListFrames(sent)).frames] == names
    for values in ([-1], [-2], ["x"], [], [True], [1, 1]):
        fault = await refused(
            frames(ann, media.id, first=2, grant=grant, page_token=paging.encode(values, request))
        )
        assert isinstance(fault, errors.InvalidArgument), values


async def test_without_a_grant_media_is_not_there(
    ann: Client, ben: Client, task: TaskSide, running: app.Running[Settings]
) -> None:
    """Absent and forbidden answer alike, even to who uploaded the files."""
    media = await task.media(await ann.upload(photos("a.jpg")))
    good = granted(running, media.id)
    foreign = Grants(["another key that is as long as it must be"]).sign(
        MediaGrant(media_id=UUID(media.id), first=0, last=3, user_id=1)
    )
    attempts = [
        (ann, ""),
        (ann, "nonsense"),
        (ann, good[:-2]),
        (ann, foreign),
        (ann, granted(running, str(ids.uuid7()))),
        (ben, good),
    ]
    for client, grant in attempts:
        for call in (get(client, media.id, grant), frames(client, media.id, grant=grant)):
            fault = await refused(call)
            assert isinstance(fault, errors.NotFound)
            assert fault.message == errors.NotFound("media", media.id).message
    absent = str(ids.uuid7())
    assert isinstance(await refused(get(ann, absent, granted(running, absent))), errors.NotFound)


async def test_what_is_no_id_is_not_there(export: Client) -> None:
    for name in ("", "x", "7" * 5_000):
        assert isinstance(await refused(get(export, name)), errors.NotFound)


async def test_wrong_ranges_name_their_field(ann: Client, export: Client, task: TaskSide) -> None:
    media = await task.media(await ann.upload(photos("a.jpg", "b.jpg")))
    for bounds, field in (
        ({"first": -1}, "first"),
        ({"first": 1, "last": 0}, "last"),
        ({"page_size": -1}, "page_size"),
    ):
        fault = await refused(frames(export, media.id, **bounds))
        assert isinstance(fault, errors.InvalidArgument)
        assert [violation.field for violation in fault.violations] == [field]
    assert isinstance(await refused(frames(export, media.id, first=2)), errors.OutOfRange)
    assert isinstance(await refused(frames(export, media.id, page_token="x")), errors.InvalidArgument)


async def test_media_that_failed_says_so_and_has_no_frames(
    ann: Client, export: Client, task: TaskSide
) -> None:
    media_id = await task.request(await ann.upload({"a.txt": b"x"}))
    await task.outcome(media_id)
    assert (await get(export, media_id)).state == media_pb2.MEDIA_STATE_FAILED
    assert (await refused(frames(export, media_id))).reason == "MEDIA_NOT_READY"


async def test_nobody_reads_without_a_token(running: app.Running[Settings]) -> None:
    async with rpc.channel(running.address) as channel:
        stub = media_service_pb2_grpc.MediaServiceStub(channel)
        fault = await refused(stub.GetMedia(media_service_pb2.GetMediaRequest(media_id=str(ids.uuid7()))))
    assert isinstance(fault, errors.Unauthenticated)
