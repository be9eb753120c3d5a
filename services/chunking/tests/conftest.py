from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING

import pytest
from frameyard.chunk.v1 import chunk_service_pb2_grpc
from yard.chunking.service import SERVICE
from yard.chunking.settings import Settings
from yard.embedded.servers.nats import Nats
from yard.runtime import app, auth, rpc
from yard.testkit.fixtures import GRANT_KEY, SettingsFor

from services.chunking.tests.media_side import MediaSide, Viewer

if TYPE_CHECKING:
    from grpc.aio import Channel

ANN = auth.Principal(user_id=1, username="ann", role="user")
BEN = auth.Principal(user_id=2, username="ben", role="user")
ADMIN = auth.Principal(user_id=3, username="root", role="admin")
EXPORT = auth.Principal(user_id=0, username="export", role="service", service="export")

Connect = Callable[..., Viewer]


@pytest.fixture(scope="session")
def issuer() -> auth.TokenIssuer:
    return auth.TokenIssuer.generate()


@pytest.fixture
def settings(settings_for: SettingsFor, issuer: auth.TokenIssuer) -> Settings:
    return settings_for(Settings, jwks=issuer.jwks, read_ahead=0)


@pytest.fixture
async def running(settings: Settings) -> AsyncIterator[app.Running[Settings]]:
    async with app.serving(SERVICE, settings) as running:
        yield running


@pytest.fixture
async def side(running: app.Running[Settings], nats_server: Nats) -> AsyncIterator[MediaSide]:
    blobs = running.runtime.blobs
    async with MediaSide.connected(blobs, nats_server.url, nats_server.token) as side:
        yield side


@pytest.fixture
async def connect(running: app.Running[Settings], issuer: auth.TokenIssuer) -> AsyncIterator[Connect]:
    """`connect(ANN)`: the service as that caller; another address is that of another replica."""
    channels: list[Channel] = []

    def connected(principal: auth.Principal, address: str = "") -> Viewer:
        channel = rpc.channel(address or running.address, token=issuer.issue(principal).token)
        channels.append(channel)
        return Viewer(
            stub=chunk_service_pb2_grpc.ChunkServiceStub(channel),
            grants=auth.Grants([GRANT_KEY]),
            user_id=principal.user_id,
        )

    yield connected
    for channel in channels:
        await channel.close()


@pytest.fixture
def ann(connect: Connect) -> Viewer:
    return connect(ANN)


@pytest.fixture
def export(connect: Connect) -> Viewer:
    return connect(EXPORT)
