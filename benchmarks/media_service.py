"""The media_ingest service as a process of its own, as a client and the task service meet it."""

import mmap
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from frameyard.media.v1 import (
    media_events_pb2,
    media_pb2,
    media_service_pb2_grpc,
    share_service_pb2_grpc,
    upload_service_pb2,
    upload_service_pb2_grpc,
)
from yard.embedded.servers.s3 import REGION
from yard.runtime import clock, rpc
from yard.runtime.auth import Principal, TokenIssuer
from yard.testkit import eventually
from yard.testkit.fixtures import GRANT_KEY, s3_client
from yard.testkit.process import Program
from yard.testkit.servers import started_s3
from yard.testkit.service_program import address_of

from benchmarks.peaks import peak_mib
from benchmarks.servers import Servers
from services.media_ingest.tests.neighbours import Client, TaskSide

if TYPE_CHECKING:
    from grpc.aio import Channel

BUCKET: Final = "bench"
READY_S: Final = 600.0
ANN: Final = Principal(user_id=1, username="ann", role="user")
EXPORT: Final = Principal(user_id=0, username="export", role="service", service="export")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """Media that were indexed, how long it took, and the most memory of service and children meanwhile."""

    media: media_pb2.Media
    seconds: float
    peak_mib: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """The running service."""

    program: Program
    client: Client
    reader: Client
    task: TaskSide
    s3: dict[str, str]

    async def upload(self, path: Path) -> upload_service_pb2.Upload:
        """A finished upload of one file, which is not read into memory."""
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return await self.client.upload({path.name: cast("bytes", content)})

    async def ready(self, *uploads: upload_service_pb2.Upload, **data: Any) -> Ready:
        """From the request of the media to the news that they are ready."""
        with peak_mib(self.program.pid) as peak:
            began = clock.monotonic()
            media_id = await self.task.request(*uploads, **data)
            [event] = await eventually(lambda: self.task.told(media_id), timeout_s=READY_S)
            seconds = clock.monotonic() - began
        if not isinstance(event, media_events_pb2.MediaIndexed):
            raise TypeError(str(event))
        return Ready(media=event.media, seconds=seconds, peak_mib=peak[0])


@asynccontextmanager
async def media_ingest(servers: Servers, folder: Path, share: Path) -> AsyncIterator[Service]:
    """With a new bucket; what it writes is in `folder`, and `share` is connected under the name "bench"."""
    issuer = TokenIssuer.generate()
    with _s3(folder) as settings:
        program = _start(servers, issuer, settings, folder, share)
        try:
            address = await address_of(program, folder / "media.port")
            async with (
                rpc.channel(address, token=issuer.issue(ANN).token) as as_ann,
                rpc.channel(address, token=issuer.issue(EXPORT).token) as as_export,
                TaskSide.connected(servers.nats.url, servers.nats.token) as task,
            ):
                yield Service(
                    program=program, client=_client(as_ann), reader=_client(as_export), task=task, s3=settings
                )
        finally:
            program.kill()


def _client(channel: "Channel") -> Client:
    return Client(
        uploads=upload_service_pb2_grpc.UploadServiceStub(channel),
        media=media_service_pb2_grpc.MediaServiceStub(channel),
        shares=share_service_pb2_grpc.ShareServiceStub(channel),
    )


@contextmanager
def _s3(folder: Path) -> Iterator[dict[str, str]]:
    folder.mkdir()
    server = started_s3(folder / "s3")
    try:
        s3_client(server).make_bucket(bucket_name=BUCKET)
        yield {
            "endpoint": server.address,
            "access_key": server.access_key,
            "secret_key": server.secret_key,
            "bucket": BUCKET,
            "region": REGION,
        }
    finally:
        server.kill()


def _start(servers: Servers, issuer: TokenIssuer, s3: dict[str, str], folder: Path, share: Path) -> Program:
    settings = {
        "DATABASE_URL": servers.databases.create("media_ingest", "yard.media_ingest.migrations"),
        "NATS_URL": servers.nats.url,
        "NATS_TOKEN": servers.nats.token,
        "JWKS": issuer.jwks,
        "GRANT_KEYS": GRANT_KEY,
        "SHARES": f"bench={share}",
        "PORT_FILE": str(folder / "media.port"),
        **{f"S3_{name.upper()}": value for name, value in s3.items()},
    }
    environment = {f"FRAMEYARD_{name}": value for name, value in settings.items()}
    log = folder / "media_ingest.log"
    return Program(["-m", "yard.media_ingest"], log=log, environment=environment)
