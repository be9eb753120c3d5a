from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from yard.embedded.servers.nats import Nats
from yard.media_ingest.service import SERVICE
from yard.media_ingest.settings import Settings
from yard.runtime import app, auth
from yard.runtime.db import Database
from yard.testkit.fixtures import OpenChannel, SettingsFor

from services.media_ingest.tests.neighbours import Client, TaskSide

ANN = auth.Principal(user_id=1, username="ann", role="user")
BEN = auth.Principal(user_id=2, username="ben", role="user")
EXPORT = auth.Principal(user_id=0, username="export", role="service", service="export")

# A child is started by the first call that needs one, which few tests make.
COLD = dataclasses.replace(SERVICE, warm_workers=0)

Connect = Callable[[auth.Principal], Client]


@pytest.fixture
def nas(tmp_path: Path) -> Path:
    """The folder of a share, empty."""
    root = tmp_path / "nas"
    root.mkdir()
    return root


@pytest.fixture
def settings(settings_for: SettingsFor, issuer: auth.TokenIssuer) -> Settings:
    return settings_for(Settings, jwks=issuer.jwks, index_batch_files=4)


@pytest.fixture
async def db(settings: Settings) -> AsyncIterator[Database]:
    """The schema of a service that is not running, or runs elsewhere."""
    db = await Database.connect(settings.database_url, max_size=1)
    yield db
    await db.close()


@pytest.fixture
async def running(settings: Settings) -> AsyncIterator[app.Running[Settings]]:
    async with app.serving(COLD, settings) as running:
        yield running


@pytest.fixture
def connect(running: app.Running[Settings], issuer: auth.TokenIssuer, open_channel: OpenChannel) -> Connect:
    """`connect(ANN)`: the services as that caller."""

    def connected(principal: auth.Principal) -> Client:
        return Client.over(open_channel(running.address, issuer.issue(principal).token))

    return connected


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
