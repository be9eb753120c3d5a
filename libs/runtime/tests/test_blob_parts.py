"""Parts that are listed, and parts that others send by address."""

import pytest
import urllib3
from yard.embedded.servers.s3 import S3
from yard.runtime import errors
from yard.runtime.blobs import Blobs, PartAddresses, StoredPart
from yard.runtime.settings import RuntimeSettings, SettingsError

PART = 5 * 1024 * 1024


async def test_stored_parts_are_listed_page_by_page(blobs: Blobs) -> None:
    parts = blobs.in_parts("long")
    upload = await parts.begin()
    tags = {number: await parts.put(upload, number, b"x" * number) for number in (12, 2, 1, 5, 3)}
    expected = [StoredPart(number=number, tag=tags[number], size_bytes=number) for number in (1, 2, 3, 5, 12)]
    for page in (1000, 2, 1):
        assert [part async for part in parts.stored(upload, page=page)] == expected
    await parts.abort(upload)
    with pytest.raises(errors.NotFound):
        assert [part async for part in parts.stored(upload)]


async def test_an_address_takes_its_part_and_nothing_else(
    blobs: Blobs, settings: RuntimeSettings, s3_server: S3
) -> None:
    addresses = PartAddresses.connect(settings, f"http://{s3_server.address}")
    parts = blobs.in_parts("direct")
    upload = await parts.begin()
    url = addresses.put("direct", upload, 1, ttl_s=60)
    with urllib3.PoolManager() as http:
        tag = http.request("PUT", url, body=b"1" * PART).headers["etag"].strip('"')
        other = http.request("PUT", url.replace("partNumber=1", "partNumber=2"), body=b"2")
        assert other.status == 403
    assert [part async for part in parts.stored(upload)] == [StoredPart(number=1, tag=tag, size_bytes=PART)]
    await parts.complete(upload, [(1, tag)])
    assert await blobs.get("direct") == b"1" * PART


@pytest.mark.parametrize("address", ["s3:9000", "ftp://s3", "https://", "https://s3/bucket"])
def test_an_address_that_is_none_is_refused(settings: RuntimeSettings, address: str) -> None:
    with pytest.raises(SettingsError, match="public address of S3"):
        PartAddresses.connect(settings, address)


def test_an_address_is_signed_for_how_clients_reach_the_store(settings: RuntimeSettings) -> None:
    url = PartAddresses.connect(settings, "https://media.example.com").put("a/b", "id", 7, ttl_s=60)
    assert url.startswith(f"https://media.example.com/{settings.s3_bucket}/a/b?")
    assert "partNumber=7" in url
