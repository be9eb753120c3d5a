from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from yard.embedded.servers.nats import Nats
from yard.runtime import app, auth
from yard.task.service import SERVICE
from yard.task.settings import Settings
from yard.testkit import facts
from yard.testkit.fixtures import OpenChannel, SettingsFor

from services.task.tests.neighbours import (
    ADMIN,
    ANN,
    BEN,
    CLEO,
    DORA,
    EXPORT,
    PEOPLE,
    STRANGER,
    Client,
    Connect,
    Neighbours,
    Running,
)


@pytest.fixture
def settings(settings_for: SettingsFor, issuer: auth.TokenIssuer) -> Settings:
    return settings_for(Settings, jwks=issuer.jwks)


@pytest.fixture
async def neighbours(nats_server: Nats) -> AsyncIterator[Neighbours]:
    """Identity has told of everybody, perhaps not long enough ago to be known already."""
    async with facts.connected(nats_server.url, nats_server.token) as told:
        neighbours = Neighbours(facts=told)
        await neighbours.introduce(*PEOPLE)
        yield neighbours


@pytest.fixture
async def running(settings: Settings, neighbours: Neighbours) -> AsyncIterator[Running]:
    async with app.serving(SERVICE, settings) as running:
        yield running


@pytest.fixture
def connect(running: Running, issuer: auth.TokenIssuer, open_channel: OpenChannel) -> Connect:
    """`connect(ANN)`: the services as that caller."""

    def connected(principal: auth.Principal) -> Client:
        return Client.over(open_channel(running.address, issuer.issue(principal).token))

    return connected


@pytest.fixture
def ann(connect: Connect) -> Client:
    """A user."""
    return connect(ANN)


@pytest.fixture
def ben(connect: Connect) -> Client:
    """Another user."""
    return connect(BEN)


@pytest.fixture
def cleo(connect: Connect) -> Client:
    """A worker."""
    return connect(CLEO)


@pytest.fixture
def dora(connect: Connect) -> Client:
    """Another worker."""
    return connect(DORA)


@pytest.fixture
def stranger(connect: Connect) -> Client:
    """A user who has to do with nothing."""
    return connect(STRANGER)


@pytest.fixture
def admin(connect: Connect) -> Client:
    """An administrator."""
    return connect(ADMIN)


@pytest.fixture
def export(connect: Connect) -> Client:
    """A service account."""
    return connect(EXPORT)
