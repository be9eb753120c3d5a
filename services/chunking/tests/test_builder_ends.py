"""Who waits for a chunk gets it, though its builder ends or what was stored is damaged."""

from __future__ import annotations

import asyncio
import dataclasses
import io
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import grpc.aio
import pytest
from frameyard.media.v1 import media_pb2
from yard.chunking.handlers import counting
from yard.chunking.handlers.content import CHUNK_DAMAGED
from yard.chunking.settings import Settings
from yard.media.hard_clips import make_clip
from yard.media.synthetic import make_demo_video
from yard.runtime import app, auth, errors
from yard.runtime.db import Database
from yard.runtime.rpc import errors_from_rpc
from yard.testkit.eventually import eventually
from yard.testkit.fixtures import SettingsFor

from services.chunking.tests.claims import claims
from services.chunking.tests.conftest import ANN, COLD, Connect
from services.chunking.tests.counted import Counts, counted, gained
from services.chunking.tests.media_side import MediaSide, Viewer, all_stored, numbers_in_mp4, numbers_in_zip
from services.chunking.tests.test_limits import children
from services.chunking.tests.test_sharing import serving_identity

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

FRAMES = 299
"""Of a chunk that does not end at a key frame, and is encoded therefore."""


@pytest.fixture
async def identity(issuer: auth.TokenIssuer) -> AsyncIterator[str]:
    async with serving_identity(issuer) as address:
        yield address


@pytest.fixture
def settings(settings_for: SettingsFor, issuer: auth.TokenIssuer, identity: str) -> Settings:
    return settings_for(Settings, jwks=issuer.jwks, identity_address=identity, read_ahead=0)


async def test_who_joined_another_replica_goes_on_when_that_ends(
    side: MediaSide, db: Database, settings: Settings, connect: Connect, tmp_path: Path
) -> None:
    path = make_demo_video(tmp_path / "demo.mp4", 10, (960, 540))
    # Not a byte of an mp4 is sent before it is complete.
    mp4 = media_pb2.CHUNK_FORMAT_MP4
    media = await side.video(path, chunk_size=FRAMES, chunk_format=mp4)
    here = connect(ANN)
    async with app.serving(COLD, dataclasses.replace(settings, drain_timeout_s=0.2)) as other:
        before = await counted(other)
        there = connect(ANN, other.address)
        begun = there.stub.GetChunk(there.request(media, number=0))
        await anext(aiter(begun))
        joined = asyncio.create_task(here.chunk(media, 0))
        # What builds stands still, or a fast machine would have built all before the replica has ended.
        [builder] = await eventually(children, timeout_s=10)
        builder.send_signal(signal.SIGSTOP)
        await eventually(lambda: _is_relayed(other, before), timeout_s=10)
        assert await claims(db) == [0]
    header, content = await joined
    assert not header.HasField("size_bytes")
    assert numbers_in_mp4(content) == list(range(FRAMES))
    assert await claims(db) == [0, 0]
    await all_stored(db)


async def _is_relayed(other: app.Running[Settings], before: Counts) -> bool:
    return ("chunk", "peer") in gained(before, await counted(other), counting.REQUESTS)


async def test_a_damaged_object_is_never_taken_for_whole_and_is_made_anew(
    side: MediaSide, db: Database, ann: Viewer, tmp_path: Path
) -> None:
    media = await side.video(make_clip("b_frames", tmp_path))
    _, whole = await ann.chunk(media, 0)
    await all_stored(db)
    key = f"chunks/{media.id}/compressed/zip/0-9"
    for other in (whole[:-100], whole[:-100] + bytes(100)):
        await side.blobs.put(key, other)
        assert numbers_in_zip((await ann.chunk(media, 0))[1]) == list(range(10))
        await all_stored(db)
    await asyncio.to_thread(_put_without_note, side, key, whole[:-100] + bytes(100))
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await ann.chunk(media, 0)
    fault = errors_from_rpc(caught.value)
    assert isinstance(fault, errors.Unavailable)
    assert fault.reason == CHUNK_DAMAGED
    assert numbers_in_zip((await ann.chunk(media, 0))[1]) == list(range(10))
    assert await claims(db) == [0] * 4
    await all_stored(db)


def _put_without_note(side: MediaSide, key: str, content: bytes) -> None:
    """As objects are that were written in parts: what they are shows when all of it was read."""
    side.blobs._client.put_object(side.blobs._bucket, key, io.BytesIO(content), len(content))
