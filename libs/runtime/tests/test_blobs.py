import asyncio
import hashlib
import random
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import urllib3
from minio import Minio
from yard.embedded.servers.s3 import S3
from yard.runtime import errors
from yard.runtime.blobs import BlobRef, Blobs, check_key
from yard.runtime.settings import RuntimeSettings
from yard.testkit.fixtures import s3_client

MIB = 1024 * 1024
PART = 5 * MIB
NOISE = random.Random(1).randbytes(12 * MIB)


@pytest.fixture
def raw(s3_server: S3) -> Minio:
    return s3_client(s3_server)


async def stream(data: bytes, step: int = 100_001) -> AsyncIterator[bytes]:
    for start in range(0, len(data), step):
        yield data[start : start + step]


def ref(key: str, data: bytes) -> BlobRef:
    return BlobRef(key=key, size_bytes=len(data), sha256=hashlib.sha256(data).hexdigest())


async def keys(blobs: Blobs, prefix: str = "") -> list[str]:
    return [found.key async for found in blobs.list(prefix)]


@pytest.mark.parametrize("size", [0, 1, 100_000])
async def test_what_was_put_comes_back(blobs: Blobs, size: int) -> None:
    data = NOISE[:size]
    assert await blobs.put("a/b", data, content_type="image/jpeg") == ref("a/b", data)
    assert await blobs.get("a/b") == data
    found = await blobs.stat("a/b")
    assert (found.size, found.sha256) == (size, hashlib.sha256(data).hexdigest())
    assert await blobs.exists("a/b")
    assert not await blobs.exists("a/c")


@pytest.mark.parametrize("size", [0, 3, PART - 1, PART, PART + 1, 2 * PART, 12 * MIB])
async def test_streams_of_unknown_length_are_written_in_parts(blobs: Blobs, size: int) -> None:
    data = NOISE[:size]
    assert await blobs.put_stream("big", stream(data), part_size=PART) == ref("big", data)
    assert await blobs.get("big") == data


async def test_a_stream_that_breaks_leaves_nothing(
    blobs: Blobs, raw: Minio, settings: RuntimeSettings
) -> None:
    async def breaking(after: int) -> AsyncIterator[bytes]:
        async for chunk in stream(NOISE[:after]):
            yield chunk
        raise LookupError("the source is gone")

    for after in (10, PART + 10, 2 * PART + 10):
        with pytest.raises(LookupError):
            await blobs.put_stream("half", breaking(after), part_size=PART)
    assert await keys(blobs) == []
    uploads = raw._list_multipart_uploads(settings.s3_bucket).uploads
    assert uploads == []


async def test_a_cancelled_stream_leaves_nothing(blobs: Blobs, raw: Minio, settings: RuntimeSettings) -> None:
    has_sent_a_part = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        yield NOISE[:PART]
        yield NOISE[:PART]
        has_sent_a_part.set()
        await asyncio.Event().wait()

    writing = asyncio.create_task(blobs.put_stream("half", endless(), part_size=PART))
    await has_sent_a_part.wait()
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    assert await keys(blobs) == []
    assert raw._list_multipart_uploads(settings.s3_bucket).uploads == []


@pytest.mark.parametrize(
    ("offset", "length", "expected"),
    [
        (0, None, b"0123456789"),
        (3, None, b"3456789"),
        (3, 4, b"3456"),
        (0, 4, b"0123"),
        (8, 50, b"89"),
        (3, 0, b""),
    ],
)
async def test_ranges(blobs: Blobs, offset: int, length: int | None, expected: bytes) -> None:
    await blobs.put("digits", b"0123456789")
    assert await blobs.get("digits", offset=offset, length=length) == expected


async def test_a_range_outside_of_the_object_is_out_of_range(blobs: Blobs) -> None:
    await blobs.put("digits", b"0123456789")
    with pytest.raises(errors.OutOfRange):
        await blobs.get("digits", offset=10)


async def test_pieces_have_the_wanted_size(blobs: Blobs) -> None:
    await blobs.put("big", NOISE[: 3 * MIB])
    pieces = [piece async for piece in blobs.stream("big", chunk=MIB)]
    assert b"".join(pieces) == NOISE[: 3 * MIB]
    assert max(map(len, pieces)) <= MIB


async def test_a_reader_may_leave_early(blobs: Blobs) -> None:
    await blobs.put("big", NOISE[: 3 * MIB])
    for _ in range(40):  # more often than there are connections
        reading = blobs.stream("big", chunk=1000)
        assert await anext(reading) == NOISE[:1000]
        await reading.aclose()  # type: ignore[attr-defined]
    assert await blobs.exists("big")


async def test_damage_is_noticed(blobs: Blobs, raw: Minio, settings: RuntimeSettings) -> None:
    await blobs.put("good", b"as it was written")
    wrong = {"x-amz-meta-sha256": hashlib.sha256(b"as it was written").hexdigest()}
    raw._put_object(settings.s3_bucket, "bad", b"as it is now lying", wrong)  # type: ignore[arg-type]
    with pytest.raises(errors.DataLoss) as caught:
        await blobs.get("bad")
    assert caught.value.metadata == {"key": "bad"}
    assert await blobs.get("bad", offset=0, length=5) == b"as it"  # a part cannot be checked


async def test_an_object_may_be_written_only_once(blobs: Blobs) -> None:
    await blobs.put("once", b"first", if_absent=True)
    with pytest.raises(errors.AlreadyExists):
        await blobs.put("once", b"second", if_absent=True)
    assert await blobs.get("once") == b"first"
    await blobs.put("once", b"third")
    assert await blobs.get("once") == b"third"


async def test_many_objects_are_listed_and_deleted(blobs: Blobs) -> None:
    names = [f"many/{number:04}" for number in range(1_050)]
    await asyncio.gather(*(blobs.put(name, b"x") for name in names))
    await blobs.put("other", b"x")
    assert await keys(blobs, "many/") == names
    await blobs.delete(*names, "many/absent")
    assert await keys(blobs) == ["other"]
    await blobs.delete("other")
    await blobs.delete("other")
    await blobs.delete()
    assert await keys(blobs) == []


async def test_what_is_absent_is_named(blobs: Blobs) -> None:
    for call in (blobs.get("a/b"), blobs.stat("a/b")):
        with pytest.raises(errors.NotFound) as caught:
            await call
        assert (caught.value.kind, caught.value.name) == ("blob", "a/b")


@pytest.mark.parametrize(
    "key", ["", "/a", "a/", "a//b", "a/../b", "..", "a b", "ä", "a\n", "a" * 513, "a?b", "a%2e"]
)
async def test_names_of_users_are_no_keys(blobs: Blobs, key: str) -> None:
    with pytest.raises(ValueError, match="expected an object key"):
        check_key(key)
    for call in (
        blobs.put(key, b""),
        blobs.get(key),
        blobs.stat(key),
        blobs.delete(key),
        blobs.presign_get(key),
    ):
        with pytest.raises(ValueError, match="expected an object key"):
            await call


async def test_parts_over_several_calls(blobs: Blobs) -> None:
    parts = blobs.in_parts("slow")
    upload = await parts.begin()
    second = await parts.put(upload, 2, NOISE[PART : PART + 9])
    first = await parts.put(upload, 1, NOISE[:PART])
    assert not await blobs.exists("slow")
    await blobs.in_parts("slow").complete(upload, [(1, first), (2, second)])
    assert await blobs.get("slow") == NOISE[: PART + 9]
    with pytest.raises(errors.NotFound):
        await parts.put(upload, 3, b"late")

    dropped = await parts.begin()
    await parts.put(dropped, 1, NOISE[:PART])
    await parts.abort(dropped)
    with pytest.raises(errors.NotFound):
        await parts.put(dropped, 2, b"late")


async def test_parts_that_nobody_knows_any_more_are_freed(blobs: Blobs) -> None:
    left = {}
    for key in ("media/a/1", "media/a/2", "media/b/1"):
        left[key] = await blobs.in_parts(key).begin()
        await blobs.in_parts(key).put(left[key], 1, b"x")
    await blobs.abort_parts("media/a/")
    for key, is_left in (("media/a/1", False), ("media/a/2", False), ("media/b/1", True)):
        try:
            await blobs.in_parts(key).put(left[key], 2, b"y")
        except errors.NotFound:
            assert not is_left
        else:
            assert is_left
    await blobs.abort_parts("media/a/")


async def test_signed_addresses_open_one_object(blobs: Blobs) -> None:
    await blobs.put("a/open", b"bytes")
    await blobs.put("a/closed", b"secret")
    get, put = await blobs.presign_get("a/open"), await blobs.presign_put("a/new")

    def use() -> list[tuple[int, bytes]]:
        with urllib3.PoolManager(retries=False) as http:
            answers = [
                http.request("GET", get),
                http.request("GET", get.replace("open", "closed")),
                http.request("PUT", put, body=b"brought"),
                http.request("GET", get.partition("?")[0]),
            ]
            return [(answer.status, answer.data) for answer in answers]

    opened, closed, brought, bare = await asyncio.to_thread(use)
    assert opened == (200, b"bytes")
    assert (closed[0], bare[0]) == (403, 403)
    assert brought[0] == 200
    assert await blobs.get("a/new") == b"brought"


async def test_the_bucket_is_made_once(settings: RuntimeSettings, raw: Minio) -> None:
    fresh = Blobs.connect(replace(settings, s3_bucket="made-by-test"))
    await asyncio.gather(*(fresh.ensure_bucket() for _ in range(3)))
    await fresh.ensure_bucket()
    await fresh.put("a", b"x")
    await fresh.delete("a")
    await fresh.close()
    raw.remove_bucket(bucket_name="made-by-test")


async def test_wrong_keys_and_no_server_are_told_apart(settings: RuntimeSettings) -> None:
    stranger = Blobs.connect(replace(settings, s3_secret_key="wrong"))
    with pytest.raises(errors.Internal) as caught:
        await stranger.put("a", b"")
    assert caught.value.metadata["code"] == "SignatureDoesNotMatch"
    await stranger.close()

    nowhere = Blobs.connect(replace(settings, s3_endpoint="127.0.0.1:1"))
    with pytest.raises(errors.Unavailable):
        await nowhere.put("a", b"")
    await nowhere.close()


def test_references_travel() -> None:
    sent = BlobRef(key="a/b", size_bytes=3, sha256="00")
    assert BlobRef.from_proto(sent.to_proto()) == sent
    message = sent.to_proto()
    message.key = "../etc/passwd"
    with pytest.raises(ValueError, match="object key"):
        BlobRef.from_proto(message)
