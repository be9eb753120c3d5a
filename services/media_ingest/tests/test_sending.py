"""The client library against the service: many small files and large ones, kills of both sides, memory."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import psutil
import pytest
from yard.client import Client, ClientError, Endpoints, uploads
from yard.client.session import Tokens
from yard.media_ingest.domain.uploads import MIB, PART_BYTES
from yard.media_ingest.service import SERVICE
from yard.media_ingest.settings import Settings
from yard.media_ingest.store.uploads import given_files
from yard.runtime import app, auth, clock
from yard.runtime.app.lifecycle import opened
from yard.runtime.app.service import Runtime
from yard.runtime.db import Database
from yard.testkit import eventually
from yard.testkit.fixtures import SettingsFor
from yard.testkit.service_program import ServiceProgram

from services.media_ingest.tests.conftest import ANN

SMALL = 5_000
SMALL_BYTES = 20 * 1024
LARGE_BYTES = 256 * MIB
MOST_MORE_MEMORY = 128 * MIB


@pytest.fixture
def settings(settings_for: SettingsFor, issuer: auth.TokenIssuer, tmp_path: Path) -> Settings:
    return settings_for(
        Settings, jwks=issuer.jwks, drain_timeout_s=0.2, port_file=str(tmp_path / "ports.json")
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """5,000 files of 20 KiB, and one that goes alone."""
    folder = tmp_path_factory.mktemp("photos")
    content = os.urandom(SMALL_BYTES)
    for number in range(SMALL):
        (folder / f"{number:04d}.jpg").write_bytes(number.to_bytes(8, "big") + content[8:])
    (folder / "film.mp4").write_bytes(os.urandom(PART_BYTES + 1_000))
    return folder


@asynccontextmanager
async def client_of(address: str, issuer: auth.TokenIssuer) -> AsyncIterator[Client]:
    """The client library, logged in as Ann."""
    endpoints = Endpoints(
        identity=address, task=address, media_ingest=address, chunking=address, export=address
    )
    expires = clock.now() + timedelta(minutes=15)
    tokens = Tokens(access=issuer.issue(ANN).token, refresh="", expire_time=expires)
    async with Client(endpoints, tokens=tokens) as client:
        yield client


@asynccontextmanager
async def running_program(settings: Settings, log: Path) -> AsyncIterator[ServiceProgram]:
    """The service as a process that can be killed, for the length of the block."""
    program = ServiceProgram(settings, log=log)
    try:
        yield program
    finally:
        program.kill()


async def kill_both(program: ServiceProgram, client: asyncio.Task[str]) -> None:
    """The service and the client that sends to it."""
    program.kill()
    client.cancel()
    with suppress(asyncio.CancelledError, ClientError):
        await client


async def resumed(
    program: ServiceProgram, issuer: auth.TokenIssuer, upload_id: str, files: list[uploads.LocalFile]
) -> list[int]:
    """What is told while the rest is sent to the program anew, whose memory does not grow with it."""
    program.restart()
    told: list[int] = []
    async with client_of(await program.address(), issuer) as client:
        before = psutil.Process(program.pid).memory_info().rss
        await uploads.resume(client, upload_id, files, told.append)
    assert peak_memory(program.pid) - before < MOST_MORE_MEMORY
    return told


async def check(runtime: Runtime[Settings], upload_id: str, files: list[uploads.LocalFile]) -> None:
    """Every file is what it was here."""
    given = await given_files(runtime.db, UUID(upload_id))
    local = {file.name: file for file in files}
    assert len(given) == len(files)
    packs: dict[str, bytes] = {}
    for file in given:
        if file.place.key not in packs:
            packs = {file.place.key: await runtime.blobs.get(file.place.key)}
        end = file.place.offset + file.place.size_bytes
        stored = packs[file.place.key][file.place.offset : end]
        assert stored == local[file.name].path.read_bytes(), file.name


def peak_memory(pid: int) -> int:
    """The most that the process has held, bytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) * 1024


async def objects(runtime: Runtime[Settings], upload_id: str) -> list[str]:
    return [found.key async for found in runtime.blobs.list(f"uploads/{upload_id}/")]


async def test_thousands_of_files_lie_in_few_objects(
    running: app.Running[Settings], issuer: auth.TokenIssuer, folder: Path
) -> None:
    files = uploads.local_files([folder])
    told: list[int] = []
    async with client_of(running.address, issuer) as client:
        upload_id = await uploads.upload(client, files, told.append)
    assert sum(told) == sum(file.size_bytes for file in files)
    await check(running.runtime, upload_id, files)
    assert len(await objects(running.runtime, upload_id)) == 3


async def test_a_file_that_shrank_ends_the_upload_by_name(
    running: app.Running[Settings], issuer: auth.TokenIssuer, tmp_path: Path
) -> None:
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        (tmp_path / name).write_bytes(b"12345")
    files = uploads.local_files([tmp_path / name for name in ("a.jpg", "b.jpg", "c.jpg")])
    async with client_of(running.address, issuer) as client:
        upload_id = await uploads.create(client, files)
        (tmp_path / "b.jpg").write_bytes(b"1234")
        with pytest.raises(ClientError, match=r"b\.jpg: is shorter than the 5 bytes"):
            await uploads.resume(client, upload_id, files)
        (tmp_path / "b.jpg").write_bytes(b"12345")
        await uploads.resume(client, upload_id, files)
    await check(running.runtime, upload_id, files)


async def test_a_large_file_goes_on_after_a_kill_in_bounded_memory(
    settings: Settings, issuer: auth.TokenIssuer, tmp_path: Path
) -> None:
    path = tmp_path / "long.mp4"
    with path.open("wb") as file:
        file.truncate(LARGE_BYTES)
    files = uploads.local_files([path])
    db = await Database.connect(settings.database_url, max_size=1)
    async with running_program(settings, tmp_path / "log") as program:
        async with client_of(await program.address(), issuer) as client:
            upload_id = await uploads.create(client, files)
            sending = asyncio.create_task(uploads.resume(client, upload_id, files))
            some = f"SELECT received_bytes > {4 * PART_BYTES} FROM upload_file"
            await eventually(lambda: db.fetchval(some), timeout_s=60)
            await kill_both(program, sending)
        stored = await db.fetchval("SELECT received_bytes FROM upload_file")
        told = await resumed(program, issuer, upload_id, files)
    assert 4 * PART_BYTES < stored < LARGE_BYTES
    assert told[0] == stored
    assert sum(told) == LARGE_BYTES
    with path.open("rb") as file:
        expected = hashlib.file_digest(file, "sha256").hexdigest()
    assert await db.fetchval("SELECT sha256 FROM upload_file") == expected
    await db.close()


async def test_both_sides_are_killed_and_what_was_stored_is_not_sent_again(
    settings: Settings, issuer: auth.TokenIssuer, folder: Path, tmp_path: Path
) -> None:
    """At most the pack that was being written comes twice; the service's memory does not grow with it."""
    files = uploads.local_files([folder])
    db = await Database.connect(settings.database_url, max_size=1)
    async with running_program(settings, tmp_path / "log") as program:
        async with client_of(await program.address(), issuer) as client:
            upload_id = await uploads.create(client, files)
            sending = asyncio.create_task(uploads.resume(client, upload_id, files))
            packed = "SELECT count(*) > 1000 FROM upload_file WHERE is_complete"
            await eventually(lambda: db.fetchval(packed), timeout_s=60)
            await kill_both(program, sending)
        stored = await db.fetchval("SELECT sum(received_bytes)::bigint FROM upload_file")
        told = await resumed(program, issuer, upload_id, files)
    assert stored > 20 * MIB
    assert sum(told) == sum(file.size_bytes for file in files)
    await db.close()
    async with opened(SERVICE, settings) as runtime:
        await check(runtime, upload_id, files)
