"""What is indexed of an archive stays so when its process is killed; what is not wanted goes."""

from __future__ import annotations

import gzip
from datetime import datetime
from pathlib import Path

import pytest
from frameyard.media.v1.media_events_pb2 import MediaIndexed
from frameyard.task.v1.task_events_pb2 import MediaRequestCancelled
from yard.media_ingest.service import SERVICE
from yard.media_ingest.settings import Settings
from yard.runtime import app, auth, clock
from yard.runtime.app.lifecycle import opened
from yard.runtime.blobs import Blobs
from yard.runtime.db import Database
from yard.testkit import eventually
from yard.testkit.fixtures import SettingsFor
from yard.testkit.service_program import ServiceProgram, end_leases_of_work

from services.media_ingest.tests.conftest import ANN
from services.media_ingest.tests.contents import photo
from services.media_ingest.tests.neighbours import TaskSide, client_at
from services.media_ingest.tests.plans import read_plan
from services.media_ingest.tests.test_archives import check_frames, tarred, zipped

NAMES = [f"{number:04d}.jpg" for number in range(3_000)]
FILES = {name: photo(number % 3) for number, name in enumerate(NAMES)}
PACKED = gzip.compress(tarred(FILES), 1)


@pytest.fixture
def settings(settings_for: SettingsFor, issuer: auth.TokenIssuer, tmp_path: Path) -> Settings:
    ports = str(tmp_path / "ports.json")
    return settings_for(Settings, jwks=issuer.jwks, index_batch_files=1, port_file=ports)


async def begin(
    address: str, issuer: auth.TokenIssuer, task: TaskSide, settings: Settings, content: bytes
) -> str:
    """Media in the middle of its indexing."""
    async with client_at(address, issuer.issue(ANN).token) as ann:
        media_id = await task.request(await ann.upload({"set": content}))
    db = await Database.connect(settings.database_url, max_size=1)
    await eventually(lambda: db.fetchval("SELECT count(*) > 2 FROM index_batch"), timeout_s=20)
    await db.close()
    return media_id


async def written(blobs: Blobs, media_id: str, folder: str) -> dict[str, datetime | None]:
    """When each object was."""
    return {found.key: found.modified async for found in blobs.list(f"media/{media_id}/{folder}/")}


@pytest.mark.parametrize(
    ("content", "folder"), [(PACKED, "unpacked"), (zipped(FILES), "index"), (tarred(FILES), "index")]
)
async def test_a_killed_indexing_of_an_archive_goes_on(
    content: bytes,
    folder: str,
    settings: Settings,
    issuer: auth.TokenIssuer,
    task: TaskSide,
    tmp_path: Path,
) -> None:
    program = ServiceProgram(settings, log=tmp_path / "log")
    address = await program.address()
    media_id = await begin(address, issuer, task, settings, content)
    program.kill()
    async with opened(SERVICE, settings) as runtime:
        await end_leases_of_work(runtime.db)
        rows = await runtime.db.fetch("SELECT blob_key, result FROM index_batch ORDER BY number")
        done = [row["result"]["pack"]["key"] if folder == "unpacked" else row["blob_key"] for row in rows]
        before = await written(runtime.blobs, media_id, folder)
    assert 2 < len(done) < len(NAMES) / 20
    async with app.serving(SERVICE, settings) as running:
        if folder == "index":  # these objects go at the end
            await eventually(lambda: running.runtime.db.fetchval("SELECT count(*) > 20 FROM index_batch"))
            after = await written(running.runtime.blobs, media_id, folder)
            assert not after or {key: after.get(key) for key in done} == {key: before[key] for key in done}
        event = await task.outcome(media_id)
        assert isinstance(event, MediaIndexed), event
        assert await check_frames(running, event.media) == NAMES
        assert len((await read_plan(running, event.media)).head.sources) == (
            150 if folder == "unpacked" else 1
        )
        if folder == "unpacked":
            after = await written(running.runtime.blobs, media_id, folder)
            assert {key: after[key] for key in done} == {key: before[key] for key in done}
            assert len(after) == 150


async def test_a_cancelled_indexing_of_an_archive_leaves_nothing(
    settings: Settings, issuer: auth.TokenIssuer, task: TaskSide
) -> None:
    async with app.serving(SERVICE, settings) as running:
        media_id = await begin(running.address, issuer, task, settings, PACKED)
        begun = clock.now()
        await task.publish(MediaRequestCancelled(media_id=media_id, task_id=7), 7)

        async def is_free() -> bool:
            rows = await running.runtime.db.fetchval("SELECT count(*) FROM index_batch")
            return not rows and not [found async for found in running.runtime.blobs.list("media/")]

        await eventually(is_free, timeout_s=20)
        assert (clock.now() - begun).total_seconds() < 5
        assert await running.runtime.db.fetchval("SELECT state FROM operation") == "CANCELLED"
        assert task.told(media_id) == []
