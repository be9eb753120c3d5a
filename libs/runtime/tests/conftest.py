"""Makes what tests share importable by its path in the repository."""

from collections.abc import AsyncIterator

import pytest
from nats.aio.client import Client
from yard.embedded.servers.nats import Nats
from yard.runtime import bus
from yard.runtime.blobs import Blobs
from yard.runtime.db import Database
from yard.runtime.settings import RuntimeSettings
from yard.testkit.fixtures import DatabaseUrl


@pytest.fixture
async def database(database_url: DatabaseUrl) -> AsyncIterator[Database]:
    """A fresh schema with the runtime's tables, and one of the tests' own: effect."""
    opened = await Database.connect(database_url("probe"))
    await opened.execute(
        """
        CREATE TABLE effect (
            place bigint GENERATED ALWAYS AS IDENTITY,
            key text,
            version bigint,
            event uuid
        )
        """
    )
    yield opened
    await opened.close()


@pytest.fixture
async def nc(nats_server: Nats) -> AsyncIterator[Client]:
    """A connection to the test's own broker."""
    client = await bus.connect(nats_server.url, token=nats_server.token, name="probe")
    yield client
    await client.close()


@pytest.fixture
def settings(blobs_settings: dict[str, str]) -> RuntimeSettings:
    """Enough to connect to the store of blobs, with a bucket of the test's own."""
    return RuntimeSettings(database_url="", nats_url="", **blobs_settings)  # type: ignore[arg-type]


@pytest.fixture
async def blobs(settings: RuntimeSettings) -> AsyncIterator[Blobs]:
    store = Blobs.connect(settings)
    yield store
    await store.close()
