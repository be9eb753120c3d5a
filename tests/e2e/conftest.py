"""One platform for all tests of this folder."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from yard.client import Client
from yard.testkit.platform import Platform, running_platform


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("e2e"))
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="session")
def nas(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that is connected as the share `nas`."""
    return tmp_path_factory.mktemp("nas")


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory, nas: Path) -> Iterator[Platform]:
    """All servers and services, in a directory of their own; files are fetched from this machine too."""
    environment = {"FRAMEYARD_SHARES": f"nas={nas}", "FRAMEYARD_EGRESS_NETWORKS": "127.0.0.0/8"}
    with running_platform(tmp_path_factory.mktemp("platform"), environment) as running:
        yield running


@pytest.fixture
async def client(platform: Platform) -> AsyncIterator[Client]:
    """The administrator."""
    async with Client(platform.endpoints) as client:
        await client.login("admin", platform.admin_password)
        yield client
