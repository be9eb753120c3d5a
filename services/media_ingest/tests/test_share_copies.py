"""Copying from shares that go away meanwhile."""

from __future__ import annotations

from pathlib import Path

import pytest
from frameyard.media.v1 import media_events_pb2
from frameyard.media.v1.media_pb2 import MediaSource, ShareSource
from frameyard.task.v1.task_events_pb2 import MediaRequestCancelled
from yard.embedded.servers.s3 import S3
from yard.media_ingest.domain.files import Place
from yard.media_ingest.handlers.context import Ingest
from yard.media_ingest.handlers.places import source_of
from yard.media_ingest.settings import Settings
from yard.runtime import app, auth, errors, shares
from yard.runtime.blobs import BlobStat
from yard.testkit.eventually import eventually
from yard.testkit.fixtures import SettingsFor, s3_client

from services.media_ingest.tests.contents import clip, photo
from services.media_ingest.tests.neighbours import TaskSide
from services.media_ingest.tests.plans import read_plan

LARGE = 24 * 1024 * 1024
NAMES = [f"{number}.jpg" for number in range(6)]
EVERYTHING = MediaSource(share=ShareSource(share="nas", paths=[""]))


@pytest.fixture
def nas(tmp_path: Path) -> Path:
    """Pictures that are followed by zeros, so that copying takes a while."""
    root = tmp_path / "nas"
    root.mkdir()
    for number, name in enumerate(NAMES):
        with (root / name).open("wb") as file:
            file.write(photo(number))
            file.truncate(LARGE)
    return root


@pytest.fixture
def settings(settings_for: SettingsFor, issuer: auth.TokenIssuer, nas: Path) -> Settings:
    return settings_for(Settings, jwks=issuer.jwks, shares=(f"nas={nas}",))


async def objects(running: app.Running[Settings], media_id: str, below: str = "") -> list[BlobStat]:
    return [blob async for blob in running.runtime.blobs.list(f"media/{media_id}/{below}")]


async def interrupted(task: TaskSide, running: app.Running[Settings], nas: Path) -> str:
    """Media whose first file is copied when the share goes away."""
    media_id = await task.request(sources=[EVERYTHING], copy_data=True)
    await eventually(lambda: objects(running, media_id, "packs/"), timeout_s=30.0)
    nas.rename(nas.parent / "away")
    waiting = "SELECT count(*) > 0 FROM work WHERE last_error LIKE '%not connected%'"
    await eventually(lambda: running.runtime.db.fetchval(waiting), timeout_s=30.0)
    return media_id


async def test_copying_goes_on_where_it_ended(
    task: TaskSide, running: app.Running[Settings], nas: Path
) -> None:
    media_id = await interrupted(task, running, nas)
    before = {blob.key: blob.modified for blob in await objects(running, media_id, "packs/")}
    assert 0 < len(before) < len(NAMES)
    (nas.parent / "away").rename(nas)
    event = await task.outcome(media_id)
    assert isinstance(event, media_events_pb2.MediaIndexed)
    after = {blob.key: blob.modified for blob in await objects(running, media_id, "packs/")}
    assert len(after) == len(NAMES)
    assert before.items() <= after.items()
    plan = await read_plan(running, event.media)
    for number, source in enumerate(plan.head.sources):
        start = await running.runtime.blobs.get(source.key, length=len(photo(number)))
        assert (start, source.size_bytes) == (photo(number), LARGE)


async def test_copying_that_is_not_wanted_any_more_leaves_nothing(
    task: TaskSide, running: app.Running[Settings], nas: Path, s3_server: S3, settings: Settings
) -> None:
    media_id = await interrupted(task, running, nas)
    await task.publish(MediaRequestCancelled(media_id=media_id, task_id=7), 7)

    async def is_free() -> bool:
        return not await objects(running, media_id)

    await eventually(is_free, timeout_s=30.0)
    client = s3_client(s3_server)
    open_uploads = client._list_multipart_uploads(settings.s3_bucket)
    assert open_uploads.uploads == []


async def test_a_file_that_goes_while_it_is_read_ends_the_media(
    running: app.Running[Settings], settings: Settings, nas: Path
) -> None:
    connected = shares.connect(settings, settings.shares)
    ingest = Ingest(runtime=running.runtime, shares=connected)
    source = source_of(ingest, Place(key="0.jpg", size_bytes=LARGE, share="nas"))
    assert (await source.read(0, 3), source.size) == (b"\xff\xd8\xff", LARGE)
    (nas / "0.jpg").unlink()
    with pytest.raises(errors.FailedPrecondition, match="is not in the share nas any more") as gone:
        await source.read(0, 3)
    assert gone.value.metadata["file"] == "0.jpg"
    nas.rename(nas.parent / "away")
    with pytest.raises(errors.Unavailable, match="not connected"):
        await source.read(0, 3)
    await connected.close()


async def test_a_video_of_a_share_is_known_by_when_it_was_changed(
    task: TaskSide, running: app.Running[Settings], settings: Settings, nas: Path
) -> None:
    film = nas / "film.mp4"
    film.write_bytes(clip())
    media = await task.media(sources=[MediaSource(share=ShareSource(share="nas", paths=["film.mp4"]))])
    [source] = (await read_plan(running, media)).head.sources
    assert source.stamp == film.stat().st_mtime_ns
    connected = shares.connect(settings, settings.shares)
    film.write_bytes(bytes(source.size_bytes))
    place = Place(key=source.key, size_bytes=source.size_bytes, share="nas", stamp=source.stamp)
    with pytest.raises(errors.FailedPrecondition, match=r"film\.mp4 in the share nas has changed"):
        await source_of(Ingest(runtime=running.runtime, shares=connected), place).read(0, 10)
    await connected.close()
