"""A service as a program of its own, to be asked and to be killed."""

import dataclasses
import json
from pathlib import Path

from yard.runtime.db import Database
from yard.runtime.settings import PREFIX, RuntimeSettings
from yard.testkit.eventually import eventually
from yard.testkit.process import Program

START_S = 60.0


class ServiceProgram(Program):
    """The service that these settings belong to; they name a port file."""

    def __init__(self, settings: RuntimeSettings, *, log: Path) -> None:
        service = type(settings).__module__.rpartition(".")[0]
        super().__init__(["-m", service], log=log, environment=environment(settings))
        self._ports = Path(settings.port_file)

    def restart(self) -> None:
        """As any program, and its address is no longer that of the one before."""
        self.kill()
        self.forget_address()
        super().restart()

    def forget_address(self) -> None:
        """Nobody takes the address of one that has ended for that of the next."""
        self._ports.unlink(missing_ok=True)

    async def address(self) -> str:
        """Where it answers, as soon as it does."""
        return await address_of(self, self._ports)


async def address_of(program: Program, ports: Path) -> str:
    """Where a service answers, as soon as it does, by the file that it writes its ports into."""
    return str(json.loads(await written(program, ports))["rpc"])


async def written(program: Program, path: Path) -> str:
    """What the program writes into a file once it serves; RuntimeError with its output if it ends before."""

    def text() -> str:
        if program.exit_status is not None:
            raise RuntimeError(program.output())
        return path.read_text() if path.exists() else ""

    return await eventually(text, timeout_s=START_S)


def environment(settings: RuntimeSettings) -> dict[str, str]:
    """The variables that `yard.runtime.settings.load` makes these settings of."""
    return {
        f"{PREFIX}{field.name.upper()}": _text(getattr(settings, field.name))
        for field in dataclasses.fields(settings)
    }


def _text(value: object) -> str:
    if isinstance(value, dict):
        value = tuple(f"{key}={each}" for key, each in value.items())
    return ",".join(value) if isinstance(value, tuple) else str(value)


async def end_leases_of_work(db: Database) -> None:
    """Of the dead: a test need not wait until they run out."""
    await db.execute("UPDATE work SET lease_until = now() - interval '1 second'")
