"""Servers and programs of the run, and how each dies and comes back."""

import contextlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from yard.embedded.servers.nats import Nats
from yard.embedded.servers.postgres import Postgres
from yard.runtime import errors
from yard.runtime.db import Database
from yard.testkit import eventually
from yard.testkit.databases import Databases
from yard.testkit.process import Program
from yard.testkit.servers import started_nats, started_postgres

from tests.chaos.changes import SERVICE, TABLES

ROOT = Path(__file__).resolve().parents[2]
RECOVERY_S = 30.0


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Everything that may die; servers keep their data, as a machine does whose processes are killed."""

    folder: Path
    postgres: Postgres
    nats: Nats
    url: str
    programs: list[Program]

    def program(self, name: str, *arguments: str) -> Program:
        """Starts tests.chaos.<name>, which ends with the scene; its output is in <name>.log."""
        program = Program(
            ["-m", f"tests.chaos.{name}", self.url, *arguments],
            log=self.folder / f"{name}.log",
            environment={"PYTHONPATH": str(ROOT)},
        )
        self.programs.append(program)
        return program

    def relay(self) -> Program:
        """Publishes."""
        return self.program("relay", self.nats.url, self.nats.token)

    def consumer(self) -> Program:
        """Handles."""
        return self.program("consumer", self.nats.url, self.nats.token)


@contextmanager
def running_scene(folder: Path) -> Iterator[Scene]:
    """A durable Postgres with the tables, and a broker."""
    programs: list[Program] = []
    with contextlib.ExitStack() as stack:
        postgres = started_postgres(folder / "postgres", durable=True)
        stack.callback(postgres.kill)
        nats = started_nats(folder / "nats")
        stack.callback(nats.kill)
        stack.callback(_kill_all, programs)
        url = Databases(postgres).create(SERVICE, "yard.testkit.no_migrations")
        yield Scene(folder=folder, postgres=postgres, nats=nats, url=url, programs=programs)


def _kill_all(programs: list[Program]) -> None:
    for program in programs:
        program.kill()


class Observer:
    """Reads the tables through outages; one connection, made anew when needed."""

    def __init__(self, database: Database) -> None:
        self.database = database

    @classmethod
    async def connect(cls, scene: Scene) -> "Observer":
        """Makes the tables too."""
        database = await Database.connect(scene.url, max_size=2)
        for statement in filter(str.strip, TABLES.split(";")):
            await database.execute(statement)
        return cls(database)

    async def value(self, sql: str) -> Any:
        """None while the database is away."""
        with contextlib.suppress(errors.Unavailable):
            return await self.database.fetchval(sql)
        return None

    async def reaches(self, sql: str, count: int) -> None:
        """Waits until the query gives `count` or more."""

        async def there() -> bool:
            return (await self.value(sql) or 0) >= count

        await eventually(there, timeout_s=RECOVERY_S)
