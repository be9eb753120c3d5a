"""Many small files in one stream."""

from __future__ import annotations

import hashlib
import random
from uuid import UUID

from frameyard.media.v1 import upload_service_pb2 as messages
from yard.media_ingest.domain.uploads import LARGEST_PACKED_BYTES, PACK_BYTES
from yard.media_ingest.settings import Settings
from yard.media_ingest.store.uploads import given_files
from yard.runtime import app, errors
from yard.testkit.refusals import refusal

from services.media_ingest.tests.contents import photo
from services.media_ingest.tests.neighbours import Client, TaskSide
from services.media_ingest.tests.packs import (
    bodies,
    complete,
    content,
    entry,
    keys,
    opened,
    read,
    said,
    send,
    stream,
    whole,
)
from services.media_ingest.tests.plans import read_plan


async def test_small_files_lie_in_one_object(ann: Client, running: app.Running[Settings]) -> None:
    files = [photo(1), *bodies(1, 70_000, 3_000_000), photo(2)]
    upload = await opened(ann, files)
    assert await send(ann, stream(upload, enumerate(files))) == 5
    await ann.finish(upload)
    assert len(await keys(running, upload)) == 1
    assert await read(running, upload) == files
    given = await given_files(running.runtime.db, UUID(upload.id))
    assert [file.sha256 for file in given] == [hashlib.sha256(body).hexdigest() for body in files]
    assert [file.format for file in given] == ["jpeg", "", "", "", "jpeg"]


async def test_files_come_in_any_order_and_more_than_once(
    ann: Client, running: app.Running[Settings]
) -> None:
    files = bodies(*range(1_000, 1_200))
    upload = await opened(ann, files)
    numbers = list(range(200))
    random.Random(1).shuffle(numbers)
    assert await send(ann, stream(upload, [(number, files[number]) for number in numbers[:120]])) == 120
    again = [*numbers[100:], *numbers[150:]]
    assert await send(ann, stream(upload, [(number, files[number]) for number in again])) == 100
    await ann.finish(upload)
    assert await read(running, upload) == files
    assert len(await keys(running, upload)) == 2


async def test_what_came_before_is_not_stored_again(ann: Client, running: app.Running[Settings]) -> None:
    files = bodies(10, 20)
    upload = await opened(ann, files)
    for _ in range(2):
        assert await send(ann, stream(upload, enumerate(files))) == 2
    assert len(await keys(running, upload)) == 1


async def test_long_packs_are_written_in_parts_and_files_do_not_cross_packs(
    ann: Client, running: app.Running[Settings]
) -> None:
    files = bodies(*[5_000_011] * 16)
    upload = await opened(ann, files)
    await send(ann, stream(upload, enumerate(files)))
    await ann.finish(upload)
    assert await read(running, upload) == files
    sizes = [found.size async for found in running.runtime.blobs.list(f"uploads/{upload.id}/")]
    assert sum(sizes) == sum(map(len, files))
    assert len(sizes) == 2
    assert max(sizes) < PACK_BYTES + LARGEST_PACKED_BYTES
    assert await running.runtime.db.fetchval("SELECT count(*) FROM upload_pack") == 0


async def test_files_without_bytes_are_entries_only(ann: Client) -> None:
    upload = await opened(ann, [b"", b"1", b""])
    assert (
        await send(ann, said(messages.UploadFilesRequest(upload_id=upload.id), entry(0), *whole(1, b"1")))
        == 2
    )
    assert await complete(ann, upload) == [0, 1, 2]


async def test_a_wrong_length_names_the_file_and_keeps_those_before_it(
    ann: Client, running: app.Running[Settings]
) -> None:
    first, second, third = files = bodies(5_000, 6_000, 7_000)
    upload = await opened(ann, files)
    begin = messages.UploadFilesRequest(upload_id=upload.id)
    short = [begin, *whole(0, first), entry(1), content(second[:5_999]), *whole(2, third)]
    cut = [begin, entry(1), content(second[:100])]
    long = [begin, entry(1), content(second + b"x")]
    longer = [begin, *whole(1, second), content(b"x")]
    for requests, what in ((short, "fewer"), (cut, "fewer"), (long, "more"), (longer, "more")):
        fault = await refusal(send(ann, said(*requests)), errors.InvalidArgument)
        assert fault.violations == (
            errors.Violation("content", f"1.bin was declared with 6000 bytes, {what} have come"),
        )
    assert await complete(ann, upload) == [0, 1]
    assert await read(running, upload) == [first, second]


async def test_a_declared_checksum_is_checked(ann: Client) -> None:
    good, bad = bodies(1_000, 1_000)
    new = [
        messages.NewUploadFile(name=name, size_bytes=1_000, sha256=hashlib.sha256(good).hexdigest())
        for name in ("good.bin", "bad.bin")
    ]
    upload = (await ann.uploads.CreateUpload(messages.CreateUploadRequest(files=new))).upload
    fault = await refusal(send(ann, stream(upload, [(0, good), (1, bad)])), errors.InvalidArgument)
    assert [violation.field for violation in fault.violations] == ["files[1].sha256"]
    assert "bad.bin" in fault.message
    assert await complete(ann, upload) == [0]


async def test_streams_that_make_no_sense_are_refused(ann: Client, ben: Client) -> None:
    upload = await opened(ann, [b"1", bytes(2), bytes(LARGEST_PACKED_BYTES + 1)])
    begin = messages.UploadFilesRequest(upload_id=upload.id)
    for requests, field in (
        ([], "upload_id"),
        ([entry(0)], "upload_id"),
        ([begin, content(b"1")], "entry"),
        ([begin, begin], "entry"),
        ([begin, entry(1), content(b"")], "content"),
        ([begin, entry(2)], "entry.file_number"),
    ):
        fault = await refusal(send(ann, said(*requests)), errors.InvalidArgument)
        assert [violation.field for violation in fault.violations] == [field], requests
    for number in (3, -1, 2_000_000):
        await refusal(send(ann, said(begin, entry(number))), errors.NotFound)
    await refusal(send(ben, said(begin, *whole(0, b"1"))), errors.NotFound)
    await refusal(send(ann, said(messages.UploadFilesRequest(upload_id="no uuid"))), errors.NotFound)


async def test_a_closed_upload_takes_no_files(ann: Client) -> None:
    upload = await ann.upload({"a.bin": b"1"})
    fault = await refusal(send(ann, stream(upload, [(0, b"1")])), errors.FailedPrecondition)
    assert fault.reason == "UPLOAD_FINISHED"


async def test_a_file_that_began_to_arrive_alone_goes_on_alone(ann: Client) -> None:
    upload = await opened(ann, [b"12345"])
    await ann.send(upload, 0, b"12")
    fault = await refusal(send(ann, stream(upload, [(0, b"12345")])), errors.FailedPrecondition)
    assert fault.reason == "UPLOAD_BEGUN"
    assert (await ann.send(upload, 0, b"345", 2)).received_bytes == 5


async def test_media_is_made_of_files_in_packs(
    ann: Client, task: TaskSide, running: app.Running[Settings]
) -> None:
    names = [f"{number:02d}.jpg" for number in range(6)]
    files = [photo(number) for number in range(6)]
    upload = await ann.open(dict(zip(names, files, strict=True)))
    await send(ann, stream(upload, [(number, files[number]) for number in (3, 0, 5, 1, 2, 4)]))
    await ann.finish(upload)
    media = await task.media(upload)
    assert media.size == 6
    plan = await read_plan(running, media)
    assert plan.names == names
    blobs = running.runtime.blobs
    for address, file in zip(plan.images, files, strict=True):
        source = plan.head.sources[address.source]
        offset = source.offset + address.offset
        assert await blobs.get(source.key, offset=offset, length=address.length or source.size_bytes) == file
