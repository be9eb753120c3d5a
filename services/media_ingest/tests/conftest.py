from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING

import pytest
from frameyard.media.v1 import (
    media_service_pb2_grpc,
    share_service_pb2_grpc,
    upload_service_pb2_grpc,
)
from yard.embedded.servers.nats import Nats
from yard.media_ingest.service import SERVICE
from yard.media_ingest.settings import Settings
from yard.runtime import app, auth, rpc
from yard.testkit.fixtures import SettingsFor

from services.media_ingest.tests.neighbours import Client, TaskSide

if TYPE_CHECKING:
    from grpc.aio import Channel


ANN = auth.Principal(user_id=1, username="ann", role="user")
BEN = auth.Principal(user_id=2, username="ben", role="user")
EXPORT = auth.Principal(user_id=0, username="export", role="service", service="export")

Connect = Callable[[auth.Principal], Client]


@pytest.fixture(scope="session")
def issuer() -> auth.TokenIssuer:
    return auth.TokenIssuer.generate()


@pytest.fixture
def settings(settings_for: SettingsFor, issuer: auth.TokenIssuer) -> Settings:
    return settings_for(Settings, jwks=issuer.jwks, index_batch_files=4)


@pytest.fixture
async def running(settings: Settings) -> AsyncIterator[app.Running[Settings]]:
    async with app.serving(SERVICE, settings) as running:
        yield running


@pytest.fixture
async def connect(running: app.Running[Settings], issuer: auth.TokenIssuer) -> AsyncIterator[Connect]:
    """`connect(ANN)`: the services as that caller."""
    channels: list[Channel] = []

    def connected(principal: auth.Principal) -> Client:
        channel = rpc.channel(running.address, token=issuer.issue(principal).token)
        channels.append(channel)
        return Client(
            uploads=upload_service_pb2_grpc.UploadServiceStub(channel),
            media=media_service_pb2_grpc.MediaServiceStub(channel),
            shares=share_service_pb2_grpc.ShareServiceStub(channel),
        )

    yield connected
    for channel in channels:
        await channel.close()


@pytest.fixture
def ann(connect: Connect) -> Client:
    return connect(ANN)


@pytest.fixture
def ben(connect: Connect) -> Client:
    return connect(BEN)


@pytest.fixture
def export(connect: Connect) -> Client:
    return connect(EXPORT)


@pytest.fixture
async def task(nats_server: Nats) -> AsyncIterator[TaskSide]:
    async with TaskSide.connected(nats_server.url, nats_server.token) as task:
        yield task
