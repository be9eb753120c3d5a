"""Clients as the administrator, each test in a folder of its own."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from yard.testkit.platform import Platform

from tests.gateway.clients.running import Account, CommandLine, run

Drive = Callable[..., Any]


@pytest.fixture
def account(platform: Platform) -> Account:
    """The administrator's."""
    url = f"http://127.0.0.1:{platform.port('gateway')}"
    return Account(url=url, username="admin", password=platform.admin_password)


@pytest.fixture
def drive(account: Account, tmp_path: Path) -> Drive:
    """Runs a flow by its name, with its options."""

    def driven(flow: str, **options: Any) -> Any:
        return run(flow, account, tmp_path, **options)

    return driven


@pytest.fixture
def command(account: Account, tmp_path: Path) -> CommandLine:
    """The command line of CVAT."""
    return CommandLine(account=account, folder=tmp_path)
