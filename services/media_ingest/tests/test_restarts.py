"""Indexing that is stopped or killed goes on in the next process, and keeps what was done."""

from __future__ import annotations

from pathlib import Path

import pytest
from frameyard.media.v1.media_events_pb2 import MediaIndexed
from yard.media.index_block import ImageAddress, encode_frames
from yard.media_ingest.service import SERVICE
from yard.media_ingest.settings import Settings
from yard.runtime import app, auth
from yard.runtime.app.lifecycle import opened
from yard.runtime.blobs import Blobs
from yard.runtime.db import Database
from yard.testkit import eventually
from yard.testkit.fixtures import SettingsFor
from yard.testkit.service_program import ServiceProgram, end_leases_of_work

from services.media_ingest.tests.conftest import ANN
from services.media_ingest.tests.contents import photos
from services.media_ingest.tests.neighbours import TaskSide, client_at
from services.media_ingest.tests.plans import read_plan

NAMES = [f"{number:03d}.jpg" for number in range(90)]
MARK = "kept-from-before.jpg"


@pytest.fixture
def settings(settings_for: SettingsFor, issuer: auth.TokenIssuer, tmp_path: Path) -> Settings:
    return settings_for(
        Settings,
        jwks=issuer.jwks,
        index_batch_files=1,
        drain_timeout_s=0.2,
        port_file=str(tmp_path / "ports.json"),
    )


async def begin(address: str, issuer: auth.TokenIssuer, task: TaskSide, db: Database) -> str:
    """Media in the middle of its indexing."""
    async with client_at(address, issuer.issue(ANN).token) as ann:
        media_id = await task.request(await ann.upload(photos(*NAMES)))
    await eventually(lambda: db.fetchval("SELECT count(*) > 2 FROM index_batch"))
    return media_id


async def mark(db: Database, blobs: Blobs) -> list[int]:
    """Changes the blocks that are done, so that it shows who reads them; returns their numbers."""
    rows = await db.fetch("SELECT number, blob_key FROM index_batch ORDER BY number")
    for row in rows:
        address = ImageAddress(name=MARK, width=1, height=1, source=row["number"])
        await blobs.put(row["blob_key"], encode_frames([address]))
    return [row["number"] for row in rows]


async def check(running: app.Running[Settings], task: TaskSide, media_id: str, done: list[int]) -> None:
    event = await task.outcome(media_id)
    assert isinstance(event, MediaIndexed)
    assert event.media.size == len(NAMES)
    names = (await read_plan(running, event.media)).names
    assert 2 < len(done) < len(NAMES)
    assert names == [MARK if number in done else name for number, name in enumerate(NAMES)]
    assert task.told(media_id) == [event]
    assert await running.runtime.db.fetchval("SELECT count(*) FROM index_batch") == 0


async def test_a_stopped_indexing_goes_on(
    settings: Settings, issuer: auth.TokenIssuer, task: TaskSide, db: Database
) -> None:
    async with app.serving(SERVICE, settings) as running:
        media_id = await begin(running.address, issuer, task, db)
    async with opened(SERVICE, settings) as runtime:
        done = await mark(db, runtime.blobs)
    async with app.serving(SERVICE, settings) as running:
        await check(running, task, media_id, done)


async def test_a_killed_indexing_goes_on(
    settings: Settings, issuer: auth.TokenIssuer, task: TaskSide, db: Database, tmp_path: Path
) -> None:
    program = ServiceProgram(settings, log=tmp_path / "log")
    address = await program.address()
    media_id = await begin(address, issuer, task, db)
    program.kill()
    await end_leases_of_work(db)
    async with opened(SERVICE, settings) as runtime:
        done = await mark(db, runtime.blobs)
    async with app.serving(SERVICE, settings) as running:
        await check(running, task, media_id, done)
