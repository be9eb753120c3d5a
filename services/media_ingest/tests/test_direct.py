"""Parts of a file that the client sends to the store itself."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from typing import Any

import pytest
import urllib3
from frameyard.media.v1 import upload_service_pb2 as messages
from yard.embedded.servers.s3 import S3
from yard.media_ingest.domain.uploads import PART_BYTES
from yard.media_ingest.service import SERVICE
from yard.media_ingest.settings import Settings
from yard.media_ingest.store import direct as store
from yard.runtime import app, auth, errors
from yard.testkit.fixtures import SettingsFor
from yard.testkit.refusals import refusal

from services.media_ingest.tests.conftest import ANN
from services.media_ingest.tests.neighbours import Client, client_at

SIZE = 2 * PART_BYTES + 1_000


@pytest.fixture
def settings(settings_for: SettingsFor, issuer: auth.TokenIssuer, s3_server: S3) -> Settings:
    return settings_for(Settings, jwks=issuer.jwks, upload_s3_address=f"http://{s3_server.address}")


@pytest.fixture
async def http() -> AsyncIterator[urllib3.PoolManager]:
    pool = urllib3.PoolManager()
    yield pool
    pool.clear()


async def opened(client: Client, size: int, sha256: str = "") -> messages.Upload:
    new = messages.NewUploadFile(name="film.mp4", size_bytes=size, sha256=sha256)
    return (await client.uploads.CreateUpload(messages.CreateUploadRequest(files=[new]))).upload


async def presigned(
    client: Client, upload: messages.Upload, first: int = 1, count: int = 100
) -> messages.PresignPartsResponse:
    return await client.uploads.PresignParts(
        messages.PresignPartsRequest(upload_id=upload.id, first_part=first, part_count=count)
    )


async def put(http: urllib3.PoolManager, url: str, part: bytes) -> str:
    answer = await asyncio.to_thread(http.request, "PUT", url, body=part)
    assert answer.status == 200, answer.data
    return str(answer.headers["etag"])


def cut(content: bytes, size: int = PART_BYTES) -> list[bytes]:
    return [content[start : start + size] for start in range(0, len(content), size)]


async def put_all(
    client: Client, http: urllib3.PoolManager, upload: messages.Upload, parts: list[bytes]
) -> list[str]:
    given = await presigned(client, upload)
    return [await put(http, url, part) for url, part in zip(given.urls, parts, strict=True)]


async def completed(client: Client, upload: messages.Upload, tags: list[str]) -> messages.UploadFile:
    parts = [messages.StoredPart(number=number, etag=tag) for number, tag in enumerate(tags, 1)]
    request = messages.CompletePartsRequest(upload_id=upload.id, parts=parts)
    return (await client.uploads.CompleteParts(request)).file


async def stored(running: app.Running[Settings]) -> bytes:
    key = await running.runtime.db.fetchval("SELECT blob_key FROM upload_file")
    return await running.runtime.blobs.get(key)


def png(size: int) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + os.urandom(size - 8)


async def test_a_file_comes_by_way_of_the_store(
    ann: Client, http: urllib3.PoolManager, running: app.Running[Settings]
) -> None:
    content = png(SIZE)
    upload = await opened(ann, SIZE, hashlib.sha256(content).hexdigest())
    given = await presigned(ann, upload)
    assert given.part_size_bytes == PART_BYTES
    assert len(given.urls) == 3
    tags = [await put(http, url, part) for url, part in zip(given.urls, cut(content), strict=True)]
    assert (await ann.get(upload)).files[0].received_bytes == 0
    assert (await completed(ann, upload, tags)).received_bytes == SIZE
    assert (await completed(ann, upload, tags)).received_bytes == SIZE
    await ann.finish(upload)
    assert await stored(running) == content
    row = await running.runtime.db.fetchrow("SELECT sha256, family, format FROM upload_file")
    assert row is not None
    assert tuple(row.values()) == (hashlib.sha256(content).hexdigest(), "image", "png")


async def test_it_goes_on_after_a_restart_of_both_sides(
    settings: Settings, issuer: auth.TokenIssuer, http: urllib3.PoolManager
) -> None:
    content = os.urandom(SIZE)
    parts, token = cut(content), issuer.issue(ANN).token
    async with app.serving(SERVICE, settings) as running, client_at(running.address, token) as ann:
        upload = await opened(ann, SIZE)
        tags = [await put(http, (await presigned(ann, upload, 1, 1)).urls[0], parts[0])]
    async with app.serving(SERVICE, settings) as running, client_at(running.address, token) as ann:
        urls = (await presigned(ann, upload, 2, 5)).urls
        tags += [await put(http, url, part) for url, part in zip(urls, parts[1:], strict=True)]
        await completed(ann, upload, tags)
        assert await stored(running) == content


async def test_what_the_store_has_not_got_is_named_part_by_part(
    ann: Client, http: urllib3.PoolManager
) -> None:
    upload = await opened(ann, SIZE)
    parts = cut(os.urandom(SIZE))
    urls = (await presigned(ann, upload)).urls
    right, wrong = await put(http, urls[0], parts[0]), await put(http, urls[1], parts[1][:-1])
    fault = await refusal(completed(ann, upload, ["0" * 32, wrong, "1" * 32]), errors.InvalidArgument)
    assert [violation.field for violation in fault.violations] == ["parts[0]", "parts[1]", "parts[2]"]
    wrong_tag, wrong_length, missing = [violation.description for violation in fault.violations]
    assert wrong_tag == f"film.mp4, part 1: expected ETag {'0' * 32}, the store has {right.strip(chr(34))}"
    assert wrong_length == f"film.mp4, part 2: expected {PART_BYTES} bytes, the store has {PART_BYTES - 1}"
    assert missing == "film.mp4, part 3: has not arrived at the store"
    tags = [right, await put(http, urls[1], parts[1]), await put(http, urls[2], parts[2])]
    assert (await completed(ann, upload, tags)).received_bytes == SIZE


async def test_all_parts_must_be_named(ann: Client) -> None:
    upload = await opened(ann, SIZE)
    fault = await refusal(completed(ann, upload, ["x"]), errors.FailedPrecondition)
    assert fault.reason == "UPLOAD_NOT_DIRECT"
    await presigned(ann, upload)
    fault = await refusal(completed(ann, upload, ["x"]), errors.InvalidArgument)
    assert fault.violations == (errors.Violation("parts", "must be all 3 parts of film.mp4, got 1"),)
    parts = [messages.StoredPart(number=number) for number in (1, 1, 3)]
    request = messages.CompletePartsRequest(upload_id=upload.id, parts=parts)
    fault = await refusal(answer(ann.uploads.CompleteParts(request)), errors.InvalidArgument)
    assert {violation.field for violation in fault.violations} == {
        "parts[0].etag",
        "parts[1].etag",
        "parts[1].number",
        "parts[2].etag",
    }


async def answer(call: Any) -> object:
    return await call


async def test_a_wrong_checksum_starts_the_file_again(
    ann: Client, http: urllib3.PoolManager, running: app.Running[Settings]
) -> None:
    content = os.urandom(SIZE)
    upload = await opened(ann, SIZE, hashlib.sha256(content).hexdigest())
    tags = await put_all(ann, http, upload, cut(bytes(SIZE)))
    fault = await refusal(completed(ann, upload, tags), errors.InvalidArgument)
    assert [violation.field for violation in fault.violations] == ["files[0].sha256"]
    assert [found.key async for found in running.runtime.blobs.list("uploads/")] == []
    tags = await put_all(ann, http, upload, cut(content))
    assert (await completed(ann, upload, tags)).received_bytes == SIZE
    assert await stored(running) == content


async def test_parts_that_were_joined_before_a_crash_are_taken_over(
    ann: Client, http: urllib3.PoolManager, running: app.Running[Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    content = os.urandom(SIZE)
    upload = await opened(ann, SIZE)
    tags = await put_all(ann, http, upload, cut(content))

    async def die(*_: object, **__: object) -> bool:
        raise errors.Internal("killed")

    with monkeypatch.context() as patch:
        patch.setattr(store, "complete", die)
        await refusal(completed(ann, upload, tags), errors.Internal)
    assert (await completed(ann, upload, tags)).received_bytes == SIZE
    assert await stored(running) == content


async def test_parts_that_are_gone_are_asked_for_again(
    ann: Client, http: urllib3.PoolManager, running: app.Running[Settings]
) -> None:
    upload = await opened(ann, SIZE)
    tags = await put_all(ann, http, upload, cut(os.urandom(SIZE)))
    row = await running.runtime.db.fetchrow("SELECT blob_key, multipart_id FROM upload_file")
    assert row is not None
    await running.runtime.blobs.in_parts(row["blob_key"]).abort(row["multipart_id"])
    fault = await refusal(completed(ann, upload, tags), errors.Conflict)
    assert "starts again" in fault.message
    content = os.urandom(SIZE)
    await completed(ann, upload, await put_all(ann, http, upload, cut(content)))
    assert await stored(running) == content


async def test_a_stream_takes_the_file_over_but_not_the_other_way_round(
    ann: Client, http: urllib3.PoolManager, running: app.Running[Settings]
) -> None:
    content = os.urandom(SIZE)
    upload = await opened(ann, SIZE)
    tags = await put_all(ann, http, upload, cut(bytes(SIZE)))
    assert (await ann.send(upload, 0, content[:PART_BYTES])).received_bytes == PART_BYTES
    fault = await refusal(presigned(ann, upload), errors.FailedPrecondition)
    assert fault.reason == "UPLOAD_BEGUN"
    await refusal(completed(ann, upload, tags), errors.FailedPrecondition)
    await ann.send(upload, 0, content[PART_BYTES:], PART_BYTES)
    assert await stored(running) == content
    fault = await refusal(presigned(ann, upload), errors.FailedPrecondition)
    assert fault.reason == "UPLOAD_COMPLETE"


async def test_a_deleted_upload_takes_its_parts_along(
    ann: Client, http: urllib3.PoolManager, running: app.Running[Settings]
) -> None:
    upload = await opened(ann, SIZE)
    given = await presigned(ann, upload)
    await put(http, given.urls[0], bytes(PART_BYTES))
    row = await running.runtime.db.fetchrow("SELECT blob_key, multipart_id FROM upload_file")
    assert row is not None
    await ann.uploads.DeleteUpload(messages.DeleteUploadRequest(id=upload.id))
    parts = running.runtime.blobs.in_parts(row["blob_key"])
    with pytest.raises(errors.NotFound):
        await parts.put(row["multipart_id"], 3, b"x")


async def test_addresses_are_for_the_owner_and_for_parts_that_there_are(ann: Client, ben: Client) -> None:
    upload = await opened(ann, SIZE)
    await refusal(presigned(ben, upload), errors.NotFound)
    await refusal(completed(ben, upload, ["x"]), errors.NotFound)
    for first, count, fields in ((0, 1, ["first_part"]), (4, 0, ["first_part", "part_count"])):
        fault = await refusal(presigned(ann, upload, first, count), errors.InvalidArgument)
        assert [violation.field for violation in fault.violations] == fields


async def test_an_address_is_for_its_part_only(ann: Client, http: urllib3.PoolManager) -> None:
    upload = await opened(ann, SIZE)
    url = (await presigned(ann, upload)).urls[0]
    other = url.replace("partNumber=1", "partNumber=2")
    assert other != url
    answers = [await asyncio.to_thread(http.request, "PUT", other, body=b"x")]
    answers.append(await asyncio.to_thread(http.request, "GET", url))
    assert [answer.status for answer in answers] == [403, 403]


async def test_parts_that_are_stored_are_told_to_who_lost_their_tags(
    ann: Client, http: urllib3.PoolManager, running: app.Running[Settings]
) -> None:
    content = os.urandom(SIZE)
    parts, upload = cut(content), await opened(ann, SIZE)
    given = await presigned(ann, upload)
    assert [*given.stored] == []
    tags = [await put(http, given.urls[number], parts[number]) for number in (0, 2)]
    await put(http, given.urls[1], b"too short")
    told = (await presigned(ann, upload)).stored
    assert [(part.number, part.size_bytes) for part in told] == [(1, PART_BYTES), (3, 1_000)]
    assert [part.etag for part in told] == [tag.strip('"') for tag in tags]
    assert [part.number for part in (await presigned(ann, upload, 2, 5)).stored] == [3]
    middle = await put(http, (await presigned(ann, upload, 2, 1)).urls[0], parts[1])
    told = (await presigned(ann, upload)).stored
    assert [part.etag for part in told] == [tags[0].strip('"'), middle.strip('"'), tags[1].strip('"')]
    await completed(ann, upload, [part.etag for part in told])
    assert await stored(running) == content
