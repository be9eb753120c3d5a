"""Servers of their own for a benchmark, as a machine would have them: durable, and gone afterwards."""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from yard.embedded.servers.nats import Nats
from yard.embedded.servers.postgres import Postgres
from yard.testkit.databases import Databases
from yard.testkit.servers import started_nats, started_postgres


@dataclass(frozen=True, slots=True, kw_only=True)
class Servers:
    """A database server that notes when transactions commit, a broker, and a folder for logs."""

    folder: Path
    postgres: Postgres
    nats: Nats
    databases: Databases


@contextmanager
def servers() -> Iterator[Servers]:
    """Runs them for the length of the block."""
    with tempfile.TemporaryDirectory(prefix="frameyard-bench-") as name:
        folder = Path(name)
        with ExitStack() as stack:
            postgres = started_postgres(folder / "postgres", durable=True)
            stack.callback(postgres.kill)
            _note_commits(postgres)
            nats = started_nats(folder / "nats")
            stack.callback(nats.kill)
            yield Servers(folder=folder, postgres=postgres, nats=nats, databases=Databases(postgres))


def _note_commits(postgres: Postgres) -> None:
    with psycopg.connect(postgres.url(), autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET track_commit_timestamp = on")
    postgres.stop()
    postgres.start()
