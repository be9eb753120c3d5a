"""The client library by way of the store: parts in parallel, cuts, a killed client, a store out of reach."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from yard.client import Client, ClientError, uploads
from yard.embedded.servers.s3 import S3
from yard.media_ingest.domain.uploads import PART_BYTES
from yard.media_ingest.service import SERVICE
from yard.media_ingest.settings import Settings
from yard.runtime import app, auth
from yard.testkit import eventually
from yard.testkit.fixtures import SettingsFor
from yard.testkit.process import Program

from services.media_ingest.tests.conftest import ANN
from services.media_ingest.tests.gate import Gate
from services.media_ingest.tests.test_sending import client_of

PARTS = 11
SIZE = (PARTS - 1) * PART_BYTES + 1_000
CLIENT = Path(__file__).with_name("direct_client.py")


@pytest.fixture
async def gate(s3_server: S3) -> AsyncIterator[Gate]:
    async with Gate.before(s3_server.address) as gate:
        yield gate


@pytest.fixture
def settings(settings_for: SettingsFor, issuer: auth.TokenIssuer, gate: Gate) -> Settings:
    return settings_for(Settings, jwks=issuer.jwks, upload_s3_address=f"http://{gate.address}")


@pytest.fixture
async def client(running: app.Running[Settings], issuer: auth.TokenIssuer) -> AsyncIterator[Client]:
    async with client_of(running.address, issuer) as client:
        yield client


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """A file in which each part is another."""
    path = tmp_path / "film.mp4"
    with path.open("wb") as file:
        file.truncate(SIZE)
        for number in range(PARTS):
            file.seek(number * PART_BYTES)
            file.write(number.to_bytes(8, "big"))
    return path


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


async def stored_digest(running: app.Running[Settings], name: str = "film.mp4") -> str:
    query = "SELECT blob_key FROM upload_file WHERE name = $1 AND is_complete"
    key = await running.runtime.db.fetchval(query, name)
    found = hashlib.sha256()
    async for piece in running.runtime.blobs.stream(key):
        found.update(piece)
    return found.hexdigest()


async def test_large_files_go_to_the_store_and_small_ones_to_the_platform(
    client: Client, gate: Gate, film: Path, running: app.Running[Settings]
) -> None:
    small = film.with_name("small.jpg")
    small.write_bytes(b"small")
    told: list[int] = []
    await uploads.upload(client, uploads.local_files([film, small]), told.append, direct=True)
    assert gate.answered == PARTS
    assert sum(told) == SIZE + 5
    assert await stored_digest(running) == digest(film)
    assert await stored_digest(running, "small.jpg") == digest(small)


async def test_parts_that_are_cut_are_sent_again(
    client: Client, gate: Gate, film: Path, running: app.Running[Settings]
) -> None:
    gate.cut_first = 3
    await uploads.upload(client, uploads.local_files([film]), direct=True)
    assert gate.answered == PARTS
    assert await stored_digest(running) == digest(film)


async def test_a_killed_client_that_starts_again_sends_only_what_is_missing(
    client: Client, gate: Gate, film: Path, running: app.Running[Settings], issuer: auth.TokenIssuer
) -> None:
    upload_id = await uploads.create(client, uploads.local_files([film]))
    gate.passes = 5
    arguments = [running.address, issuer.issue(ANN).token, upload_id, str(film)]
    program = Program([str(CLIENT), *arguments], log=film.with_name("log"))
    await eventually(lambda: gate.answered == 5 and gate.begun > 5, timeout_s=30)
    program.kill()
    await gate.has_heard()
    gate.passes, before = 1_000, gate.begun
    told: list[int] = []
    await uploads.resume(client, upload_id, uploads.local_files([film]), told.append, direct=True)
    assert gate.begun - before == PARTS - 5
    assert sum(told) == SIZE
    assert await stored_digest(running) == digest(film)


async def test_a_store_out_of_reach_is_told_and_the_platform_takes_the_file(
    settings: Settings, settings_for: SettingsFor, issuer: auth.TokenIssuer, film: Path
) -> None:
    closed = settings_for(Settings, jwks=issuer.jwks, upload_s3_address="http://127.0.0.1:9")
    files = uploads.local_files([film])
    async with app.serving(SERVICE, closed) as running, client_of(running.address, issuer) as client:
        upload_id = await uploads.create(client, files)
        with pytest.raises(ClientError) as caught:
            await uploads.resume(client, upload_id, files, direct=True)
        assert caught.value.code == "UNAVAILABLE"
        assert caught.value.message.startswith("the store at 127.0.0.1:9 is not reached from here: ")
        await uploads.resume(client, upload_id, files)
        assert await stored_digest(running) == digest(film)


async def test_a_platform_without_addresses_says_so(
    settings_for: SettingsFor, issuer: auth.TokenIssuer, film: Path
) -> None:
    settings = settings_for(Settings, jwks=issuer.jwks)
    async with app.serving(SERVICE, settings) as running, client_of(running.address, issuer) as client:
        with pytest.raises(ClientError, match="is not reached from outside") as caught:
            await uploads.upload(client, uploads.local_files([film]), direct=True)
    assert caught.value.hint == "without --direct, files go by way of the platform"


async def test_another_file_of_the_same_length_is_refused_in_the_end(
    client: Client, film: Path, running: app.Running[Settings]
) -> None:
    files = uploads.local_files([film])
    upload_id = await uploads.create(client, files)
    with film.open("r+b") as file:
        file.write(b"changed")
    with pytest.raises(ClientError, match=r"film\.mp4: expected"):
        await uploads.resume(client, upload_id, files, direct=True)
