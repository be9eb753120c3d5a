"""Streams of files that are cut, killed, doubled or overtaken."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest
from frameyard.media.v1 import upload_service_pb2 as messages
from yard.media_ingest.domain.uploads import PART_BYTES
from yard.media_ingest.handlers import expiry, packer
from yard.media_ingest.handlers.context import Ingest
from yard.media_ingest.settings import Settings
from yard.media_ingest.store import packs as store
from yard.runtime import app, errors
from yard.testkit import eventually
from yard.testkit.refusals import refusal

from services.media_ingest.tests.neighbours import Client
from services.media_ingest.tests.packs import (
    bodies,
    complete,
    content,
    entry,
    keys,
    opened,
    read,
    send,
    stream,
)


async def test_a_cut_keeps_the_whole_files_that_came_before_it(
    ann: Client, running: app.Running[Settings]
) -> None:
    files = bodies(PART_BYTES, 2_000_000, 3_000_000)
    upload = await opened(ann, files)

    async def requests() -> AsyncIterator[messages.UploadFilesRequest]:
        async for request in stream(upload, [(0, files[0]), (1, files[1])]):
            yield request
        yield entry(2)
        yield content(files[2][:100])
        await asyncio.Event().wait()

    call = ann.uploads.UploadFiles(requests())
    await eventually(lambda: running.runtime.db.fetchval("SELECT count(*) = 1 FROM upload_pack"))
    assert await complete(ann, upload) == []
    call.cancel()

    async def kept() -> bool:
        return 0 in await complete(ann, upload)

    await eventually(kept)
    left = [number for number in range(3) if number not in await complete(ann, upload)]
    await send(ann, stream(upload, [(number, files[number]) for number in left]))
    await ann.finish(upload)
    assert await read(running, upload) == files


async def test_a_cut_while_a_full_pack_is_noted_costs_nothing(
    ann: Client, running: app.Running[Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    files = bodies(600_000, 600_000, 1)
    upload = await opened(ann, files)
    is_noting, may_note = asyncio.Event(), asyncio.Event()
    is_open_for = store.is_open_for

    async def slowly(*arguments: Any) -> bool:
        is_noting.set()
        await may_note.wait()
        return await is_open_for(*arguments)

    monkeypatch.setattr(packer, "PACK_BYTES", 1_000_000)
    monkeypatch.setattr(store, "is_open_for", slowly)
    call = ann.uploads.UploadFiles(stream(upload, enumerate(files)))
    send_all = asyncio.ensure_future(answer(call))
    await is_noting.wait()
    call.cancel()
    with suppress(asyncio.CancelledError):
        await send_all
    may_note.set()

    async def kept() -> bool:
        return await complete(ann, upload) == [0, 1]

    await eventually(kept)
    assert (await read(running, upload))[:2] == files[:2]


async def answer(call: Any) -> object:
    return await call


async def test_of_two_streams_with_one_file_the_first_that_stores_it_wins(
    ann: Client, running: app.Running[Settings]
) -> None:
    mine, other = bodies(1_000, 1_000)
    upload = await opened(ann, [mine, b"1"])
    may_end = asyncio.Event()

    async def slowly() -> AsyncIterator[messages.UploadFilesRequest]:
        async for request in stream(upload, [(0, other)]):
            yield request
        await may_end.wait()

    async def slow() -> int:
        return await send(ann, slowly())

    slower = asyncio.create_task(slow())
    assert await send(ann, stream(upload, [(0, mine)])) == 1
    may_end.set()
    assert await slower == 1
    assert await read(running, upload) == [mine]
    assert len(await keys(running, upload)) == 1


async def test_of_a_single_stream_and_a_pack_one_is_told(ann: Client, running: app.Running[Settings]) -> None:
    single, packed = bodies(1_000, 1_000)
    upload = await opened(ann, [single])
    may_end = asyncio.Event()

    async def slowly() -> AsyncIterator[messages.UploadFilesRequest]:
        async for request in stream(upload, [(0, packed)]):
            yield request
        await may_end.wait()

    async def slow() -> int:
        return await send(ann, slowly())

    slower = asyncio.create_task(slow())
    await ann.send(upload, 0, single[:500])
    may_end.set()
    fault = await refusal(slower, errors.Conflict)
    assert fault.metadata["file"] == "0.bin"
    assert (await ann.send(upload, 0, single[500:], 500)).received_bytes == 1_000
    assert await read(running, upload) == [single]


async def test_an_upload_that_is_deleted_meanwhile_leaves_nothing(
    ann: Client, running: app.Running[Settings]
) -> None:
    files = bodies(PART_BYTES + 10, 100)
    upload = await opened(ann, files)
    may_end = asyncio.Event()

    async def slowly() -> AsyncIterator[messages.UploadFilesRequest]:
        async for request in stream(upload, enumerate(files)):
            yield request
        await may_end.wait()

    async def slow() -> int:
        return await send(ann, slowly())

    slower = asyncio.create_task(slow())
    await eventually(lambda: running.runtime.db.fetchval("SELECT count(*) = 1 FROM upload_pack"))
    await ann.uploads.DeleteUpload(messages.DeleteUploadRequest(id=upload.id))
    may_end.set()
    await refusal(slower, errors.NotFound)
    assert await keys(running, upload) == []
    assert await running.runtime.db.fetchval("SELECT count(*) FROM upload") == 0


async def die(*_: object, **__: object) -> None:
    raise errors.Unavailable("killed")


async def test_a_pack_that_was_not_noted_is_sent_again_and_freed(
    ann: Client, running: app.Running[Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process dies between the object of the pack and its rows."""
    files = bodies(PART_BYTES + 10, 100)
    upload = await opened(ann, files)
    with monkeypatch.context() as patch:
        patch.setattr(store, "complete_files", die)
        await refusal(send(ann, stream(upload, enumerate(files))), errors.Unavailable)
    assert await complete(ann, upload) == []
    assert await send(ann, stream(upload, enumerate(files))) == 2
    assert len(await keys(running, upload)) == 2
    await ann.finish(upload)
    await expiry.purge_uploads(Ingest(runtime=running.runtime))
    assert len(await keys(running, upload)) == 1
    assert await read(running, upload) == files
    assert await running.runtime.db.fetchval("SELECT count(*) FROM upload_pack") == 0


async def test_parts_of_a_pack_that_was_left_go_with_the_upload(
    ann: Client, running: app.Running[Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    files = bodies(PART_BYTES + 10, 100)
    upload = await opened(ann, files)

    async def slowly() -> AsyncIterator[messages.UploadFilesRequest]:
        async for request in stream(upload, enumerate(files)):
            yield request
        await eventually(lambda: running.runtime.db.fetchval("SELECT count(*) = 1 FROM upload_pack"))

    with monkeypatch.context() as patch:
        patch.setattr(packer, "free_pack", die)
        patch.setattr(packer.Packer, "flush", die)
        await refusal(send(ann, slowly()), errors.Unavailable)
    row = await running.runtime.db.fetchrow("SELECT blob_key, multipart_id FROM upload_pack")
    assert row is not None
    await ann.uploads.DeleteUpload(messages.DeleteUploadRequest(id=upload.id))
    parts = running.runtime.blobs.in_parts(row["blob_key"])
    with pytest.raises(errors.NotFound):
        await parts.put(row["multipart_id"], 3, b"x")
    assert await running.runtime.db.fetchval("SELECT count(*) FROM upload_pack") == 0
