"""The task service as a process of its own, for what reads no bytes: sizes of frames are in its rows."""

from yard.runtime.auth import TokenIssuer
from yard.task.settings import Settings
from yard.testkit.service_program import ServiceProgram

from benchmarks.servers import Servers


def task_program(servers: Servers, url: str, issuer: TokenIssuer, name: str) -> ServiceProgram:
    """Over the schema at `url`; its log and its ports are files of that name."""
    settings = Settings(
        database_url=url,
        nats_url=servers.nats.url,
        nats_token=servers.nats.token,
        s3_endpoint="127.0.0.1:1",
        s3_access_key="none",
        s3_secret_key="none",  # noqa: S106 - nobody asks for it
        jwks=issuer.jwks,
        port_file=str(servers.folder / f"{name}.port"),
    )
    return ServiceProgram(settings, log=servers.folder / f"{name}.log")
