"""Makes what tests share importable by its path in the repository."""

from collections.abc import AsyncIterator

import pytest
from nats.aio.client import Client
from yard.embedded.servers.nats import Nats
from yard.runtime import bus
from yard.runtime.db import Database
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
