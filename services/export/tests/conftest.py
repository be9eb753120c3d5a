from collections.abc import AsyncIterator, Callable

import pytest
from yard.export.service import SERVICE
from yard.export.settings import Settings
from yard.runtime import app
from yard.testkit.fixtures import OpenChannel, SettingsFor

from services.export.tests.callers import ANN, BOB, Client, reaching
from services.export.tests.counterparts import Counterparts, serving


@pytest.fixture
async def counterparts() -> AsyncIterator[tuple[Counterparts, str]]:
    others = Counterparts({ANN, BOB})  # type: ignore[abstract]  # what is not asked is not answered
    async with serving(others) as address:
        yield others, address


@pytest.fixture
async def running(
    counterparts: tuple[Counterparts, str], settings_for: SettingsFor
) -> AsyncIterator[app.Running[Settings]]:
    _, address = counterparts
    settings = settings_for(
        Settings,
        **reaching(address),
        spool_memory_bytes=100,
    )
    async with app.serving(SERVICE, settings) as service:
        yield service


@pytest.fixture
def client(running: app.Running[Settings], open_channel: OpenChannel) -> Callable[[str], Client]:
    return lambda token: Client(open_channel(running.address, token))
