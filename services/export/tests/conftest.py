from collections.abc import AsyncIterator

import pytest

from services.export.tests.callers import ANN, BOB
from services.export.tests.counterparts import Counterparts, serving


@pytest.fixture
async def counterparts() -> AsyncIterator[tuple[Counterparts, str]]:
    others = Counterparts({ANN, BOB})  # type: ignore[abstract]  # what is not asked is not answered
    async with serving(others) as address:
        yield others, address
