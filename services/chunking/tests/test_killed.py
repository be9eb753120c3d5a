"""A build whose process is killed goes on in the next one, and does no finished chunk again."""

import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from frameyard.media.v1 import media_pb2
from yard.chunking.settings import Settings
from yard.embedded.servers.nats import Nats
from yard.media.synthetic import make_demo_video
from yard.runtime import auth, rpc
from yard.runtime.blobs import Blobs
from yard.runtime.db import Database
from yard.testkit.eventually import eventually
from yard.testkit.fixtures import SettingsFor
from yard.testkit.service_program import ServiceProgram, end_leases_of_work

from services.chunking.tests.conftest import EXPORT
from services.chunking.tests.media_side import MediaSide, Viewer, numbers_in_zip

FRAMES, CHUNK = 150, 5


@pytest.fixture
def settings(settings_for: SettingsFor, issuer: auth.TokenIssuer, tmp_path: Path) -> Settings:
    return settings_for(Settings, jwks=issuer.jwks, port_file=str(tmp_path / "ports.json"))


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


async def finished(db: Database) -> dict[int, object]:
    """When each chunk was finished."""
    rows = await db.fetch("SELECT first_frame, built_at FROM chunk WHERE state = 'built'")
    return {row["first_frame"]: row["built_at"] for row in rows}


async def _are_some_finished(db: Database) -> bool:
    return len(await finished(db)) >= 3


async def _are_all_finished(db: Database) -> bool:
    assert len(await finished(db)) == FRAMES // CHUNK, await finished(db)
    return True


async def test_a_build_goes_on_after_a_kill(
    side: MediaSide, db: Database, settings: Settings, issuer: auth.TokenIssuer, tmp_path: Path
) -> None:
    video = make_demo_video(tmp_path / "demo.mp4", FRAMES // 30, (960, 540))
    program = ServiceProgram(settings, log=tmp_path / "log")
    await program.address()
    media = await side.video(video, use_cache=False, chunk_size=CHUNK)
    await eventually(lambda: _are_some_finished(db), timeout_s=30)
    program.kill()
    before = await finished(db)
    assert 3 <= len(before) < FRAMES // CHUNK
    await end_leases_of_work(db)
    await db.execute("UPDATE chunk SET lease_until = now() - interval '1 second'")
    program.restart()
    await eventually(lambda: _are_all_finished(db), timeout_s=60)
    [told] = await eventually(lambda: side.told(media), timeout_s=30)
    assert told.chunk_count == FRAMES // CHUNK
    after = await finished(db)
    assert len(after) == FRAMES // CHUNK
    assert {first: after[first] for first in before} == before
    await _check_pictures(media, await program.address(), issuer)
    program.interrupt()
    assert program.wait() == 0


async def _check_pictures(media: media_pb2.Media, address: str, issuer: auth.TokenIssuer) -> None:
    async with rpc.channel(address, token=issuer.issue(EXPORT).token) as channel:
        viewer = Viewer.over(channel, EXPORT)
        shown = [
            number
            for chunk in range(FRAMES // CHUNK)
            for number in numbers_in_zip((await viewer.chunk(media, chunk))[1])
        ]
    assert shown == list(range(FRAMES))


async def holders(db: Database) -> set[str]:
    """Who runs parts of builds at this moment."""
    rows = await db.fetch("SELECT lease_holder FROM work WHERE kind = 'build_run' AND state = 'running'")
    return {row["lease_holder"] for row in rows}


async def have_both_built(db: Database) -> bool:
    rows = await db.fetch("SELECT DISTINCT holder FROM built_log")
    return len(rows) == 2


LOG_BUILT = """
CREATE TABLE built_log (holder text, first_frame bigint);
CREATE FUNCTION log_built() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO built_log VALUES (old.holder, new.first_frame);
    RETURN NULL;
END $$;
CREATE TRIGGER log_built AFTER UPDATE ON chunk
    FOR EACH ROW WHEN (new.state = 'built' AND old.state = 'building') EXECUTE FUNCTION log_built();
"""


async def _started(settings: Settings, folder: Path) -> tuple[ServiceProgram, str]:
    """A replica, and its address."""
    folder.mkdir()
    own = dataclasses.replace(settings, port_file=str(folder / "ports.json"))
    program = ServiceProgram(own, log=folder / "log")
    return program, await program.address()


async def test_one_of_two_replicas_is_killed(
    side: MediaSide, db: Database, settings: Settings, tmp_path: Path
) -> None:
    video = make_demo_video(tmp_path / "demo.mp4", 60, (640, 360))
    first, of_dead = await _started(settings, tmp_path / "one")
    await db.execute(LOG_BUILT)
    media = await side.video(video, use_cache=False, chunk_size=CHUNK)
    await eventually(lambda: _are_some_finished(db), timeout_s=30)
    [of_first] = await holders(db)
    second, _ = await _started(settings, tmp_path / "two")
    await eventually(lambda: have_both_built(db), timeout_s=30)
    first.kill()
    before = await finished(db)
    assert len(before) < media.size // CHUNK
    # Nobody need wait here for the leases of the dead to run out.
    past = "now() - interval '1 second'"
    await db.execute(f"UPDATE work SET lease_until = {past} WHERE lease_holder = $1", of_first)
    await db.execute(
        f"UPDATE chunk SET lease_until = {past} WHERE state = 'building' AND holder = $1",
        of_dead,
    )
    [told] = await eventually(lambda: side.told(media), timeout_s=60)
    assert told.chunk_count == media.size // CHUNK
    rows = await db.fetch("SELECT first_frame FROM built_log ORDER BY first_frame")
    assert [row["first_frame"] for row in rows] == list(range(0, media.size, CHUNK))
    after = await finished(db)
    assert {first: after[first] for first in before} == before
    second.interrupt()
    assert second.wait() == 0
