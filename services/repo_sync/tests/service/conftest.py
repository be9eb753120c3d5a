from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from nats.aio.msg import Msg
from yard.repo_sync.service import SERVICE
from yard.repo_sync.settings import Settings
from yard.runtime import app
from yard.runtime.blobs import Blobs
from yard.runtime.bus import Envelope
from yard.runtime.db import Database
from yard.testkit import facts
from yard.testkit.fixtures import OpenChannel, SettingsFor

from libs.runtime.tests.authority import Authority
from services.repo_sync.tests.peers.web import GitWeb
from services.repo_sync.tests.peers.web import serving as serving_git
from services.repo_sync.tests.service.callers import Client, Connect
from services.repo_sync.tests.service.heard import Heard
from services.repo_sync.tests.service.neighbours import ANN, ISSUER, Neighbours, serving, token

KEY = base64.b64encode(bytes(range(32))).decode()


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def web(tmp_path: Path, authority: Authority) -> Iterator[GitWeb]:
    with serving_git(tmp_path / "web", authority.tls("localhost")) as peer:
        yield peer


@pytest.fixture
async def neighbours() -> Neighbours:
    return Neighbours()  # type: ignore[abstract]  # what is not asked is not answered


@pytest.fixture
async def settings(
    neighbours: Neighbours, settings_for: SettingsFor, authority: Authority, tmp_path: Path
) -> AsyncIterator[Settings]:
    async with serving(neighbours) as address:
        made = settings_for(
            Settings,
            jwks=ISSUER.jwks,
            identity_address=address,
            task_address=address,
            export_address=address,
            key_encryption_key=KEY,
            egress_networks=("127.0.0.0/8", "::1/128"),
            egress_ca_file=str(authority.file),
            public_url="https://yard.example/",
            quiet_s=1.0,
            least_quiet_s=0.1,
            period_s=1.0,
            least_period_s=0.1,
            port_file=str(tmp_path / "ports.json"),
        )
        neighbours.blobs = Blobs.connect(made)
        await neighbours.blobs.ensure_bucket()
        yield made
        await neighbours.blobs.close()


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
async def heard(told: facts.Facts) -> Heard:
    """What the service tells from here on."""
    found = Heard()

    async def hear(message: Msg) -> None:
        found.take(Envelope.parse(message.subject, message.headers, message.data))

    await told.listen("frameyard.event.sync.>", hear)
    return found


@pytest.fixture
async def database(settings: Settings) -> AsyncIterator[Database]:
    db = await Database.connect(settings.database_url, max_size=1)
    yield db
    await db.close()
