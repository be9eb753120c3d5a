"""Uploads that are found by their place, and files that are added to them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from frameyard.media.v1 import upload_service_pb2 as messages
from frameyard.media.v1.upload_service_pb2 import NewUploadFile
from prometheus_client import REGISTRY
from yard.media_ingest.domain.uploads import PART_BYTES
from yard.media_ingest.service import SERVICE
from yard.media_ingest.settings import Settings
from yard.media_ingest.store.uploads import given_files
from yard.runtime import app, auth, clock, errors, ids
from yard.testkit import eventually
from yard.testkit.fixtures import OpenChannel
from yard.testkit.refusals import refusal

from services.media_ingest.tests.conftest import ANN
from services.media_ingest.tests.neighbours import Client, stream
from services.media_ingest.tests.packs import entry, keys, send
from services.media_ingest.tests.packs import stream as packed
from services.media_ingest.tests.stored import content

SLOT = "tasks/12/data"


def new(name: str, size: int = 0, **fields: Any) -> NewUploadFile:
    return NewUploadFile(name=name, size_bytes=size, **fields)


def received_bytes() -> float:
    return REGISTRY.get_sample_value("frameyard_media_received_bytes_total", {"way": "upload"}) or 0.0


@pytest.fixture
async def twin(
    settings: Settings, running: app.Running[Settings], issuer: auth.TokenIssuer, open_channel: OpenChannel
) -> AsyncIterator[Client]:
    """Ann at a second replica."""
    async with app.serving(SERVICE, settings) as second:
        yield Client.over(open_channel(second.address, issuer.issue(ANN).token))


async def test_a_slot_holds_one_open_upload_a_caller(ann: Client, ben: Client) -> None:
    upload = await ann.open({}, slot=SLOT)
    assert upload.slot == SLOT
    assert [*upload.files] == []
    await ann.add(upload, new("a.jpg", 3))
    again = await ann.open({"b.jpg": b"1"}, slot=SLOT, request_id=str(ids.uuid7()))
    assert again.id == upload.id
    assert [file.name for file in again.files] == ["a.jpg"]
    assert (await ben.open({}, slot=SLOT)).id != upload.id
    assert (await ann.open({}, slot="tasks/13/data")).id != upload.id


async def test_a_slot_is_free_again_when_its_upload_is_finished_deleted_or_past_its_time(
    ann: Client, running: app.Running[Settings]
) -> None:
    first = await ann.open({}, slot=SLOT)
    await ann.finish(first)
    second = await ann.open({}, slot=SLOT)
    await ann.uploads.DeleteUpload(messages.DeleteUploadRequest(id=second.id))
    third = await ann.open({}, slot=SLOT)
    await running.runtime.db.execute(
        "UPDATE upload SET expires_at = $1 WHERE state = 'OPEN'", clock.now() - timedelta(seconds=1)
    )
    fourth = await ann.open({}, slot=SLOT)
    assert len({first.id, second.id, third.id, fourth.id}) == 4
    await refusal(ann.get(third), errors.NotFound)


async def test_a_slot_shows_its_open_upload_or_the_last_that_was_finished(
    ann: Client, ben: Client, running: app.Running[Settings]
) -> None:
    async def last(who: Client) -> messages.Upload:
        return (await who.uploads.GetUpload(messages.GetUploadRequest(slot=SLOT))).upload

    await refusal(last(ann), errors.NotFound)
    first = await ann.open({"a.jpg": b"", "b.jpg": b""}, slot=SLOT)
    assert (await last(ann)).id == first.id
    await ann.finish(first)
    assert (await last(ann)).state == messages.UPLOAD_STATE_FINISHED
    await refusal(last(ben), errors.NotFound)
    second = await ann.open({}, slot=SLOT)
    assert (await last(ann)).id == second.id
    await ann.finish(second)
    assert (await last(ann)).id == second.id
    both = messages.GetUploadRequest(slot=SLOT, id=first.id)
    await refusal(ann.uploads.GetUpload(both), errors.InvalidArgument)
    await running.runtime.db.execute("UPDATE upload SET expires_at = $1", clock.now() - timedelta(seconds=1))
    await refusal(last(ann), errors.NotFound)
    await running.runtime.db.execute("UPDATE upload SET uses = 1 WHERE id = $1", UUID(first.id))
    assert (await last(ann)).id == first.id


async def test_a_finished_upload_is_put_in_another_order_until_it_is_used(
    ann: Client, running: app.Running[Settings]
) -> None:
    upload = await ann.open({"a.jpg": b"", "b.jpg": b"", "c.jpg": b""})

    async def order() -> list[str]:
        return [file.name for file in await given_files(running.runtime.db, UUID(upload.id))]

    await ann.finish(upload, "b.jpg", "a.jpg")
    assert await order() == ["b.jpg", "a.jpg", "c.jpg"]
    await ann.finish(upload, "c.jpg")
    await ann.finish(upload)
    assert await order() == ["c.jpg", "a.jpg", "b.jpg"]
    await running.runtime.db.execute("UPDATE upload SET uses = 1")
    await ann.finish(upload, "b.jpg")
    assert await order() == ["c.jpg", "a.jpg", "b.jpg"]


async def test_two_replicas_at_once_make_one_upload_in_a_slot(ann: Client, twin: Client) -> None:
    opened = await asyncio.gather(*(client.open({}, slot=SLOT) for client in (ann, twin) * 8))
    assert len({upload.id for upload in opened}) == 1


async def test_replicas_add_files_at_the_same_time(ann: Client, twin: Client) -> None:
    upload = await ann.open({}, slot=SLOT)
    names = [f"{number}.jpg" for number in range(40)]
    added = await asyncio.gather(
        *((ann, twin)[number % 2].add(upload, new(name, 1)) for number, name in enumerate(names))
    )
    assert sorted(file.number for [file] in added) == [*range(40)]
    assert sorted(file.name for file in (await ann.get(upload)).files) == sorted(names)


async def test_a_slot_and_files_are_checked_together(ann: Client) -> None:
    request = messages.CreateUploadRequest(
        slot="x" * 200 + "\n", files=[new("../a", 1), new("b", 3, size_unknown=True)]
    )
    fault = await refusal(ann.uploads.CreateUpload(request), errors.InvalidArgument)
    fields = [violation.field for violation in fault.violations]
    assert fields == ["slot", "slot", "files[0].name", "files[1].size_bytes"]
    await refusal(ann.open({}), errors.InvalidArgument)


async def test_added_files_get_the_next_numbers_in_the_order_given(ann: Client) -> None:
    upload = await ann.open({"a.jpg": b"12"})
    added = await ann.add(upload, new("c.jpg", 3), new("a.jpg", 4), new("ä/b.jpg", sha256="A" * 64))
    assert [(file.number, file.name, file.size_bytes, file.is_complete) for file in added] == [
        (1, "c.jpg", 3, False),
        (0, "a.jpg", 4, False),
        (2, "ä/b.jpg", 0, True),
    ]
    assert [*(await ann.get(upload)).files] == sorted(added, key=lambda file: file.number)
    assert await ann.file(upload, 2) == added[2]


async def test_a_file_that_is_not_complete_begins_again_and_leaves_nothing(
    ann: Client, running: app.Running[Settings]
) -> None:
    """One with parts and a tail, and one with a tail only; streams of before can add nothing any more."""
    upload = await ann.open({"long.mp4": bytes(2 * PART_BYTES), "short.jpg": b"12345"})
    await ann.send(upload, 0, bytes(PART_BYTES))
    await ann.send(upload, 0, bytes(5), PART_BYTES)
    await ann.send(upload, 1, b"123")
    assert len(await keys(running, upload)) == 2
    right = os.urandom(PART_BYTES + 7)
    await ann.add(upload, new("long.mp4", len(right)), new("short.jpg", 2))
    assert [file.received_bytes for file in (await ann.get(upload)).files] == [0, 0]
    await eventually(lambda: _is_free(running, upload))
    await ann.send(upload, 0, right)
    await ann.send(upload, 1, b"ab")
    await ann.finish(upload)
    assert await content(running, upload, 0) == right
    assert await content(running, upload, 1) == b"ab"
    assert await running.runtime.db.fetchval("SELECT total_bytes FROM upload") == len(right) + 2


async def _is_free(running: app.Running[Settings], upload: messages.Upload) -> bool:
    left = await running.runtime.db.fetchval("SELECT count(*) FROM upload_leftover")
    return left == 0 and await keys(running, upload) == []


async def test_a_stream_of_before_is_fenced_off(ann: Client, running: app.Running[Settings]) -> None:
    upload = await ann.open({"a.bin": bytes(2 * PART_BYTES)})
    is_begun, may_go_on = asyncio.Event(), asyncio.Event()

    async def slowly() -> AsyncIterator[messages.UploadFileRequest]:
        async for request in stream(upload.id, 0, bytes(2 * PART_BYTES)):
            yield request
            if request.WhichOneof("part") == "content" and not is_begun.is_set():
                is_begun.set()
                await may_go_on.wait()

    losing = asyncio.ensure_future(ann.uploads.UploadFile(slowly()))
    await is_begun.wait()
    has_writer = "SELECT writer IS NOT NULL FROM upload_file"
    await eventually(lambda: running.runtime.db.fetchval(has_writer))
    await ann.add(upload, new("a.bin", 3))
    may_go_on.set()
    fault = await refusal(losing, errors.Conflict)
    assert fault.reason == "UPLOAD_REPLACED"
    await ann.send(upload, 0, b"new")
    assert await content(running, upload) == b"new"


async def test_a_pack_of_before_does_not_complete_a_file_that_began_again(
    ann: Client, running: app.Running[Settings]
) -> None:
    upload = await ann.open({"a.bin": b"old"})
    may_end, before = asyncio.Event(), received_bytes()

    async def slowly() -> AsyncIterator[messages.UploadFilesRequest]:
        yield messages.UploadFilesRequest(upload_id=upload.id)
        yield entry(0)
        yield messages.UploadFilesRequest(content=b"o")
        await may_end.wait()
        yield messages.UploadFilesRequest(content=b"ld")

    losing = asyncio.ensure_future(ann.uploads.UploadFiles(slowly()))
    await eventually(lambda: received_bytes() > before)
    await ann.add(upload, new("a.bin", 3))
    may_end.set()
    await refusal(losing, errors.Conflict)
    assert (await ann.file(upload, 0)).received_bytes == 0
    assert await send(ann, packed(upload, [(0, b"new")])) == 1
    assert await content(running, upload) == b"new"


async def test_a_complete_file_is_replaced_only_if_asked(ann: Client, running: app.Running[Settings]) -> None:
    upload = await ann.open({"a.jpg": b"old", "empty.txt": b""})
    await ann.send(upload, 0, b"old")
    fault = await refusal(
        ann.add(upload, new("new.jpg", 1), new("a.jpg", 3), new("empty.txt", 0)), errors.AlreadyExists
    )
    assert fault.metadata["file"] == "a.jpg"
    assert len((await ann.get(upload)).files) == 2
    await ann.add(upload, new("empty.txt"))
    [file] = await ann.add(upload, new("a.jpg", 5), replace=True)
    assert (file.number, file.is_complete) == (0, False)
    await eventually(lambda: _is_free(running, upload))
    await ann.send(upload, 0, b"newer")
    assert await content(running, upload) == b"newer"


async def test_a_pack_goes_with_the_last_of_its_files(ann: Client, running: app.Running[Settings]) -> None:
    upload = await ann.open({"a.jpg": b"aa", "b.jpg": b"bb"})
    await send(ann, packed(upload, [(0, b"aa"), (1, b"bb")]))
    [pack] = await keys(running, upload)
    await ann.add(upload, new("a.jpg", 1), replace=True)
    await ann.send(upload, 0, b"A")
    assert pack in await keys(running, upload)
    assert await content(running, upload, 1) == b"bb"
    await ann.add(upload, new("b.jpg", 1), replace=True)
    await eventually(lambda: _is_gone(running, upload, pack))
    assert await content(running, upload, 0) == b"A"


async def _is_gone(running: app.Running[Settings], upload: messages.Upload, key: str) -> bool:
    return key not in await keys(running, upload)


async def test_only_the_maker_of_an_open_upload_adds_files(ann: Client, ben: Client) -> None:
    upload = await ann.open({"a.jpg": b""})
    await refusal(ben.add(upload, new("b.jpg")), errors.NotFound)
    await refusal(ben.file(upload, 0), errors.NotFound)
    await refusal(ann.file(upload, 1), errors.NotFound)
    await refusal(ann.add(upload, new("b.jpg"), new("b.jpg")), errors.InvalidArgument)
    await refusal(ann.add(upload), errors.InvalidArgument)
    await ann.finish(upload)
    fault = await refusal(ann.add(upload, new("b.jpg")), errors.FailedPrecondition)
    assert fault.reason == "UPLOAD_FINISHED"
    request = messages.GetUploadFileRequest(upload_id=upload.id)
    assert (await ann.uploads.GetUploadFile(request)).state == messages.UPLOAD_STATE_FINISHED
