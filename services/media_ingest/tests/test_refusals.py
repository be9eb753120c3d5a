from __future__ import annotations

from typing import Any

import pytest
from frameyard.media.v1 import media_pb2
from frameyard.media.v1.media_events_pb2 import MediaFailed
from yard.media.hard_clips import FRAMES
from yard.media_ingest.settings import Settings
from yard.runtime import app, errors, ids
from yard.testkit import eventually

from services.media_ingest.tests.contents import clip, photo, photos
from services.media_ingest.tests.neighbours import Client, TaskSide

SHARE = media_pb2.MediaSource(share=media_pb2.ShareSource(share="nas"))
REMOTE = media_pb2.MediaSource(remote=media_pb2.RemoteSource(urls=["ftp://example.org/a.mp4"]))


def fields(fault: errors.YardError) -> list[str]:
    assert isinstance(fault, errors.InvalidArgument), fault
    return [violation.field for violation in fault.violations]


NO_MEDIA: list[tuple[dict[str, bytes], list[str], str]] = [
    ({"film.mp4": b"just a text\n" * 99}, ["film.mp4"], "is neither an image nor a video"),
    ({"film.mp4": b""}, ["film.mp4"], "is empty"),
    ({"a.jpg": b"", "b.txt": b"x"}, ["a.jpg", "b.txt"], "is empty"),
    ({"a.jpg": photo()[:50]}, ["a.jpg"], "ends after 50 bytes, before what its header promises"),
    ({"a.mp4": clip(), "b.mp4": clip("open_gop")}, ["b.mp4"], "second video"),
    ({"a.jpg": photo(), "b.mp4": clip()}, ["b.mp4"], "video among images"),
    ({"a.zip": b"PK\x03\x04" + bytes(40)}, ["a.zip"], "is a zip without its directory"),
    ({"a.pdf": b"%PDF-1.7 and so on"}, ["a.pdf"], "is not a PDF that can be read"),
]


async def test_files_that_are_no_media_are_named(ann: Client, task: TaskSide) -> None:
    for files, named, words in NO_MEDIA:
        fault = await task.refusal(await ann.upload(files))
        assert fields(fault) == named
        assert words in fault.message
        assert fault.metadata["file"] == named[0]


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [
        (clip()[:60_000], "TRUNCATED", "is cut off: 60000 of at least"),
        (clip()[:40] + bytes(20_000), "INVALID_MEDIA", "cannot be opened as a video"),
    ],
)
async def test_a_video_that_cannot_be_read_is_named(
    content: bytes, code: str, words: str, ann: Client, task: TaskSide
) -> None:
    fault = await task.refusal(await ann.upload({"a/film.mp4": content}))
    assert fields(fault) == ["a/film.mp4"]
    assert (fault.reason, fault.metadata["file"]) == (code, "a/film.mp4")
    assert f"a/film.mp4: {words}" in fault.message


@pytest.mark.parametrize("files", [{"film.mp4": clip()}, photos(*(f"{n}.jpg" for n in range(FRAMES)))])
async def test_a_selection_of_nothing_is_refused_with_its_numbers(
    files: dict[str, bytes], ann: Client, task: TaskSide
) -> None:
    upload = await ann.upload(files)
    fault = await task.refusal(upload, start_frame=FRAMES, stop_frame=FRAMES + 9, frame_step=2)
    assert fields(fault) == ["data.start_frame"]
    assert f"start={FRAMES}, stop={FRAMES + 9}, step=2 select nothing of {FRAMES} source" in fault.message


async def test_all_that_is_wrong_is_told_at_once(ann: Client, task: TaskSide) -> None:
    data: dict[str, Any] = {
        "sources": [SHARE, REMOTE, media_pb2.MediaSource()],
        "image_quality": 4,
        "start_frame": -1,
        "stop_frame": -2,
        "frame_step": 0,
        "chunk_size": 0,
        "pdf_dpi": 35,
    }
    fault = await task.refusal(**data)
    assert sorted(fields(fault)) == [
        "data.chunk_size",
        "data.frame_step",
        "data.image_quality",
        "data.pdf_dpi",
        "data.sources[0].share.paths",
        "data.sources[1].remote.urls[0]",
        "data.sources[2]",
        "data.start_frame",
        "data.stop_frame",
    ]


async def test_a_stop_before_the_start_is_refused(ann: Client, task: TaskSide) -> None:
    fault = await task.refusal(await ann.upload(photos("a.jpg")), start_frame=5, stop_frame=0)
    assert fields(fault) == ["data.stop_frame"]
    assert "must not be before the start 5, got 0" in fault.message


async def test_media_needs_a_source(ann: Client, task: TaskSide) -> None:
    assert fields(await task.refusal()) == ["data.sources"]


async def test_uploads_must_be_finished(ann: Client, task: TaskSide) -> None:
    upload = await ann.open({"a.jpg": photo()})
    fault = await task.refusal(upload)
    assert isinstance(fault, errors.FailedPrecondition)
    assert fault.reason == "UPLOAD_NOT_FINISHED"


async def test_uploads_must_be_those_of_who_asks(ann: Client, ben: Client, task: TaskSide) -> None:
    """What is absent and what belongs to others answers alike."""
    for upload_id in (str(ids.uuid7()), (await ben.upload(photos("a.jpg"))).id):
        source = media_pb2.MediaSource(upload=media_pb2.UploadSource(upload_id=upload_id))
        fault = await task.refusal(sources=[source])
        assert isinstance(fault, errors.NotFound)
        assert (fault.kind, fault.name) == ("upload", upload_id)


@pytest.mark.parametrize("count", [1, 2])
async def test_upload_ids_must_be_ids_and_different(count: int, ann: Client, task: TaskSide) -> None:
    upload_id = (await ann.upload(photos("a.jpg"))).id if count == 2 else "no-uuid"
    source = media_pb2.MediaSource(upload=media_pb2.UploadSource(upload_id=upload_id))
    assert fields(await task.refusal(sources=[source] * count)) == ["data.sources"]


async def test_one_name_in_two_uploads_is_refused(ann: Client, task: TaskSide) -> None:
    uploads = [await ann.upload(photos("a.jpg")) for _ in range(2)]
    fault = await task.refusal(*uploads)
    assert fields(fault) == ["a.jpg"]
    assert "is the name of two files" in fault.message


async def test_a_refusal_leaves_nothing_half_done(
    ann: Client, task: TaskSide, running: app.Running[Settings]
) -> None:
    upload = await ann.upload(photos(*(f"{number}.jpg" for number in range(6))))
    media_id = await task.request(upload, start_frame=6)
    assert isinstance(await task.outcome(media_id), MediaFailed)
    db = running.runtime.db
    assert await db.fetchval("SELECT state FROM media") == "FAILED"
    assert await db.fetchval("SELECT state FROM operation") == "FAILED"
    assert await db.fetchval("SELECT uses FROM upload") == 0
    await eventually(lambda: _is_free(running, media_id))
    again = await task.media(upload)
    assert again.size == 6
    assert len(task.told(media_id)) == 1


async def _is_free(running: app.Running[Settings], media_id: str) -> bool:
    """But for the results, which tell why."""
    left = [blob.key async for blob in running.runtime.blobs.list(f"media/{media_id}/")]
    rows = await running.runtime.db.fetchval("SELECT count(*) FROM index_batch")
    return left == [f"media/{media_id}/results"] and not rows
