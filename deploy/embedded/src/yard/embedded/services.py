"""The services of the platform: what is started, in which order, with which settings."""

import json
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from yard.embedded.child import Command
from yard.embedded.servers.server import Server, answers, write_private

PREFIX = "FRAMEYARD_"
ENVIRONMENT_FILE = "environment.json"
"""Of each service, private: for commands that are run beside it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSpec:
    """One service; `settings` are templates over what the supervisor knows (see `Supervisor.facts`)."""

    name: str
    arguments: tuple[str, ...]
    needs: tuple[str, ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict)
    passed: tuple[str, ...] = ()
    """Settings that are taken from our own environment, where they are set there."""
    is_edge: bool = False
    """Whether it keeps nothing: it gets no role in the database, no key of grants and no gRPC address."""


COMMON_SETTINGS: Mapping[str, str] = {
    "nats_url": "{nats_url}",
    "nats_token": "{nats_token}",
    "s3_endpoint": "{s3_address}",
    "s3_access_key": "{s3_access_key}",
    "s3_secret_key": "{s3_secret_key}",
    "s3_bucket": "{s3_bucket}",
    "identity_address": "{identity_address}",
    "service_secret": "{service_secret}",
    "log_level": "{log_level}",
}
"""Setting -> template, for every service."""

KEEPING_SETTINGS: Mapping[str, str] = {"database_url": "{database_url}", "grant_keys": "{grant_key}"}
"""The same for those that keep something."""

SERVICES: tuple[ServiceSpec, ...] = (
    ServiceSpec(
        name="identity",
        arguments=("-m", "yard.identity"),
        settings={
            "admin_username": "admin",
            "admin_password": "{admin_password}",
            "key_encryption_key": "{key_encryption_key}",
            "service_accounts": "export={service_secret_export},chunking={service_secret_chunking},"
            "gateway={service_secret_gateway},webhook={service_secret_webhook},"
            "repo_sync={service_secret_repo_sync}",
        },
    ),
    ServiceSpec(name="task", arguments=("-m", "yard.task"), needs=("identity",)),
    ServiceSpec(
        name="media_ingest",
        arguments=("-m", "yard.media_ingest"),
        settings={"upload_s3_address": "http://{s3_address}"},
        needs=("identity",),
        passed=("shares", "egress_networks", "egress_ca_file"),
    ),
    ServiceSpec(name="chunking", arguments=("-m", "yard.chunking"), needs=("identity",), passed=("shares",)),
    ServiceSpec(
        name="export",
        arguments=("-m", "yard.export"),
        needs=("identity",),
        settings={
            "task_address": "{task_address}",
            "media_ingest_address": "{media_ingest_address}",
            "chunking_address": "{chunking_address}",
        },
    ),
    ServiceSpec(
        name="webhook",
        arguments=("-m", "yard.webhook"),
        needs=("identity",),
        settings={"task_address": "{task_address}", "key_encryption_key": "{webhook_encryption_key}"},
        passed=("egress_networks", "egress_ca_file"),
    ),
    ServiceSpec(
        name="repo_sync",
        arguments=("-m", "yard.repo_sync"),
        needs=("identity",),
        settings={
            "task_address": "{task_address}",
            "export_address": "{export_address}",
            "key_encryption_key": "{repo_sync_encryption_key}",
        },
        passed=(
            "egress_networks",
            "egress_ca_file",
            "public_url",
            "quiet_s",
            "least_quiet_s",
            "period_s",
            "least_period_s",
        ),
    ),
    ServiceSpec(
        name="gateway",
        is_edge=True,
        arguments=("-m", "yard.gateway"),
        needs=("identity",),
        settings={
            "http_listen": "{gateway_address}",
            "task_address": "{task_address}",
            "media_ingest_address": "{media_ingest_address}",
            "chunking_address": "{chunking_address}",
            "export_address": "{export_address}",
            "webhook_address": "{webhook_address}",
            "repo_sync_address": "{repo_sync_address}",
        },
        passed=(
            "public_url",
            "cors_origins",
            "trusted_proxies",
            "requests_per_minute",
            "anonymous_requests_per_minute",
            "max_json_bytes",
        ),
    ),
)


class Service(Server):
    """A service as a child process; ready when its port file is there and /readyz says 200."""

    # A little more than a service gives its own handlers to end.
    stop_timeout_s: ClassVar[float] = 30.0

    def __init__(
        self,
        spec: ServiceSpec,
        directory: Path,
        *,
        rpc_port: int,
        metrics_port: int,
        facts: Mapping[str, str],
        log: Path,
    ) -> None:
        super().__init__(directory, log=log)
        self.name = spec.name
        self.metrics_port = metrics_port
        self._rpc_port = rpc_port
        self._spec = spec
        self._facts = facts
        self._port_file = self.directory / "ports.json"

    @property
    def address(self) -> str:
        """host:port of its gRPC server."""
        return f"127.0.0.1:{self._rpc_port}"

    def prepare(self) -> Iterator[None]:
        """Forgets the port file of the last run, and notes the environment of this one."""
        yield from super().prepare()
        self._port_file.unlink(missing_ok=True)
        write_private(self.directory / ENVIRONMENT_FILE, json.dumps(self.environment(), indent=2))

    def command(self) -> Command:
        """The service sees its settings, PATH and HOME, and little of the supervisor's environment."""
        return Command(
            argv=[sys.executable, *self._spec.arguments],
            environment=self.environment(),
            directory=self.directory,
        )

    def environment(self) -> dict[str, str]:
        """All of it: PATH, HOME, and its settings as FRAMEYARD_* variables."""
        templates = {
            **COMMON_SETTINGS,
            **({} if self._spec.is_edge else KEEPING_SETTINGS),
            **self._spec.settings,
        }
        settings = {name: text.format_map(self._facts) for name, text in templates.items()}
        settings |= _passed(self._spec)
        if not self._spec.is_edge:
            settings["rpc_listen"] = self.address
        settings["metrics_listen"] = f"127.0.0.1:{self.metrics_port}"
        settings["port_file"] = str(self._port_file)
        return {
            "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
            "HOME": str(self.directory),
            "LANG": "C.UTF-8",
            **{PREFIX + name.upper(): value for name, value in settings.items()},
        }

    def is_ready(self) -> bool:
        """Somebody else on the metrics port does not count: the port file must have come from this run."""
        try:
            bound = json.loads(self._port_file.read_text())
        except (FileNotFoundError, ValueError):
            return False
        return bool(bound) and answers(self.metrics_port, "/readyz")


def _passed(spec: ServiceSpec) -> dict[str, str]:
    """What whoever starts the platform decides."""
    given = {name: os.environ.get(PREFIX + name.upper()) for name in spec.passed}  # noqa: TID251 - theirs, not ours
    return {name: text for name, text in given.items() if text is not None}


def waves(specs: tuple[ServiceSpec, ...]) -> list[list[ServiceSpec]]:
    """Services that may start together, after those they need; ValueError for a cycle or an unknown name."""
    started: set[str] = set()
    result: list[list[ServiceSpec]] = []
    rest = list(specs)
    while rest:
        wave = [spec for spec in rest if started.issuperset(spec.needs)]
        if not wave:
            raise ValueError(
                f"these services need each other or something unknown: {[spec.name for spec in rest]}"
            )
        result.append(wave)
        started.update(spec.name for spec in wave)
        rest = [spec for spec in rest if spec.name not in started]
    return result
