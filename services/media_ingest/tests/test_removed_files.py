"""Files that are taken out of an open upload."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator

from frameyard.media.v1 import upload_service_pb2 as messages
from frameyard.media.v1.upload_service_pb2 import NewUploadFile
from yard.media_ingest.domain.uploads import PART_BYTES
from yard.media_ingest.settings import Settings
from yard.runtime import app, errors
from yard.testkit import eventually
from yard.testkit.refusals import refusal

from services.media_ingest.tests.neighbours import Client, stream
from services.media_ingest.tests.packs import entry, keys, send
from services.media_ingest.tests.packs import stream as packed
from services.media_ingest.tests.stored import content


async def is_free(running: app.Running[Settings], upload: messages.Upload) -> bool:
    left = await running.runtime.db.fetchval("SELECT count(*) FROM upload_leftover")
    return left == 0 and await keys(running, upload) == []


async def total_bytes(running: app.Running[Settings]) -> int:
    return int(await running.runtime.db.fetchval("SELECT total_bytes FROM upload"))


async def test_a_file_goes_with_its_bytes_and_the_others_stay(
    ann: Client, running: app.Running[Settings]
) -> None:
    long = os.urandom(PART_BYTES + 5)
    upload = await ann.open({"long.mp4": long, "a.jpg": b"aa", "b.jpg": b"b"}, slot="tasks/1/data")
    await ann.send(upload, 0, long[: PART_BYTES + 3])
    await ann.remove(upload, 0)
    await refusal(ann.file(upload, 0), errors.NotFound)
    await refusal(ann.remove(upload, 0), errors.NotFound)
    await eventually(lambda: is_free(running, upload))
    assert await total_bytes(running) == 3
    await ann.send(upload, 1, b"aa")
    await ann.send(upload, 2, b"b")
    await ann.finish(upload)
    assert [file.name for file in (await ann.get(upload)).files] == ["a.jpg", "b.jpg"]
    assert await content(running, upload, 2) == b"b"


async def test_a_number_is_never_that_of_another_file(ann: Client) -> None:
    upload = await ann.open({"a.jpg": b"a", "b.jpg": b"b"})
    await ann.remove(upload, 1)
    await ann.remove(upload, 0)
    [added] = await ann.add(upload, NewUploadFile(name="b.jpg", size_bytes=1))
    assert added.number == 2
    await refusal(ann.file(upload, 1), errors.NotFound)


async def test_what_has_come_of_a_file_without_length_counts_no_more(
    ann: Client, running: app.Running[Settings]
) -> None:
    upload = await ann.open({}, slot="tasks/1/data")
    await ann.add(upload, NewUploadFile(name="a.bin", size_unknown=True))
    await ann.send(upload, 0, b"12345")
    assert await total_bytes(running) == 5
    await ann.remove(upload, 0)
    assert await total_bytes(running) == 0
    await eventually(lambda: is_free(running, upload))


async def test_a_pack_stays_as_long_as_one_of_its_files(ann: Client, running: app.Running[Settings]) -> None:
    upload = await ann.open({"a.jpg": b"aa", "b.jpg": b"bb"})
    await send(ann, packed(upload, [(0, b"aa"), (1, b"bb")]))
    await ann.remove(upload, 0)
    assert await content(running, upload, 1) == b"bb"
    await ann.remove(upload, 1)
    await eventually(lambda: is_free(running, upload))


async def test_streams_of_a_file_that_is_gone_are_told(ann: Client, running: app.Running[Settings]) -> None:
    upload = await ann.open({"a.bin": b"old", "b.bin": bytes(2 * PART_BYTES)})
    begun, may_end = [asyncio.Event(), asyncio.Event()], asyncio.Event()

    async def in_a_pack() -> AsyncIterator[messages.UploadFilesRequest]:
        yield messages.UploadFilesRequest(upload_id=upload.id)
        yield entry(0)
        yield messages.UploadFilesRequest(content=b"o")
        begun[0].set()
        await may_end.wait()
        yield messages.UploadFilesRequest(content=b"ld")

    async def alone() -> AsyncIterator[messages.UploadFileRequest]:
        async for request in stream(upload.id, 1, bytes(2 * PART_BYTES)):
            yield request
            if request.WhichOneof("part") == "content" and not may_end.is_set():
                begun[1].set()
                await may_end.wait()

    losing = [
        asyncio.ensure_future(ann.uploads.UploadFiles(in_a_pack())),
        asyncio.ensure_future(ann.uploads.UploadFile(alone())),
    ]
    await asyncio.gather(*(event.wait() for event in begun))
    has_writer = "SELECT bool_or(writer IS NOT NULL) FROM upload_file"
    await eventually(lambda: running.runtime.db.fetchval(has_writer))
    for number in range(2):
        await ann.remove(upload, number)
    may_end.set()
    for stopped in losing:
        await refusal(stopped, errors.YardError)
    await eventually(lambda: is_free(running, upload))


async def test_only_the_maker_of_an_open_upload_removes(ann: Client, ben: Client) -> None:
    upload = await ann.open({"a.jpg": b""})
    await refusal(ben.remove(upload, 0), errors.NotFound)
    await refusal(ann.remove(upload, 7), errors.NotFound)
    await ann.finish(upload)
    fault = await refusal(ann.remove(upload, 0), errors.FailedPrecondition)
    assert fault.reason == "UPLOAD_FINISHED"
    assert len((await ann.get(upload)).files) == 1
