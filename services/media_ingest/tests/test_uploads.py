import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from frameyard.media.v1 import upload_service_pb2 as messages
from yard.media_ingest.domain.uploads import LEAST_PART_BYTES, MIB, PART_BYTES
from yard.media_ingest.handlers import expiry
from yard.media_ingest.handlers.context import Ingest
from yard.media_ingest.settings import Settings
from yard.media_ingest.store import receiving as receiving_store
from yard.runtime import app, clock, errors, ids
from yard.testkit import eventually
from yard.testkit.refusals import refusal

from services.media_ingest.tests.neighbours import Client, stream

SLOW_KIND = """
CREATE FUNCTION take_long() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_sleep(1);
    RETURN NULL;
END $$;
CREATE TRIGGER take_long BEFORE UPDATE OF family ON upload_file
    FOR EACH STATEMENT EXECUTE FUNCTION take_long();
"""


async def stored(running: app.Running[Settings], upload: messages.Upload, number: int = 0) -> bytes:
    key = await running.runtime.db.fetchval(
        "SELECT blob_key FROM upload_file WHERE upload_id = $1::text::uuid AND number = $2", upload.id, number
    )
    return await running.runtime.blobs.get(key)


async def keys(running: app.Running[Settings], upload: messages.Upload) -> list[str]:
    return [found.key async for found in running.runtime.blobs.list(f"uploads/{upload.id}/")]


async def test_small_files_arrive_and_the_upload_is_closed(
    ann: Client, running: app.Running[Settings]
) -> None:
    files = {"a/1.bin": b"one", "a/2.bin": b"", "b.bin": os.urandom(3_000_000)}
    upload = await ann.upload(files)
    found = await ann.get(upload)
    assert found.state == messages.UPLOAD_STATE_FINISHED
    assert [(file.number, file.name, file.size_bytes, file.received_bytes) for file in found.files] == [
        (0, "a/1.bin", 3, 3),
        (1, "a/2.bin", 0, 0),
        (2, "b.bin", 3_000_000, 3_000_000),
    ]
    assert await stored(running, upload, 0) == b"one"
    assert await stored(running, upload, 2) == files["b.bin"]
    rows = await running.runtime.db.fetch("SELECT sha256 FROM upload_file ORDER BY number")
    assert [row["sha256"] for row in rows] == [
        hashlib.sha256(content).hexdigest() for content in files.values()
    ]


async def test_a_large_file_is_one_object_of_parts(ann: Client, running: app.Running[Settings]) -> None:
    content = os.urandom(2 * PART_BYTES + 12_345)
    upload = await ann.upload({"large.bin": content})
    assert await stored(running, upload) == content
    assert len(await keys(running, upload)) == 1
    row = await running.runtime.db.fetchrow("SELECT sha256 FROM upload_file")
    assert row is not None
    assert row["sha256"] == hashlib.sha256(content).hexdigest()
    assert await running.runtime.db.fetchval("SELECT count(*) FROM upload_part") == 0


async def test_parts_are_hashed_in_their_order_however_long_the_kind_takes_to_note(
    ann: Client, running: app.Running[Settings]
) -> None:
    await running.runtime.db.execute(SLOW_KIND)
    content = os.urandom(2 * PART_BYTES + 5)
    await ann.upload({"a.bin": content})
    sha256 = await running.runtime.db.fetchval("SELECT sha256 FROM upload_file")
    assert sha256 == hashlib.sha256(content).hexdigest()


async def test_an_upload_goes_on_after_each_kind_of_end(ann: Client, running: app.Running[Settings]) -> None:
    """Within a part, behind a part, exactly at a part's end, and with a stream that brings nothing."""
    content = os.urandom(3 * PART_BYTES + 100)
    upload = await ann.open({"long.bin": content})
    received = 0
    for length in (1_000, 0, PART_BYTES - 1_000, PART_BYTES + 7, PART_BYTES, len(content)):
        file = await ann.send(upload, 0, content[received : received + length], received)
        received = min(len(content), received + length)
        assert file.received_bytes == received
        assert (await ann.get(upload)).files[0].received_bytes == received
    await ann.finish(upload)
    assert await stored(running, upload) == content
    assert len(await keys(running, upload)) == 1
    row = await running.runtime.db.fetchrow("SELECT sha256 FROM upload_file")
    assert row is not None
    assert row["sha256"] == hashlib.sha256(content).hexdigest()


async def test_streams_of_ten_mebibytes_are_parts_and_leave_nothing_beside_them(
    ann: Client, running: app.Running[Settings]
) -> None:
    content = os.urandom(34 * MIB)
    upload = await ann.open({"long.bin": content})
    for start in range(0, 30 * MIB, 10 * MIB):
        await ann.send(upload, 0, content[start : start + 10 * MIB], start)
        assert await keys(running, upload) == []
    lengths = await running.runtime.db.fetch("SELECT size_bytes FROM upload_part ORDER BY number")
    assert [row["size_bytes"] for row in lengths] == [10 * MIB] * 3
    await ann.send(upload, 0, content[30 * MIB :], 30 * MIB)
    await ann.finish(upload)
    assert await stored(running, upload) == content
    sha256 = await running.runtime.db.fetchval("SELECT sha256 FROM upload_file")
    assert sha256 == hashlib.sha256(content).hexdigest()


async def test_the_digest_of_a_file_outlives_its_stream(ann: Client, running: app.Running[Settings]) -> None:
    """What came before is not read again: else the digest would be that of what lies in the store."""
    first, last = os.urandom(6 * MIB), os.urandom(1_000)
    upload = await ann.open({"a.bin": first + last})
    await ann.send(upload, 0, first)
    row = await running.runtime.db.fetchrow("SELECT blob_key, multipart_id FROM upload_file")
    assert row is not None
    tag = await running.runtime.blobs.in_parts(row["blob_key"]).put(row["multipart_id"], 1, bytes(6 * MIB))
    await running.runtime.db.execute("UPDATE upload_part SET tag = $1", tag)
    await ann.send(upload, 0, last, len(first))
    sha256 = await running.runtime.db.fetchval("SELECT sha256 FROM upload_file")
    assert sha256 == hashlib.sha256(first + last).hexdigest()


async def test_a_cut_connection_keeps_what_has_come(ann: Client, running: app.Running[Settings]) -> None:
    content = os.urandom(2 * PART_BYTES)
    upload = await ann.open({"cut.bin": content})
    is_sent = asyncio.Event()

    async def requests() -> AsyncIterator[messages.UploadFileRequest]:
        async for request in stream(upload.id, 0, content[: PART_BYTES + LEAST_PART_BYTES + 1_000]):
            yield request
        is_sent.set()
        await asyncio.Event().wait()

    call = ann.uploads.UploadFile(requests())
    await is_sent.wait()
    await eventually(lambda: _received(ann, upload, PART_BYTES))
    call.cancel()
    await eventually(lambda: _received(ann, upload, PART_BYTES + 1))
    received = (await ann.get(upload)).files[0].received_bytes
    file = await ann.send(upload, 0, content[received:], received)
    assert file.received_bytes == len(content)
    assert await stored(running, upload) == content


async def _received(client: Client, upload: messages.Upload, least: int) -> bool:
    return (await client.get(upload)).files[0].received_bytes >= least


async def test_a_wrong_offset_tells_the_right_one(ann: Client) -> None:
    upload = await ann.open({"a.bin": b"0123456789"})
    await ann.send(upload, 0, b"0123")
    fault = await refusal(ann.send(upload, 0, b"56789", 5), errors.OutOfRange)
    assert fault.metadata["received_bytes"] == "4"
    assert "a.bin: expected offset 4, got 5" in fault.message


async def test_more_bytes_than_declared_are_refused_and_lost(ann: Client) -> None:
    upload = await ann.open({"a.bin": b"0123456789"})
    fault = await refusal(ann.send(upload, 0, b"0123456789ab"), errors.InvalidArgument)
    assert "a.bin was declared with 10 bytes" in fault.message
    assert (await ann.get(upload)).files[0].received_bytes == 0


async def test_a_declared_checksum_is_checked_and_a_wrong_file_starts_again(
    ann: Client, running: app.Running[Settings]
) -> None:
    right = os.urandom(PART_BYTES + 10)
    new = messages.NewUploadFile(
        name="a.bin", size_bytes=len(right), sha256=hashlib.sha256(right).hexdigest().upper()
    )
    upload = (await ann.uploads.CreateUpload(messages.CreateUploadRequest(files=[new]))).upload
    fault = await refusal(ann.send(upload, 0, bytes(len(right))), errors.InvalidArgument)
    assert isinstance(fault, errors.InvalidArgument)
    assert [violation.field for violation in fault.violations] == ["files[0].sha256"]
    assert await keys(running, upload) == []
    assert (await ann.send(upload, 0, right)).received_bytes == len(right)
    assert await stored(running, upload) == right


async def test_of_two_writers_the_one_that_came_last_wins(
    ann: Client, running: app.Running[Settings]
) -> None:
    first, second = b"a" * (2 * PART_BYTES), os.urandom(2 * PART_BYTES)
    upload = await ann.open({"a.bin": first})
    may_go_on = asyncio.Event()
    is_begun = asyncio.Event()

    async def slowly() -> AsyncIterator[messages.UploadFileRequest]:
        async for request in stream(upload.id, 0, first[:PART_BYTES]):
            yield request
            if request.WhichOneof("part") == "content":
                is_begun.set()
                await may_go_on.wait()

    async def slow() -> messages.UploadFileResponse:
        return await ann.uploads.UploadFile(slowly())

    losing = asyncio.create_task(slow())
    await is_begun.wait()
    await eventually(lambda: _has_writer(running))
    assert (await ann.send(upload, 0, second)).received_bytes == len(second)
    may_go_on.set()
    fault = await refusal(losing, errors.Conflict)
    assert "another stream writes this file" in fault.message
    assert await stored(running, upload) == second


async def _has_writer(running: app.Running[Settings]) -> bool:
    return bool(await running.runtime.db.fetchval("SELECT writer IS NOT NULL FROM upload_file"))


async def test_parts_that_were_joined_before_a_crash_are_taken_over(
    ann: Client, running: app.Running[Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process dies between joining the parts and noting it; the client sends the last bytes again."""
    content = os.urandom(2 * PART_BYTES + 10)
    upload = await ann.open({"a.bin": content})

    async def die(*_: object, **__: object) -> bool:
        raise errors.Unavailable("killed")

    with monkeypatch.context() as patch:
        patch.setattr(receiving_store, "complete", die)
        await refusal(ann.send(upload, 0, content), errors.Unavailable)
    assert (await ann.get(upload)).files[0].received_bytes == PART_BYTES
    file = await ann.send(upload, 0, content[PART_BYTES:], PART_BYTES)
    assert file.received_bytes == len(content)
    await ann.finish(upload)
    assert await stored(running, upload) == content
    row = await running.runtime.db.fetchrow("SELECT sha256 FROM upload_file")
    assert row is not None
    assert row["sha256"] == hashlib.sha256(content).hexdigest()


async def test_parts_that_are_gone_from_the_store_are_asked_for_again(
    ann: Client, running: app.Running[Settings]
) -> None:
    content = os.urandom(PART_BYTES + 10)
    upload = await ann.open({"a.bin": content})
    await ann.send(upload, 0, content[: PART_BYTES + 1])
    row = await running.runtime.db.fetchrow("SELECT blob_key, multipart_id FROM upload_file")
    assert row is not None
    await running.runtime.blobs.in_parts(row["blob_key"]).abort(row["multipart_id"])
    fault = await refusal(ann.send(upload, 0, content[PART_BYTES + 1 :], PART_BYTES + 1), errors.Conflict)
    assert "starts from 0 again" in fault.message
    assert (await ann.get(upload)).files[0].received_bytes == 0
    assert (await ann.send(upload, 0, content)).received_bytes == len(content)
    assert await stored(running, upload) == content


async def test_finishing_names_the_first_file_that_lacks_bytes(ann: Client) -> None:
    upload = await ann.open({"whole.bin": b"12", "half.bin": b"1234", "none.bin": b"1"})
    await ann.send(upload, 0, b"12")
    await ann.send(upload, 1, b"12")
    fault = await refusal(ann.finish(upload), errors.FailedPrecondition)
    assert fault.message == "half.bin: 2 of 4 bytes have arrived"
    assert fault.metadata["file"] == "half.bin"


async def test_a_closed_upload_takes_no_bytes_and_closing_twice_is_fine(ann: Client) -> None:
    upload = await ann.upload({"a.bin": b"12"})
    assert (await ann.finish(upload)).state == messages.UPLOAD_STATE_FINISHED
    fault = await refusal(ann.send(upload, 0, b"", 2), errors.FailedPrecondition)
    assert fault.reason == "UPLOAD_FINISHED"


async def test_creating_twice_with_one_request_id_makes_one_upload(
    ann: Client, ben: Client, running: app.Running[Settings]
) -> None:
    request_id = str(ids.uuid7())
    first = await ann.open({"a.bin": b"12"}, request_id=request_id)
    again = await ann.open({"a.bin": b"12"}, request_id=request_id)
    assert again == first
    other = await ben.open({"a.bin": b"12"}, request_id=request_id)
    assert other.id != first.id
    await refusal(ann.open({"b.bin": b"12"}, request_id=request_id), errors.InvalidArgument)
    assert await running.runtime.db.fetchval("SELECT count(*) FROM upload") == 2


async def test_wrong_files_are_all_named(ann: Client) -> None:
    request = messages.CreateUploadRequest(
        files=[messages.NewUploadFile(name="../a", size_bytes=1), messages.NewUploadFile(size_bytes=-1)]
    )
    fault = await refusal(_answer(ann.uploads.CreateUpload(request)), errors.InvalidArgument)
    assert isinstance(fault, errors.InvalidArgument)
    assert [violation.field for violation in fault.violations] == [
        "files[0].name",
        "files[1].name",
        "files[1].size_bytes",
    ]


async def _answer(call: object) -> object:
    return await call  # type: ignore[misc]


async def test_a_stream_must_begin_with_its_header_and_then_carry_bytes(ann: Client) -> None:
    async def no_header() -> AsyncIterator[messages.UploadFileRequest]:
        yield messages.UploadFileRequest(content=b"x")

    async def two_headers() -> AsyncIterator[messages.UploadFileRequest]:
        header = messages.UploadFileHeader(upload_id=upload.id)
        yield messages.UploadFileRequest(header=header)
        yield messages.UploadFileRequest(header=header)

    upload = await ann.open({"a.bin": b"12"})
    for requests, field in ((no_header(), "header"), (two_headers(), "content")):
        fault = await refusal(_answer(ann.uploads.UploadFile(requests)), errors.InvalidArgument)
        assert isinstance(fault, errors.InvalidArgument)
        assert [violation.field for violation in fault.violations] == [field]


async def test_uploads_of_others_are_not_there(ann: Client, ben: Client) -> None:
    upload = await ann.open({"a.bin": b"12"})
    for call in (ben.get(upload), ben.send(upload, 0, b"12"), ben.finish(upload)):
        fault = await refusal(call, errors.NotFound)
        assert isinstance(fault, errors.NotFound)
        assert fault.kind == "upload"
    delete = messages.DeleteUploadRequest(id=upload.id)
    await refusal(_answer(ben.uploads.DeleteUpload(delete)), errors.NotFound)
    for name in ("no uuid", str(ids.uuid7())):
        await refusal(ann.get(messages.Upload(id=name)), errors.NotFound)


async def test_a_deleted_upload_is_gone_with_its_bytes(ann: Client, running: app.Running[Settings]) -> None:
    upload = await ann.open({"done.bin": b"12", "tail.bin": b"1234", "parts.bin": bytes(PART_BYTES + 10)})
    await ann.send(upload, 0, b"12")
    await ann.send(upload, 1, b"12")
    await ann.send(upload, 2, bytes(PART_BYTES))
    await ann.send(upload, 2, bytes(1), PART_BYTES)
    assert len(await keys(running, upload)) == 3
    await ann.uploads.DeleteUpload(messages.DeleteUploadRequest(id=upload.id))
    await refusal(ann.get(upload), errors.NotFound)
    assert await keys(running, upload) == []
    assert await running.runtime.db.fetchval("SELECT count(*) FROM upload") == 0


async def test_expired_uploads_go_and_living_ones_stay(ann: Client, running: app.Running[Settings]) -> None:
    old, living = await ann.upload({"a.bin": b"12"}), await ann.open({"a.bin": b"12"})
    past = clock.now() - timedelta(seconds=1)
    await running.runtime.db.execute(
        "UPDATE upload SET expires_at = $2 WHERE id = $1::text::uuid", old.id, past
    )
    assert await expiry.purge_uploads(Ingest(runtime=running.runtime)) == 1
    await refusal(ann.get(old), errors.NotFound)
    assert await keys(running, old) == []
    assert (await ann.get(living)).state == messages.UPLOAD_STATE_OPEN


async def test_every_byte_prolongs_the_life_of_an_upload(ann: Client, running: app.Running[Settings]) -> None:
    upload = await ann.open({"a.bin": b"1234"})
    soon = clock.now() + timedelta(minutes=1)
    await running.runtime.db.execute("UPDATE upload SET expires_at = $1", soon)
    await ann.send(upload, 0, b"12")
    left = (await ann.get(upload)).expire_time.ToDatetime(tzinfo=soon.tzinfo) - clock.now()
    assert left > timedelta(hours=23)


async def test_files_are_listed_in_pages(ann: Client) -> None:
    upload = await ann.open({f"{number}.bin": b"x" for number in range(5)})
    numbers: list[int] = []
    request = messages.GetUploadRequest(id=upload.id, page_size=2)
    while True:
        page = await ann.uploads.GetUpload(request)
        numbers += [file.number for file in page.upload.files]
        if not page.next_page_token:
            break
        request.page_token = page.next_page_token
    assert numbers == [0, 1, 2, 3, 4]
