"""Two replicas: one media shared by runs, and each chunk built by one of them for both."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
from frameyard.chunk.v1 import chunk_peer_service_pb2 as peer_messages
from frameyard.chunk.v1 import chunk_peer_service_pb2_grpc as peer_stubs
from frameyard.chunk.v1 import chunk_service_pb2 as messages
from frameyard.chunk.v1.chunk_events_pb2 import ChunksBuilt
from frameyard.common.v1.common_pb2 import FrameRange
from frameyard.identity.v1 import identity_service_pb2 as identity_messages
from frameyard.identity.v1 import identity_service_pb2_grpc as identity_stubs
from frameyard.media.v1 import media_pb2
from frameyard.operation.v1 import operation_pb2
from yard.chunking.handlers import counting
from yard.chunking.service import SERVICE
from yard.chunking.settings import Settings
from yard.media.synthetic import make_demo_video
from yard.runtime import app, auth, rpc
from yard.runtime.db import Database
from yard.testkit import peers
from yard.testkit.eventually import eventually
from yard.testkit.fixtures import SettingsFor

from services.chunking.tests.claims import claims
from services.chunking.tests.conftest import ADMIN, ANN, EXPORT, Connect
from services.chunking.tests.counted import counted, gained
from services.chunking.tests.media_side import MediaSide, Viewer, all_stored, numbers_in_zip

CHUNKING = auth.Principal(user_id=0, username="chunking", role="service", service="chunking")
LONG = 30
"""Seconds of a video of three runs."""


class Identity(identity_stubs.IdentityServiceServicer):
    """Gives service accounts their tokens."""

    def __init__(self, issuer: auth.TokenIssuer) -> None:
        self._issuer = issuer

    async def IssueServiceToken(  # noqa: N802 - named as in the proto
        self, request: identity_messages.IssueServiceTokenRequest, context: Any
    ) -> identity_messages.IssueServiceTokenResponse:
        issued = self._issuer.issue(dataclasses.replace(CHUNKING, service=request.service))
        answer = identity_messages.IssueServiceTokenResponse(access_token=issued.token)
        answer.expire_time.GetCurrentTime()
        answer.expire_time.seconds += 600
        return answer


def serving_identity(issuer: auth.TokenIssuer) -> AbstractAsyncContextManager[str]:
    """Its address."""
    identity = Identity(issuer)  # type: ignore[abstract]  # what is not asked is not answered
    return peers.serving(identity, [identity_stubs.add_IdentityServiceServicer_to_server])


@pytest.fixture
async def identity(issuer: auth.TokenIssuer) -> AsyncIterator[str]:
    async with serving_identity(issuer) as address:
        yield address


@pytest.fixture
def settings(settings_for: SettingsFor, issuer: auth.TokenIssuer, identity: str) -> Settings:
    return settings_for(Settings, jwks=issuer.jwks, identity_address=identity)


@asynccontextmanager
async def replica(settings: Settings) -> AsyncIterator[app.Running[Settings]]:
    async with app.serving(SERVICE, settings) as other:
        yield other


@pytest.fixture
async def other(running: app.Running[Settings], settings: Settings) -> AsyncIterator[app.Running[Settings]]:
    async with replica(settings) as other:
        yield other


async def count(db: Database, statement: str) -> int:
    return int(await db.fetchval(statement))


async def are_some_built(db: Database) -> bool:
    return await count(db, "SELECT count(*) FROM chunk WHERE state = 'built'") >= 3


def video(tmp_path: Path) -> Path:
    return make_demo_video(tmp_path / "demo.mp4", LONG, (320, 180))


async def test_replicas_share_one_media(
    side: MediaSide, db: Database, other: app.Running[Settings], connect: Connect, tmp_path: Path
) -> None:
    await db.execute(
        """
        CREATE TABLE holder_log (holder text, first_frame bigint);
        CREATE FUNCTION log_holder() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO holder_log VALUES (new.holder, new.first_frame);
            RETURN NULL;
        END $$;
        CREATE TRIGGER log_holder AFTER INSERT ON chunk FOR EACH ROW EXECUTE FUNCTION log_holder();
        """
    )
    media = await side.video(video(tmp_path), use_cache=False, chunk_size=15)
    [told] = await eventually(lambda: side.told(media), timeout_s=60)
    assert isinstance(told, ChunksBuilt)
    assert told.chunk_count == media.size // 15
    # Each chunk exactly once, some by each.
    assert await claims(db) == list(range(0, media.size, 15))
    assert await count(db, "SELECT count(DISTINCT holder) FROM holder_log") == 2
    viewer = connect(ANN, other.address)
    status = await viewer.status(media)
    assert status.built_count == status.chunk_count
    shown = [n for k in (0, 20, 59) for n in numbers_in_zip((await viewer.chunk(media, k))[1])]
    assert shown == [*range(15), *range(300, 315), *range(885, 900)]


async def test_a_replica_that_ends_leaves_its_runs_to_the_other(
    side: MediaSide, db: Database, settings: Settings, tmp_path: Path
) -> None:
    async with replica(settings):
        media = await side.video(video(tmp_path), use_cache=False, chunk_size=15)
        await eventually(lambda: are_some_built(db), timeout_s=30)
    [told] = await eventually(lambda: side.told(media), timeout_s=60)
    assert isinstance(told, ChunksBuilt)
    claimed = await claims(db)
    assert sorted(set(claimed)) == list(range(0, media.size, 15))
    # Only what was in the making is made again.
    assert len(claimed) <= media.size // 15 + 3


async def test_cancelling_ends_all_replicas(
    side: MediaSide,
    db: Database,
    running: app.Running[Settings],
    other: app.Running[Settings],
    connect: Connect,
    tmp_path: Path,
) -> None:
    media = await side.video(video(tmp_path), use_cache=False, chunk_size=5)
    await eventually(lambda: are_some_built(db), timeout_s=30)
    operations = running.runtime.operations
    operation_id = operations.parse((await connect(ANN).status(media)).operation)
    async with db.transaction() as tx:
        assert await operations.cancel(tx, operation_id)
    await eventually(lambda: _is_quiet(db), timeout_s=5)
    operation = await operations.get(operation_id, ADMIN)
    assert operation.state == operation_pb2.OPERATION_STATE_CANCELLED
    assert len(set(await claims(db))) < media.size // 5
    assert side.told(media) == []
    # What is asked for is built nevertheless.
    assert len(numbers_in_zip((await connect(ANN).chunk(media, media.size // 5 - 1))[1])) == 5


async def _is_quiet(db: Database) -> bool:
    """Nothing runs, and nothing will."""
    going = await count(db, "SELECT count(*) FROM work WHERE state IN ('queued', 'running')")
    return not going and not await count(db, "SELECT count(*) FROM chunk WHERE state = 'building'")


async def test_the_first_frame_comes_through_the_replica_that_builds(
    side: MediaSide, db: Database, other: app.Running[Settings], connect: Connect, tmp_path: Path
) -> None:
    path = make_demo_video(tmp_path / "demo.mp4", 20, (960, 540))
    media = await side.video(path, chunk_size=600)
    before = await counted(other)
    here, there = connect(ANN), connect(ANN, other.address)
    first = here.stub.GetChunk(here.request(media, number=0))
    begins = await _first_bytes(first)
    second = there.stub.GetChunk(there.request(media, number=0))
    begins_there = await _first_bytes(second)
    assert begins_there.startswith(b"PK\x03\x04")
    assert await db.fetchval("SELECT state FROM chunk") == "building"
    rest, rest_there = await asyncio.gather(_rest(first), _rest(second))
    assert begins + rest == begins_there + rest_there
    assert await claims(db) == [0]
    await all_stored(db)
    told = gained(before, await counted(other), counting.REQUESTS)
    assert told == {("chunk", "built"): 1, ("chunk", "peer"): 1}


async def test_a_preview_comes_through_the_replica_that_builds(
    side: MediaSide, db: Database, other: app.Running[Settings], connect: Connect, tmp_path: Path
) -> None:
    media = await side.video(video(tmp_path))
    viewers = [connect(ANN, address) for address in ("", other.address)]
    previews = await asyncio.gather(*(viewer.preview(media, 3) for viewer in viewers * 3))
    assert len({preview.content for preview in previews}) == 1
    assert await claims(db) == [3]


async def test_who_finds_the_holder_gone_waits_for_the_row(
    side: MediaSide, db: Database, ann: Viewer, tmp_path: Path
) -> None:
    media = await side.video(video(tmp_path))
    await ann.chunk(media, 0)
    await all_stored(db)
    # Nobody listens there, and the lease ends in a moment.
    await db.execute(
        """
        UPDATE chunk
        SET state = 'building', holder = '127.0.0.1:9', lease_until = now() + interval '1 second'
        """
    )
    assert numbers_in_zip((await ann.chunk(media, 0))[1]) == list(range(10))


@pytest.mark.parametrize("caller", [ANN, ADMIN, EXPORT])
async def test_peers_are_only_our_own_replicas(
    caller: auth.Principal,
    side: MediaSide,
    running: app.Running[Settings],
    connect: Connect,
    issuer: auth.TokenIssuer,
    tmp_path: Path,
) -> None:
    media = await side.video(make_demo_video(tmp_path / "demo.mp4", 20, (960, 540)), chunk_size=600)
    viewer = connect(ANN)
    call = viewer.stub.GetChunk(viewer.request(media, number=0))
    assert await _first_bytes(call)
    assert await _asked(running.address, issuer, caller, media) == grpc.StatusCode.NOT_FOUND
    assert await _asked(running.address, issuer, CHUNKING, media) is None
    call.cancel()


async def _asked(
    address: str, issuer: auth.TokenIssuer, caller: auth.Principal, media: media_pb2.Media
) -> grpc.StatusCode | None:
    request = peer_messages.ReadBuildingRequest(
        media_id=media.id,
        frames=FrameRange(first=0, last=media.size - 1),
        quality=messages.QUALITY_COMPRESSED,
        format=media_pb2.CHUNK_FORMAT_ZIP,
    )
    async with rpc.channel(address, token=issuer.issue(caller).token) as channel:
        call = peer_stubs.ChunkPeerServiceStub(channel).ReadBuilding(request)
        try:
            await anext(aiter(call))
        except grpc.aio.AioRpcError as fault:
            return fault.code()
        call.cancel()
        return None


async def _first_bytes(call: Any) -> bytes:
    async for part in call:
        if part.content:
            return bytes(part.content)
    return b""


async def _rest(call: Any) -> bytes:
    return b"".join([part.content async for part in call])
