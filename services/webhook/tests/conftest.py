from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from yard.runtime import app, clock
from yard.testkit import facts
from yard.testkit.fixtures import OpenChannel, SettingsFor
from yard.webhook.service import SERVICE
from yard.webhook.settings import Settings

from services.webhook.tests.neighbours import ANN, ISSUER, Client, Connect, Neighbours, serving, token
from services.webhook.tests.receiver import Receiver, receiving

KEY = base64.b64encode(bytes(range(32))).decode()


class Watch:
    """A clock that can be put forward."""

    def __init__(self) -> None:
        self._real = clock.now
        self._ahead = timedelta()

    def now(self) -> datetime:
        return self._real() + self._ahead

    def pass_(self, **time: float) -> None:
        self._ahead += timedelta(**time)


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    made = Watch()
    monkeypatch.setattr(clock, "now", made.now)
    return made


@pytest.fixture
async def neighbours() -> Neighbours:
    return Neighbours()  # type: ignore[abstract]  # what is not asked is not answered


@pytest.fixture
async def settings(
    neighbours: Neighbours, settings_for: SettingsFor, tmp_path: Path
) -> AsyncIterator[Settings]:
    async with serving(neighbours) as address:
        yield settings_for(
            Settings,
            jwks=ISSUER.jwks,
            identity_address=address,
            task_address=address,
            key_encryption_key=KEY,
            egress_networks=("127.0.0.0/8", "::1/128"),
            delivery_timeout_s=3.0,
            port_file=str(tmp_path / "ports.json"),
        )


@pytest.fixture
async def running(settings: Settings) -> AsyncIterator[app.Running[Settings]]:
    async with app.serving(SERVICE, settings) as service:
        yield service


@pytest.fixture
def connect(running: app.Running[Settings], open_channel: OpenChannel) -> Connect:
    """`connect(ANN)`: the service as that caller."""
    return lambda person: Client(open_channel(running.address, token(person)))


@pytest.fixture
def ann(connect: Connect) -> Client:
    return connect(ANN)


@pytest.fixture
async def told(settings: Settings) -> AsyncIterator[facts.Facts]:
    """The place from which events come."""
    async with facts.connected(settings.nats_url, settings.nats_token) as place:
        yield place


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as made:
        yield made
