"""A fresh database a test, cloned from one that was migrated once."""

import asyncio
import importlib.util
import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import psycopg
from psycopg import sql
from yard.embedded.provision import admit_only, provision_database
from yard.embedded.servers.postgres import Postgres

_PASSWORD = "test"
_numbers = itertools.count(1)


class Databases:
    """Databases of one Postgres; templates are kept by service and migrations until the server ends."""

    def __init__(self, server: Postgres) -> None:
        self._server = server
        self._templates: dict[tuple[str, str], str] = {}

    def create(self, service: str, migrations: str) -> str:
        """Clones the template and returns the address for the service's role."""
        template = self._template(service, migrations)
        name = f"test_{next(_numbers)}"
        with self._admin() as connection:
            statement = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY")
            connection.execute(statement.format(sql.Identifier(name), sql.Identifier(template)))
            admit_only(connection, name, [service])
        return self._server.url(name, role=service, password=_PASSWORD)

    def drop(self, url: str) -> None:
        """Removes a database that create() made, connections or not."""
        name = sql.Identifier(urlsplit(url).path.removeprefix("/"))
        with self._admin() as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))

    def _template(self, service: str, migrations: str) -> str:
        key = (service, migrations)
        if key not in self._templates:
            name = f"template_{service}_{len(self._templates)}"
            urls = provision_database(self._server.url(), {service: _PASSWORD}, database=name)
            if migrations:
                _migrate(urls[service], migrations)
            self._templates[key] = name
        return self._templates[key]

    @contextmanager
    def _admin(self) -> Iterator[psycopg.Connection[Any]]:
        with psycopg.connect(self._server.url(), autocommit=True) as connection:
            yield connection


def _migrate(url: str, package: str) -> None:
    # Imported late: tests that need no database need no runtime. In a thread: the test may be inside a loop.
    from yard.runtime import migrate

    with ThreadPoolExecutor(max_workers=1) as thread:
        thread.submit(lambda: asyncio.run(migrate.upgrade(url, package))).result()


def migrations_of(service: str) -> str:
    """`yard.<service>.migrations`, or those of the runtime alone when the service has none."""
    package = f"yard.{service}.migrations"
    if importlib.util.find_spec(f"yard.{service}") is None:
        return "yard.testkit.no_migrations"
    return package
