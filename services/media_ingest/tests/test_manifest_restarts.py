"""The lines of a manifest that are read stay so when the service is killed."""

from __future__ import annotations

from pathlib import Path

import pytest
from frameyard.media.v1.media_events_pb2 import MediaIndexed
from frameyard.media.v1.media_pb2 import MediaSource, ShareSource
from yard.media.batch_stream import BatchStream, IndexedBatch, batch_end
from yard.media.index_block import decode_columns, encode_columns
from yard.media_ingest.service import SERVICE
from yard.media_ingest.settings import Settings
from yard.runtime import app, auth
from yard.runtime.app.lifecycle import opened
from yard.runtime.blobs import Blobs, BlobStat
from yard.testkit import eventually
from yard.testkit.fixtures import SettingsFor

from services.media_ingest.tests.contents import photo
from services.media_ingest.tests.killing import killed
from services.media_ingest.tests.neighbours import TaskSide
from services.media_ingest.tests.plans import read_plan

IMAGES = 400_000
PART = 10_000
TREE = MediaSource(share=ShareSource(share="nas", paths=["set"]))


def name_of(number: int) -> str:
    return f"{number:06d}.jpg"


@pytest.fixture
def nas(tmp_path: Path) -> Path:
    """A folder of which only the manifest, the first and the last image are looked at."""
    root = tmp_path / "nas"
    (root / "set").mkdir(parents=True)
    with (root / "set/manifest.jsonl").open("w") as manifest:
        manifest.write('{"version":"1.1"}\n{"type":"images"}\n')
        manifest.writelines(
            f'{{"name":"{number:06d}","extension":".jpg","width":640,"height":480}}\n'
            for number in range(IMAGES)
        )
    for name in (name_of(0), name_of(IMAGES - 1)):
        (root / "set" / name).write_bytes(photo())
    return root


@pytest.fixture
def settings(settings_for: SettingsFor, issuer: auth.TokenIssuer, nas: Path, tmp_path: Path) -> Settings:
    ports = str(tmp_path / "ports.json")
    return settings_for(Settings, jwks=issuer.jwks, shares=(f"nas={nas}",), port_file=ports)


async def parts(blobs: Blobs, media_id: str) -> list[BlobStat]:
    found = [blob async for blob in blobs.list(f"media/{media_id}/index/")]
    return [blob for blob in found if blob.key.endswith(".part")]


async def marked(blobs: Blobs, key: str) -> None:
    """Changes the size of the first image of a part, so that it shows whether it was read again."""
    [batch] = BatchStream().feed(await blobs.get(key))
    assert isinstance(batch, IndexedBatch)
    frames = decode_columns(batch.block)
    frames.columns["width"] = frames.columns["width"].copy()
    frames.columns["width"][0] = 777
    await blobs.put(key, batch_end(encode_columns(frames), batch.result))


async def test_a_killed_reading_of_a_manifest_goes_on(
    settings: Settings, task: TaskSide, tmp_path: Path
) -> None:
    async with killed(settings, tmp_path) as process:
        media_id = await task.request(sources=[TREE])
        await eventually(lambda: some_parts(process.blobs, media_id), timeout_s=60.0)
    async with opened(SERVICE, settings) as runtime:
        done = await parts(runtime.blobs, media_id)
        assert 2 <= len(done) < IMAGES / PART, "it was not killed while it read"
        for part in done:
            await marked(runtime.blobs, part.key)
    async with app.serving(SERVICE, settings) as running:
        event = await task.outcome(media_id)
        assert isinstance(event, MediaIndexed), event
        images = (await read_plan(running, event.media)).images
    assert [image.name for image in images] == [f"set/{name_of(number)}" for number in range(IMAGES)]
    changed = [number for number, image in enumerate(images) if image.width == 777]
    assert changed == [number * PART for number in range(len(done))]


async def some_parts(blobs: Blobs, media_id: str) -> bool:
    return len(await parts(blobs, media_id)) >= 2
