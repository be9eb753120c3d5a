"""One platform for all tests of this folder, and people who talk HTTP to its gateway."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
from yard.testkit.platform import Platform, running_platform

from tests.gateway.people import People


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="session")
def nas(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that is connected as the share `nas`."""
    return tmp_path_factory.mktemp("nas")


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory, nas: Path) -> Iterator[Platform]:
    """All servers and services; files are fetched from this machine too, and hooks delivered to it."""
    environment = {"FRAMEYARD_SHARES": f"nas={nas}", "FRAMEYARD_EGRESS_NETWORKS": "127.0.0.0/8"}
    with running_platform(tmp_path_factory.mktemp("platform"), environment) as running:
        yield running


@pytest.fixture
async def people(platform: Platform) -> AsyncIterator[People]:
    """Makes accounts, and gives each a connection."""
    async with People.of(platform) as people:
        yield people


@pytest.fixture
async def admin(people: People) -> httpx.AsyncClient:
    """The administrator."""
    return people.admin
