"""One platform for all tests of this folder."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from yard.client import Client
from yard.testkit.platform import Platform, running_platform

from libs.runtime.tests.authority import Authority
from tests.e2e.command_line import CommandLine


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="session")
def nas(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that is connected as the share `nas`."""
    return tmp_path_factory.mktemp("nas")


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Signs certificates that the platform trusts."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory, nas: Path, authority: Authority) -> Iterator[Platform]:
    """All servers and services, in a directory of their own; files are fetched from this machine too."""
    environment = {
        "FRAMEYARD_SHARES": f"nas={nas}",
        "FRAMEYARD_EGRESS_NETWORKS": "127.0.0.0/8",
        "FRAMEYARD_EGRESS_CA_FILE": str(authority.file),
        "FRAMEYARD_LEAST_QUIET_S": "1",
        "FRAMEYARD_LEAST_PERIOD_S": "1",
    }
    with running_platform(tmp_path_factory.mktemp("platform"), environment) as running:
        yield running


@pytest.fixture
async def client(platform: Platform) -> AsyncIterator[Client]:
    """The administrator."""
    async with Client(platform.endpoints) as client:
        await client.login("admin", platform.admin_password)
        yield client


@pytest.fixture
def command(platform: Platform, tmp_path: Path) -> CommandLine:
    """The administrator, logged in."""
    made = CommandLine(platform=platform, folder=tmp_path)
    assert made.login("admin", platform.admin_password).code == 0
    return made
