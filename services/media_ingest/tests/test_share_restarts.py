"""What is found in a share and what is copied from it stays so when the service is killed."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from frameyard.media.v1 import media_pb2
from frameyard.media.v1.media_events_pb2 import MediaIndexed
from frameyard.media.v1.media_pb2 import MediaSource, ShareSource
from yard.media.manifest import ManifestImage, write_images
from yard.media_ingest.domain.uploads import MIB, PART_BYTES
from yard.media_ingest.handlers.expanding import PART_FILES
from yard.media_ingest.service import SERVICE
from yard.media_ingest.settings import Settings
from yard.runtime import app, auth
from yard.runtime.app.lifecycle import opened
from yard.runtime.blobs import Blobs
from yard.testkit import eventually
from yard.testkit.fixtures import SettingsFor

from services.media_ingest.tests.contents import SIZE, photo
from services.media_ingest.tests.killing import killed
from services.media_ingest.tests.neighbours import TaskSide
from services.media_ingest.tests.plans import read_plan

NAMES = [f"set/{number:06d}.jpg" for number in range(2 * PART_FILES + 5_000)]
LARGE = 160 * MIB
MARK = 777


@pytest.fixture
def nas(tmp_path: Path) -> Path:
    root = tmp_path / "nas"
    (root / "set").mkdir(parents=True)
    return root


@pytest.fixture
def settings(settings_for: SettingsFor, issuer: auth.TokenIssuer, nas: Path, tmp_path: Path) -> Settings:
    ports = str(tmp_path / "ports.json")
    return settings_for(Settings, jwks=issuer.jwks, shares=(f"nas={nas}",), port_file=ports)


def fill(nas: Path) -> None:
    """Very many names of one picture, and what describes them."""
    first = nas / NAMES[0]
    first.write_bytes(photo())
    for name in NAMES[1:]:
        os.link(first, nas / name)
    width, height = SIZE
    lines = (ManifestImage(name=name, width=width, height=height) for name in NAMES)
    (nas / "set/manifest.jsonl").write_bytes(b"".join(write_images(lines)))


async def keys(blobs: Blobs, media_id: str, below: str) -> list[str]:
    return [blob.key async for blob in blobs.list(f"media/{media_id}/{below}")]


async def test_a_killed_listing_goes_on(
    settings: Settings, task: TaskSide, nas: Path, tmp_path: Path
) -> None:
    fill(nas)
    # With a pattern the folder is listed, although it has a manifest.
    source = MediaSource(share=ShareSource(share="nas", paths=["set"], exclude=["*.txt"]))
    async with killed(settings, tmp_path) as process:
        media_id = await task.request(sources=[source])
        await eventually(lambda: keys(process.blobs, media_id, "index/share-0/"), timeout_s=60.0)
    async with opened(SERVICE, settings) as runtime:
        done = await keys(runtime.blobs, media_id, "index/share-0/")
        assert 1 <= len(done) <= 2, "it was not killed while it listed"
        for key in done:
            await mark(runtime.blobs, key)
    async with app.serving(SERVICE, settings) as running:
        event = await task.outcome(media_id)
        assert isinstance(event, MediaIndexed), event
        images = (await read_plan(running, event.media)).images
    assert [image.name for image in images] == NAMES
    changed = [number for number, image in enumerate(images) if image.size == MARK]
    assert changed == [number * PART_FILES for number in range(len(done))]


async def mark(blobs: Blobs, key: str) -> None:
    """Changes the length of the first file of a part, so that it shows whether it was looked at again."""
    first, rest = (await blobs.get(key)).split(b"\n", 1)
    path, _, *kind = json.loads(first)
    await blobs.put(key, json.dumps([path, MARK, *kind]).encode() + b"\n" + rest)


async def test_a_killed_copy_goes_on(settings: Settings, task: TaskSide, nas: Path, tmp_path: Path) -> None:
    for number in range(3):
        with (nas / f"set/{number}.jpg").open("wb") as file:
            file.write(photo(number))
            file.truncate(LARGE)
    source = MediaSource(share=ShareSource(share="nas", paths=["set"]))
    async with killed(settings, tmp_path) as process:
        media_id = await task.request(sources=[source], copy_data=True)
        await eventually(lambda: second_begun(process.blobs, media_id), timeout_s=60.0)
    async with opened(SERVICE, settings) as runtime:
        blobs = runtime.blobs
        before = {blob.key: blob.modified async for blob in blobs.list(f"media/{media_id}/packs/")}
        parts = await stored(blobs, media_id, 1)
        assert (len(before), parts < LARGE // PART_BYTES) == (1, True), "it was not killed in the middle"
        reached = await runtime.db.fetchval("SELECT progress FROM operation")
    for number in range(2):
        overwrite(nas / f"set/{number}.jpg", [0] if number else [0, LARGE - 1])
    async with app.serving(SERVICE, settings) as running:
        event = await task.outcome(media_id)
        assert isinstance(event, MediaIndexed), event
        plan, blobs = await read_plan(running, event.media), running.runtime.blobs
        assert [image.name for image in plan.images] == [f"set/{number}.jpg" for number in range(3)]
        for number, copy in enumerate(plan.head.sources):
            assert await blobs.get(copy.key) == photo(number).ljust(LARGE, b"\0")
        after = {blob.key: blob.modified async for blob in blobs.list(f"media/{media_id}/packs/")}
    assert len(after) == 3
    assert before.items() <= after.items()
    told = [each.progress for each in task.progress if each.progress]
    assert told == sorted(told)
    assert reached <= told[-1]
    assert event.media.kind == media_pb2.MEDIA_KIND_IMAGES


def overwrite(path: Path, places: list[int]) -> None:
    """Bytes that were copied already: nobody may read them again."""
    status = path.stat()
    with path.open("r+b") as file:
        for place in places:
            file.seek(place)
            file.write(b"\x01")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


async def second_begun(blobs: Blobs, media_id: str) -> bool:
    """The first file is copied, and two parts of the next one."""
    return await stored(blobs, media_id, 1) >= 2


async def stored(blobs: Blobs, media_id: str, number: int) -> int:
    """Parts of a copy that is under way."""
    marks = await keys(blobs, media_id, f"index/copy/{number}")
    if not marks:
        return 0
    upload = (await blobs.get(marks[0])).decode()
    parts = blobs.in_parts(f"media/{media_id}/packs/{number}")
    return len([part async for part in parts.stored(upload)])
