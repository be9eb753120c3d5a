"""The same media wherever its bytes lie: among others in a pack, or in a share."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from pathlib import Path

import pytest
from frameyard.media.v1.media_pb2 import MediaSource, ShareSource
from yard.media_ingest.settings import Settings
from yard.runtime import app, auth
from yard.testkit.fixtures import SettingsFor

from services.media_ingest.tests.contents import animation, clip, photo, photos
from services.media_ingest.tests.neighbours import Client, TaskSide
from services.media_ingest.tests.packs import stream
from services.media_ingest.tests.plans import read_plan
from services.media_ingest.tests.test_archives import (
    FILES,
    ORDERED,
    check_frames,
    deflated,
    document,
    tarred,
    zipped,
)

ARCHIVES = {
    "stored": zipped(FILES),
    "deflated": deflated(FILES),
    "tar": tarred(FILES),
    "gz": gzip.compress(tarred(FILES)),
}


@pytest.fixture
def settings(settings_for: SettingsFor, issuer: auth.TokenIssuer, nas: Path) -> Settings:
    return settings_for(Settings, jwks=issuer.jwks, index_batch_files=4, shares=(f"nas={nas}",))


async def packed(ann: Client, files: Mapping[str, bytes]) -> list[object]:
    """A finished upload whose files lie in one pack."""
    upload = await ann.open(files)
    await ann.uploads.UploadFiles(stream(upload, enumerate(files.values())))
    return [await ann.finish(upload)]


@pytest.mark.parametrize("kind", list(ARCHIVES))
async def test_archives_in_packs(
    kind: str, ann: Client, task: TaskSide, running: app.Running[Settings]
) -> None:
    [upload] = await packed(ann, {"read.me": b"before it", "a": ARCHIVES[kind], "z.txt": b"behind it"})
    media = await task.media(upload)  # type: ignore[arg-type]
    assert await check_frames(running, media) == ORDERED


async def test_videos_and_documents_in_packs(
    ann: Client, task: TaskSide, running: app.Running[Settings]
) -> None:
    for content, size in ((clip(), 40), (document(3), 3)):
        [upload] = await packed(ann, {"read.me": b"before it", "a": content})
        media = await task.media(upload)  # type: ignore[arg-type]
        assert media.size == size
        [source] = (await read_plan(running, media)).head.sources
        blobs = running.runtime.blobs
        assert await blobs.get(source.key, offset=source.offset, length=source.size_bytes) == content


async def test_many_images_of_a_pack_are_one_source(
    ann: Client, task: TaskSide, running: app.Running[Settings]
) -> None:
    names = [f"{number:03d}.jpg" for number in range(20)]
    files = {**dict(reversed(photos(*names).items())), "moving.gif": animation(3)}
    [upload] = await packed(ann, files)
    media = await task.media(upload)  # type: ignore[arg-type]
    assert await check_frames(running, media) == [
        *names,
        *(f"moving.gif/{page:06d}.png" for page in range(3)),
    ]
    [source] = (await read_plan(running, media)).head.sources
    assert source.size_bytes == sum(map(len, files.values()))


@pytest.mark.parametrize("is_copied", [False, True])
@pytest.mark.parametrize("kind", list(ARCHIVES))
async def test_archives_in_shares(
    kind: str, is_copied: bool, nas: Path, task: TaskSide, running: app.Running[Settings]
) -> None:
    (nas / "sets").mkdir()
    (nas / "sets/a").write_bytes(ARCHIVES[kind])
    source = MediaSource(share=ShareSource(share="nas", paths=["sets"]))
    media = await task.media(sources=[source], copy_data=is_copied)
    head = (await read_plan(running, media)).head
    if not is_copied and kind != "gz":
        assert [(source.share, source.key, source.is_tree) for source in head.sources] == [
            ("nas", "sets/a", False)
        ]
        assert (await read_plan(running, media)).names == ORDERED
    else:
        assert await check_frames(running, media) == ORDERED


async def test_images_of_a_share_are_one_tree(
    nas: Path, task: TaskSide, running: app.Running[Settings]
) -> None:
    (nas / "set").mkdir()
    for number in range(9):
        (nas / f"set/{number}.jpg").write_bytes(photo(number))
    (nas / "set/moving.gif").write_bytes(animation(2))
    source = MediaSource(share=ShareSource(share="nas", paths=["set"]))
    media = await task.media(sources=[source])
    plan = await read_plan(running, media)
    sources = [(source.is_tree, source.key) for source in plan.head.sources]
    assert sources == [(True, ""), (False, "set/moving.gif")]
    assert [(image.source, image.method) for image in plan.images] == [(0, "whole")] * 9 + [(1, "page")] * 2
