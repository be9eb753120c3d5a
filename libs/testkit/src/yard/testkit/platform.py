"""The whole platform as a user starts it, for tests that go through all services."""

import asyncio
import json
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from yard.client import Endpoints
from yard.embedded.status import read_status
from yard.testkit.eventually import eventually
from yard.testkit.process import Program

START_TIMEOUT_S = 300.0
STOP_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """A running platform and its data directory."""

    data: Path
    endpoints: Endpoints

    @property
    def admin_password(self) -> str:
        """Of the user `admin`."""
        return self.secret("admin_password")

    def pid(self, name: str) -> int:
        """Process of a server or service now."""
        return next(row.pid for row in read_status(self.data) if row.name == name)

    def kill(self, name: str) -> int:
        """SIGKILL; returns the process id that is no more."""
        pid = self.pid(name)
        psutil.Process(pid).send_signal(signal.SIGKILL)
        return pid

    async def is_back(self, name: str, killed: int) -> None:
        """Waits until the supervisor has started it again."""
        await eventually(lambda: self._is_ready_again(name, killed), timeout_s=START_TIMEOUT_S)

    def secret(self, name: str) -> str:
        """One of the generated secrets."""
        return str(json.loads((self.data / "secrets.json").read_text())[name])

    def port(self, name: str) -> int:
        """Port of a server or service."""
        return int(json.loads((self.data / "ports.json").read_text())[name])

    def _is_ready_again(self, name: str, killed: int) -> bool:
        row = next(row for row in read_status(self.data) if row.name == name)
        return row.state == "ready" and row.pid not in {0, killed}


@contextmanager
def running_platform(folder: Path, environment: Mapping[str, str] | None = None) -> Iterator[Platform]:
    """All servers and services for the length of the block, with their data below `folder`.

    `environment` has settings that the platform passes on, such as FRAMEYARD_SHARES.
    """
    data = folder / "data"
    program = Program(
        ["-m", "yard.embedded", "up", "--data", str(data)], log=folder / "up.log", environment=environment
    )
    try:
        asyncio.run(eventually(lambda: _has_started(program), timeout_s=START_TIMEOUT_S))
        yield Platform(data=data, endpoints=Endpoints.load(data / "endpoints.json"))
    finally:
        program.interrupt()
        program.wait(STOP_TIMEOUT_S)


def _has_started(program: Program) -> bool:
    if program.exit_status is not None:
        raise RuntimeError(f"the platform ended:\n{program.output()}")
    return "Ctrl-C" in program.output()
