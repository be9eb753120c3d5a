"""A build whose source does not answer ends in time, names the file, and can be driven again."""

import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from frameyard.chunk.v1.chunk_events_pb2 import ChunksBuilt, ChunksFailed
from frameyard.media.v1 import media_pb2
from yard.chunking.handlers.building_runs import SOURCE_AWAY
from yard.chunking.settings import Settings
from yard.embedded.servers.nats import Nats
from yard.media.index_block import ImageAddress, encode_frames
from yard.media.plan import Source
from yard.runtime import auth, dead_letters, errors
from yard.runtime.blobs import Blobs
from yard.runtime.db import Database
from yard.testkit.eventually import eventually
from yard.testkit.fixtures import SettingsFor

from services.chunking.tests.media_side import MediaSide, opened
from services.chunking.tests.test_images import PICTURES
from services.chunking.tests.test_sharing import replica

PLAIN = [picture for picture in PICTURES if picture.orientation == 1][:6]


@pytest.fixture
def nas(tmp_path: Path) -> Path:
    folder = tmp_path / "nas"
    (folder / "set").mkdir(parents=True)
    for picture in PLAIN:
        path = folder / "set" / picture.name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(picture.content)
    return folder


@pytest.fixture
def settings(settings_for: SettingsFor, issuer: auth.TokenIssuer) -> Settings:
    return settings_for(Settings, jwks=issuer.jwks, source_attempts=2)


@pytest.fixture
async def side(settings: Settings, nats_server: Nats) -> AsyncIterator[MediaSide]:
    blobs = Blobs.connect(settings)
    async with MediaSide.connected(blobs, nats_server.url, nats_server.token) as side:
        yield side
    await blobs.close()


@pytest.fixture
async def db(settings: Settings) -> AsyncIterator[Database]:
    db = await Database.connect(settings.database_url, max_size=2)
    yield db
    await db.close()


def source(name: str, content: bytes) -> Source:
    return Source(key=f"set/{name}", name=name, size_bytes=len(content), sha256="", share="nas")


def address(number: int) -> ImageAddress:
    width, height = opened(PLAIN[number].content).size
    return ImageAddress(name=PLAIN[number].name, source=number, width=width, height=height)


async def without_delays(side: MediaSide, db: Database, media: media_pb2.Media) -> list[Any]:
    """What is told of the media, while work that waits for its next try need not wait."""
    await db.execute("UPDATE work SET run_after = now() WHERE state = 'queued'")
    return side.told(media)


async def test_a_share_that_never_answers_ends_the_build_and_redriving_builds_it(
    side: MediaSide, db: Database, settings: Settings, nas: Path
) -> None:
    sources = [source(picture.name, picture.content) for picture in PLAIN]
    block = encode_frames([address(number) for number in range(len(PLAIN))])
    async with replica(settings):
        media = await side.placed("images", sources, block, len(PLAIN), use_cache=False, chunk_size=2)
        [failed] = await eventually(lambda: without_delays(side, db, media), timeout_s=60)
    assert isinstance(failed, ChunksFailed)
    fault = errors.from_status(failed.error)
    assert fault.reason == SOURCE_AWAY
    assert fault.metadata == {"file": PLAIN[0].name, "share": "nas"}
    assert await db.fetchval("SELECT state FROM operation") == "FAILED"
    [letter] = await dead_letters.list_open(db)
    assert letter.handler == "work:build_run"
    async with replica(dataclasses.replace(settings, shares=(f"nas={nas}",))):
        [outcome] = await dead_letters.redrive(db, [], [letter.id])
        assert not outcome.error
        built = await eventually(lambda: side.told(media)[1:], timeout_s=30)
    assert [type(event) for event in built] == [ChunksBuilt]
    row = await db.fetchrow("SELECT state, error FROM operation")
    assert row is not None
    assert (row["state"], row["error"]) == ("SUCCEEDED", None)
