"""Pytest fixtures over real servers: loaded by `-p yard.testkit.fixtures` (see pyproject.toml)."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from minio import Minio
from yard.embedded.servers.nats import Nats
from yard.embedded.servers.postgres import Postgres
from yard.embedded.servers.s3 import REGION, S3
from yard.runtime import auth, rpc
from yard.testkit.databases import Databases, migrations_of
from yard.testkit.memory_folder import memory_folder
from yard.testkit.servers import started_nats, started_postgres, started_s3

if TYPE_CHECKING:
    from grpc.aio import Channel

S = TypeVar("S")

GRANT_KEY = "test-grant-key-of-32-characters-or-more"
_numbers = itertools.count(1)


def pytest_configure() -> None:
    """Lets examples of properties take the time that a busy machine needs for them."""
    settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("patient")


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Names files by their place: packed ones hold the time, and all workers must agree on the names."""
    return argname if isinstance(val, bytes) and len(val) > 16 else None


class DatabaseUrl(Protocol):
    """`database_url("task")`: address of a fresh, migrated database, as the role of that service.

    `migrations` names another package; "" leaves the database empty. Each call makes another database.
    """

    def __call__(self, service: str, *, migrations: str | None = None) -> str:
        """Returns postgresql://role:password@host:port/database."""


class SettingsFor(Protocol):
    """`settings_for(Settings, service="task", **overrides)`: settings wired to these servers.

    The service is taken from the module `yard.<service>.settings` unless it is named.
    """

    def __call__(
        self,
        settings: type[S],
        *,
        service: str | None = None,
        migrations: str | None = None,
        **overrides: Any,
    ) -> S:
        """Overrides win, and spare the database or bucket that they name."""


class OpenChannel(Protocol):
    """`open_channel(address, token)`: a channel for the length of the test."""

    def __call__(self, address: str, token: str | None = None) -> Channel:
        """As `yard.runtime.rpc.channel`."""


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """One cluster a test process; `.kill()` and `.start()` are allowed, others wait."""
    with memory_folder(tmp_path_factory.mktemp("postgres")) as folder:
        server = started_postgres(folder / "data")
        yield server
        server.stop()


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3]:
    """One S3 server a test process."""
    server = started_s3(tmp_path_factory.mktemp("s3") / "data")
    yield server
    server.kill()


@pytest.fixture(scope="session")
def nats_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where brokers keep their stores."""
    with memory_folder(tmp_path_factory.mktemp("nats")) as folder:
        yield folder


@pytest.fixture
def nats_server(nats_folder: Path) -> Iterator[Nats]:
    """A broker a test; `.kill()` and `.start()` keep port and store."""
    store = nats_folder / str(next(_numbers))
    server = started_nats(store / "data")
    yield server
    server.kill()
    shutil.rmtree(store)


@pytest.fixture(scope="session")
def databases(postgres_server: Postgres) -> Databases:
    """The templates of this test process."""
    return Databases(postgres_server)


@pytest.fixture
def database_url(databases: Databases, postgres_server: Postgres) -> Iterator[DatabaseUrl]:
    """Makes fresh databases, and removes them after the test."""
    made: list[str] = []
    _revive(postgres_server)

    def create(service: str, *, migrations: str | None = None) -> str:
        url = databases.create(service, migrations_of(service) if migrations is None else migrations)
        made.append(url)
        return url

    yield create
    _revive(postgres_server)
    for url in made:
        databases.drop(url)


@pytest.fixture
def fresh_bucket(s3_server: S3) -> Iterator[Callable[[], str]]:
    """Makes fresh buckets, and removes them with what is in them after the test."""
    client = s3_client(s3_server)
    made: list[str] = []

    def create() -> str:
        name = f"test-{next(_numbers)}"
        client.make_bucket(bucket_name=name)
        made.append(name)
        return name

    yield create
    for name in made:
        _remove_bucket(client, name)


@pytest.fixture
def blobs_settings(s3_server: S3, fresh_bucket: Callable[[], str]) -> dict[str, str]:
    """The s3_* settings, with a fresh bucket."""
    return _s3_fields(s3_server, fresh_bucket())


@pytest.fixture
def settings_for(
    database_url: DatabaseUrl, nats_server: Nats, s3_server: S3, fresh_bucket: Callable[[], str]
) -> SettingsFor:
    """Each call has its own database and bucket; the broker is shared within the test."""

    def build(
        settings: type[S], *, service: str | None = None, migrations: str | None = None, **overrides: Any
    ) -> S:
        name = service or settings.__module__.split(".")[1]
        given = set(overrides)
        wired: dict[str, Any] = {
            "nats_url": nats_server.url,
            "nats_token": nats_server.token,
            "grant_keys": (GRANT_KEY,),
            "service_secret": "test-service-secret",
        }
        if "database_url" not in given:
            wired["database_url"] = database_url(name, migrations=migrations)
        if "s3_bucket" not in given:
            wired["s3_bucket"] = fresh_bucket()
        wired |= _s3_fields(s3_server, overrides.get("s3_bucket", wired.get("s3_bucket", "")))
        return settings(**{**wired, **overrides})

    return build


@pytest.fixture(scope="session")
def issuer() -> auth.TokenIssuer:
    """Stands in for identity: services that are given its `jwks` take its tokens."""
    return auth.TokenIssuer.generate()


@pytest.fixture
async def open_channel() -> AsyncIterator[OpenChannel]:
    """Opens channels to services, and closes them after the test."""
    channels: list[Channel] = []

    def opened(address: str, token: str | None = None) -> Channel:
        channels.append(rpc.channel(address, token=token))
        return channels[-1]

    yield opened
    for channel in channels:
        await channel.close()


def _revive(server: Postgres) -> None:
    """A test that failed while the server was down must not take all others with it."""
    if not server.is_running:
        server.start()


def s3_client(server: S3) -> Minio:
    """A plain client with all rights."""
    return Minio(
        endpoint=server.address,
        access_key=server.access_key,
        secret_key=server.secret_key,
        secure=False,
        region=REGION,
    )


def _s3_fields(server: S3, bucket: str) -> dict[str, str]:
    return {
        "s3_endpoint": server.address,
        "s3_access_key": server.access_key,
        "s3_secret_key": server.secret_key,
        "s3_bucket": bucket,
        "s3_region": REGION,
    }


def _remove_bucket(client: Minio, bucket: str) -> None:
    for item in client.list_objects(bucket_name=bucket, recursive=True):
        client.remove_object(bucket_name=bucket, object_name=str(item.object_name))
    client.remove_bucket(bucket_name=bucket)
