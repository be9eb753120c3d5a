from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Callable

import pytest
from yard.chunking.service import SERVICE
from yard.chunking.settings import Settings
from yard.embedded.servers.nats import Nats
from yard.runtime import app, auth
from yard.runtime.db import Database
from yard.testkit.fixtures import OpenChannel, SettingsFor

from services.chunking.tests.claims import LOG_CLAIMS
from services.chunking.tests.media_side import MediaSide, Viewer

ANN = auth.Principal(user_id=1, username="ann", role="user")
BEN = auth.Principal(user_id=2, username="ben", role="user")
ADMIN = auth.Principal(user_id=3, username="root", role="admin")
EXPORT = auth.Principal(user_id=0, username="export", role="service", service="export")

# A child is started by the first call that needs one, which few tests make.
COLD = dataclasses.replace(SERVICE, warm_workers=0)

Connect = Callable[..., Viewer]


@pytest.fixture
def settings(settings_for: SettingsFor, issuer: auth.TokenIssuer) -> Settings:
    return settings_for(Settings, jwks=issuer.jwks, read_ahead=0)


@pytest.fixture
async def running(settings: Settings) -> AsyncIterator[app.Running[Settings]]:
    async with app.serving(COLD, settings) as running:
        yield running


@pytest.fixture
async def side(running: app.Running[Settings], nats_server: Nats) -> AsyncIterator[MediaSide]:
    blobs = running.runtime.blobs
    async with MediaSide.connected(blobs, nats_server.url, nats_server.token) as side:
        yield side


@pytest.fixture
async def db(running: app.Running[Settings]) -> Database:
    """The service's own, with a log of all beginnings of builds."""
    await running.runtime.db.execute(LOG_CLAIMS)
    return running.runtime.db


@pytest.fixture
def connect(running: app.Running[Settings], issuer: auth.TokenIssuer, open_channel: OpenChannel) -> Connect:
    """`connect(ANN)`: the service as that caller; another address is that of another replica."""

    def connected(principal: auth.Principal, address: str = "") -> Viewer:
        channel = open_channel(address or running.address, issuer.issue(principal).token)
        return Viewer.over(channel, principal)

    return connected


@pytest.fixture
def ann(connect: Connect) -> Viewer:
    return connect(ANN)


@pytest.fixture
def export(connect: Connect) -> Viewer:
    return connect(EXPORT)
