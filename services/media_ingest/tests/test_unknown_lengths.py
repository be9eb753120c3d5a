"""Files whose length is known when they end: a stream that was cut must not look like one that has ended."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator

import pytest
from frameyard.media.v1 import upload_service_pb2 as messages
from frameyard.media.v1.upload_service_pb2 import NewUploadFile
from yard.media_ingest.domain.uploads import LEAST_PART_BYTES, PART_BYTES
from yard.media_ingest.settings import Settings
from yard.media_ingest.store import receiving as receiving_store
from yard.runtime import app, auth, errors
from yard.testkit import eventually
from yard.testkit.fixtures import SettingsFor
from yard.testkit.refusals import refusal

from services.media_ingest.tests.neighbours import Client, stream
from services.media_ingest.tests.packs import keys, send
from services.media_ingest.tests.packs import stream as packed
from services.media_ingest.tests.stored import content

QUOTA = 6 * PART_BYTES
MOST = 4 * PART_BYTES


@pytest.fixture
def settings(settings_for: SettingsFor, issuer: auth.TokenIssuer) -> Settings:
    return settings_for(
        Settings, jwks=issuer.jwks, upload_max_bytes=MOST, upload_quota_bytes=QUOTA, index_batch_files=4
    )


async def opened(client: Client, name: str = "a.bin", sha256: str = "") -> messages.Upload:
    file = NewUploadFile(name=name, size_unknown=True, sha256=sha256)
    return (await client.uploads.CreateUpload(messages.CreateUploadRequest(files=[file]))).upload


async def counted(running: app.Running[Settings]) -> int:
    return int(await running.runtime.db.fetchval("SELECT sum(total_bytes)::bigint FROM upload"))


@pytest.mark.parametrize("size", [0, 1, PART_BYTES, 2 * PART_BYTES + 12_345, 3 * PART_BYTES])
async def test_a_file_ends_where_its_stream_says(
    ann: Client, running: app.Running[Settings], size: int
) -> None:
    body = os.urandom(size)
    upload = await opened(ann)
    file = await ann.end(upload, 0, body)
    assert (file.size_bytes, file.received_bytes, file.is_complete) == (size, size, True)
    assert await ann.end(upload, 0, b"", size) == file
    assert [*(await ann.get(upload)).files] == [file]
    assert len(await keys(running, upload)) == (1 if size else 0)
    assert await counted(running) == size
    await ann.finish(upload)
    assert await content(running, upload) == body


async def test_a_stream_without_an_end_completes_nothing_and_the_next_goes_on(
    ann: Client, running: app.Running[Settings]
) -> None:
    body = os.urandom(PART_BYTES + 100)
    upload = await opened(ann)
    for start, stop in ((0, 10), (10, PART_BYTES), (PART_BYTES, PART_BYTES + 50)):
        file = await ann.send(upload, 0, body[start:stop], start)
        assert (file.received_bytes, file.is_complete, file.size_bytes) == (stop, False, 0)
        assert await counted(running) == stop
    fault = await refusal(ann.finish(upload), errors.FailedPrecondition)
    assert fault.message == f"a.bin: {PART_BYTES + 50} of an unknown number of bytes have arrived"
    await ann.end(upload, 0, body[PART_BYTES + 50 :], PART_BYTES + 50)
    assert await content(running, upload) == body
    assert len(await keys(running, upload)) == 1


async def test_a_cut_connection_does_not_end_a_file(ann: Client, running: app.Running[Settings]) -> None:
    body = os.urandom(PART_BYTES + LEAST_PART_BYTES + 1_000)
    upload = await opened(ann)
    is_sent = asyncio.Event()

    async def requests() -> AsyncIterator[messages.UploadFileRequest]:
        async for request in stream(upload.id, 0, body):
            yield request
        is_sent.set()
        await asyncio.Event().wait()

    call = ann.uploads.UploadFile(requests())
    await is_sent.wait()
    await eventually(lambda: _received(ann, upload, PART_BYTES))
    call.cancel()
    await eventually(lambda: _received(ann, upload, PART_BYTES + 1))
    file = await ann.file(upload, 0)
    assert not file.is_complete
    await ann.end(upload, 0, body[file.received_bytes :], file.received_bytes)
    assert await content(running, upload) == body


async def _received(client: Client, upload: messages.Upload, least: int) -> bool:
    return (await client.file(upload, 0)).received_bytes >= least


async def test_an_end_that_is_not_there_is_refused(ann: Client) -> None:
    unknown, known = await opened(ann), await ann.open({"b.bin": b"1234"})

    async def told(upload: messages.Upload, size: int, more: bytes = b"") -> object:
        async def requests() -> AsyncIterator[messages.UploadFileRequest]:
            async for request in stream(upload.id, 0, b"1234"):
                yield request
            yield messages.UploadFileRequest(end=messages.UploadFileEnd(size_bytes=size))
            if more:
                yield messages.UploadFileRequest(content=more)

        return await ann.uploads.UploadFile(requests())

    for call, field in (
        (told(unknown, 5), "end.size_bytes"),
        (told(unknown, 4, b"5"), "end"),
        (told(known, 3), "end.size_bytes"),
    ):
        fault = await refusal(call, errors.InvalidArgument)
        assert [violation.field for violation in fault.violations] == [field]
    assert not (await ann.file(unknown, 0)).is_complete
    await told(unknown, 4)
    await told(known, 4)
    assert (await ann.file(known, 0)).is_complete


async def test_a_declared_checksum_holds_and_a_wrong_file_starts_again(
    ann: Client, running: app.Running[Settings]
) -> None:
    right = os.urandom(PART_BYTES + 10)
    upload = await opened(ann, sha256=hashlib.sha256(right).hexdigest())
    for wrong in (bytes(len(right)), b"", b"x"):
        fault = await refusal(ann.end(upload, 0, wrong), errors.InvalidArgument)
        assert [violation.field for violation in fault.violations] == ["files[0].sha256"]
        assert await counted(running) == 0
    await ann.end(upload, 0, right)
    assert await content(running, upload) == right


async def test_a_file_has_a_limit_and_a_user_a_quota(ann: Client, ben: Client) -> None:
    upload = await opened(ann)
    fault = await refusal(ann.end(upload, 0, bytes(MOST + 1)), errors.InvalidArgument)
    assert f"a.bin may have at most {MOST} bytes" in fault.message
    await ann.add(upload, NewUploadFile(name="a.bin", size_unknown=True))
    await ann.end(upload, 0, bytes(MOST))
    second = await opened(ann)
    fault = await refusal(ann.end(second, 0, bytes(4 * PART_BYTES)), errors.ResourceExhausted)
    assert fault.reason == "UPLOAD_QUOTA"
    assert (await ann.file(second, 0)).received_bytes <= 2 * PART_BYTES
    await ben.end(await opened(ben), 0, bytes(4 * PART_BYTES))


async def test_a_long_stream_that_is_refused_at_once_is_told_why(ann: Client) -> None:
    upload = await opened(ann)
    fault = await refusal(ann.send(upload, 0, bytes(4 * PART_BYTES), 7), errors.OutOfRange)
    assert fault.metadata["received_bytes"] == "0"
    await ann.end(upload, 0, b"")
    await ann.finish(upload)
    fault = await refusal(ann.send(upload, 0, bytes(4 * PART_BYTES)), errors.FailedPrecondition)
    assert fault.reason == "UPLOAD_FINISHED"


async def test_beginning_again_gives_the_quota_back(ann: Client, running: app.Running[Settings]) -> None:
    upload = await opened(ann)
    await ann.send(upload, 0, bytes(PART_BYTES + 3))
    await ann.add(upload, NewUploadFile(name="a.bin", size_unknown=True))
    assert await counted(running) == 0
    await ann.end(upload, 0, b"12")
    await ann.add(upload, NewUploadFile(name="a.bin", size_bytes=5), replace=True)
    assert await counted(running) == 5


async def test_other_ways_need_a_length(ann: Client) -> None:
    upload = await opened(ann)
    fault = await refusal(send(ann, packed(upload, [(0, b"1")])), errors.InvalidArgument)
    assert "send it with UploadFile" in fault.message


async def test_a_crash_after_the_parts_were_joined_loses_nothing(
    ann: Client, running: app.Running[Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process dies between joining the parts and noting it; the client sends the last bytes again."""
    body = os.urandom(2 * PART_BYTES + 10)
    upload = await opened(ann)

    async def die(*_: object, **__: object) -> bool:
        raise errors.Unavailable("killed")

    with monkeypatch.context() as patch:
        patch.setattr(receiving_store, "complete", die)
        await refusal(ann.end(upload, 0, body), errors.Unavailable)
    assert (await ann.file(upload, 0)).received_bytes == PART_BYTES
    await ann.end(upload, 0, body[PART_BYTES:], PART_BYTES)
    assert await content(running, upload) == body
