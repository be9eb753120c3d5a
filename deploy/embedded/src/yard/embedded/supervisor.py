"""Starts every server and service in one data directory, keeps them running, ends them in order."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from minio import Minio
from yard.embedded.credentials import Credentials
from yard.embedded.keeper import Keeper
from yard.embedded.lock import locked
from yard.embedded.ports import Ports
from yard.embedded.provision import provision_bucket, provision_database
from yard.embedded.servers.nats import Nats
from yard.embedded.servers.postgres import Postgres
from yard.embedded.servers.s3 import REGION, S3, S3Ports
from yard.embedded.servers.server import Server
from yard.embedded.services import SERVICES, Service, ServiceSpec, waves
from yard.embedded.status import write_status

BUCKET = "frameyard"

Announce = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A platform that is up: where its services answer and who may administer it."""

    data: Path
    endpoints: dict[str, str]
    admin_username: str
    admin_password: str
    keepers: dict[str, Keeper]


@asynccontextmanager
async def platform(
    data: Path,
    *,
    services: tuple[ServiceSpec, ...] = SERVICES,
    announce: Announce = print,
    log_level: str = "info",
) -> AsyncIterator[Running]:
    """The platform in `data` for the length of the block; call it in the main thread.

    Raises AlreadyRunningError, or ServerError with the end of the log of what did not start.
    """
    with locked(data):
        supervisor = Supervisor(data, services, announce, log_level)
        try:
            yield await supervisor.start()
        finally:
            await supervisor.stop()


class Supervisor:
    """All processes of one data directory, servers first."""

    def __init__(
        self, data: Path, services: tuple[ServiceSpec, ...], announce: Announce, log_level: str
    ) -> None:
        self._data = data.resolve()
        self._announce = announce
        self._log_level = log_level
        self._waves = waves(services)
        self._ports = Ports(data / "ports.json", announce)
        self._secrets = Credentials.load(data / "secrets.json", [spec.name for spec in services])
        self._keepers: dict[str, Keeper] = {}
        self._started: list[list[Keeper]] = []

    async def start(self) -> Running:
        """Servers together, then the services wave by wave; says what is ready as it comes."""
        self._announce(f"starting in {self._data}")
        postgres, nats, s3 = self._servers()
        await self._start_together([postgres, nats, s3])
        databases = await self._provision(postgres, s3)
        facts = self.facts(nats, s3)
        for wave in self._waves:
            await self._start_together(
                [self._service(spec, {**facts, **self._own_facts(spec, databases)}) for spec in wave]
            )
        endpoints = {spec.name: facts[f"{spec.name}_address"] for wave in self._waves for spec in wave}
        _write_json(self._data / "endpoints.json", endpoints)
        return Running(
            data=self._data,
            endpoints=endpoints,
            admin_username="admin",
            admin_password=self._secrets["admin_password"],
            keepers=dict(self._keepers),
        )

    async def stop(self) -> None:
        """Services in reverse order, then the servers."""
        self._announce("stopping")
        for wave in reversed(self._started):
            await asyncio.gather(*(keeper.stop() for keeper in wave))
        self._announce("stopped")

    def facts(self, nats: Nats, s3: S3) -> dict[str, str]:
        """What templates of settings may name: secrets, `<service>_address`, and where the servers are."""
        addresses = {
            f"{spec.name}_address": f"127.0.0.1:{self._ports.claim(spec.name)}"
            for wave in self._waves
            for spec in wave
        }
        return {
            **self._secrets,
            "identity_address": "",
            **addresses,
            "nats_url": nats.url,
            "s3_address": s3.address,
            "s3_bucket": BUCKET,
            "log_level": self._log_level,
        }

    def _own_facts(self, spec: ServiceSpec, databases: dict[str, str]) -> dict[str, str]:
        own = {} if spec.is_edge else {"database_url": databases[spec.name]}
        return own | {
            "service_secret": self._secrets[f"service_secret_{spec.name}"],
        }

    def _servers(self) -> tuple[Postgres, Nats, S3]:
        claim, secrets = self._ports.claim, self._secrets
        postgres = Postgres(
            self._data / "postgres",
            port=claim("postgres"),
            password=secrets["postgres"],
            log=self._log("postgres"),
        )
        nats = Nats(
            self._data / "nats",
            port=claim("nats"),
            monitor_port=claim("nats.monitor"),
            token=secrets["nats_token"],
            log=self._log("nats"),
        )
        names = ("s3", "master", "volume", "filer", "admin")
        s3 = S3(
            self._data / "s3",
            ports=S3Ports(
                **{name: claim("s3" if name == "s3" else f"s3.{name}", paired=True) for name in names}
            ),
            access_key=secrets["s3_access_key"],
            secret_key=secrets["s3_secret_key"],
            log=self._log("s3"),
        )
        return postgres, nats, s3

    def _service(self, spec: ServiceSpec, facts: dict[str, str]) -> Service:
        return Service(
            spec,
            self._data / "services" / spec.name,
            rpc_port=int(facts[f"{spec.name}_address"].rpartition(":")[2]),
            metrics_port=self._ports.claim(f"{spec.name}.metrics"),
            facts=facts,
            log=self._log(spec.name),
        )

    async def _start_together(self, servers: Iterable[Server]) -> None:
        wave = [Keeper(server, self._announce, self._write_status) for server in servers]
        self._started.append(wave)
        self._keepers |= {keeper.server.name: keeper for keeper in wave}
        results = await asyncio.gather(*(keeper.start() for keeper in wave), return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result

    async def _provision(self, postgres: Postgres, s3: S3) -> dict[str, str]:
        passwords = {
            spec.name: self._secrets[f"database_{spec.name}"]
            for wave in self._waves
            for spec in wave
            if not spec.is_edge
        }
        client = Minio(
            endpoint=s3.address,
            access_key=s3.access_key,
            secret_key=s3.secret_key,
            secure=False,
            region=REGION,
        )
        databases, _ = await asyncio.gather(
            asyncio.to_thread(provision_database, postgres.url(), passwords),
            asyncio.to_thread(provision_bucket, client, BUCKET),
        )
        return databases

    def _write_status(self) -> None:
        write_status(self._data, self._keepers.values())

    def _log(self, name: str) -> Path:
        return self._data / "logs" / f"{name}.log"


def _write_json(file: Path, content: dict[str, str]) -> None:
    fresh = file.with_name(file.name + ".new")
    fresh.write_text(json.dumps(content, indent=2, sort_keys=True) + "\n")
    fresh.replace(file)
