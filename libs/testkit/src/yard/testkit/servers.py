"""Real servers on free ports of their own; a port that somebody takes first costs a try, not the test."""

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Final, TypeVar

from yard.embedded.ports import free_port
from yard.embedded.servers.nats import Nats
from yard.embedded.servers.postgres import Postgres
from yard.embedded.servers.s3 import S3, S3Ports
from yard.embedded.servers.server import Server, ServerError

S = TypeVar("S", bound=Server)

TRIES: Final = 4


def started_postgres(directory: Path, *, password: str = "test", durable: bool = False) -> Postgres:
    """A cluster below `directory`; one that is not durable keeps nothing over a power cut."""
    return _started(lambda: Postgres(directory, port=free_port(), password=password, durable=durable))


def started_nats(directory: Path, *, token: str = "test") -> Nats:
    """A broker whose store is below `directory`."""

    def make() -> Nats:
        port, monitor_port = _different(2)
        return Nats(directory, port=port, monitor_port=monitor_port, token=token)

    return _started(make)


def started_s3(directory: Path, *, access_key: str = "test", secret_key: str = "test-secret") -> S3:
    """An S3 server whose objects are below `directory`."""

    def make() -> S3:
        names = [field.name for field in fields(S3Ports)]
        ports = dict(zip(names, _different(len(names), paired=True), strict=True))
        return S3(directory, ports=S3Ports(**ports), access_key=access_key, secret_key=secret_key)

    return _started(make)


def _started(make: Callable[[], S]) -> S:
    for _ in range(TRIES - 1):
        server = make()
        try:
            server.start()
        except ServerError:
            server.kill()
        else:
            return server
    last = make()
    last.start()
    return last


def _different(count: int, *, paired: bool = False) -> list[int]:
    ports: set[int] = set()
    while len(ports) < count:
        ports.add(free_port(paired=paired))
    return list(ports)
