"""The chunking service as a process of its own, with media in its bucket."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import grpc.aio
from frameyard.chunk.v1 import chunk_service_pb2 as messages
from frameyard.chunk.v1 import chunk_service_pb2_grpc
from frameyard.media.v1 import media_pb2
from minio import Minio
from yard.chunking.settings import Settings
from yard.embedded.servers.s3 import REGION, S3
from yard.media.index_block import decode_video
from yard.media.plan import Source
from yard.runtime import auth, ids, rpc
from yard.runtime.blobs import Blobs
from yard.runtime.db import Database
from yard.testkit import eventually
from yard.testkit.fixtures import GRANT_KEY, s3_client
from yard.testkit.servers import started_s3
from yard.testkit.service_program import ServiceProgram

from benchmarks.chunking_videos import block_of
from benchmarks.servers import servers
from services.chunking.tests.media_side import MediaSide, all_stored

if TYPE_CHECKING:
    from frameyard.chunk.v1.chunk_service_pb2_grpc import ChunkServiceAsyncStub

BUCKET: Final = "bench"
VIEWER: Final = auth.Principal(user_id=0, username="export", role="service", service="export")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A video in the bucket, and its index."""

    source: Source
    block: bytes
    frames: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunking:
    """The running service, and what stands around it."""

    stub: "ChunkServiceAsyncStub"
    side: MediaSide
    db: Database
    s3: Minio

    async def stored(self, video: Path) -> Stored:
        """Puts a video into the bucket."""
        content = await asyncio.to_thread(video.read_bytes)
        blob = await self.side.blobs.put(f"uploads/{ids.uuid7()}", content)
        source = Source(key=blob.key, name=video.name, size_bytes=blob.size_bytes, sha256=blob.sha256)
        block = await asyncio.to_thread(lambda: block_of(video).read_bytes())
        return Stored(source=source, block=block, frames=decode_video(block).frames)

    async def placed(self, video: Stored, **data: Any) -> media_pb2.Media:
        """New media of a stored video, of which nothing is built yet, known to the service."""
        media = await self.side.placed("video", [video.source], video.block, video.frames, **data)
        request = messages.GetBuildStatusRequest(media_id=media.id)

        async def is_known() -> bool:
            try:
                await self.stub.GetBuildStatus(request)
            except grpc.aio.AioRpcError as fault:
                if fault.code() != grpc.StatusCode.NOT_FOUND:
                    raise
                return False
            return True

        await eventually(is_known)
        return media

    async def chunk(self, media: media_pb2.Media, number: int) -> bytes:
        """All bytes of a chunk, in the bucket too."""
        request = messages.GetChunkRequest(media_id=media.id, number=number)
        content = b"".join([part.content async for part in self.stub.GetChunk(request)])
        await self.is_quiet()
        return content

    async def is_quiet(self) -> None:
        """Waits until nothing is built any more, and all is stored."""
        await all_stored(self.db)


@asynccontextmanager
async def chunking() -> AsyncIterator[Chunking]:
    """With servers of its own."""
    with servers() as started:
        s3 = started_s3(started.folder / "s3")
        try:
            issuer = auth.TokenIssuer.generate()
            settings = Settings(
                database_url=started.databases.create("chunking", "yard.chunking.migrations"),
                nats_url=started.nats.url,
                nats_token=started.nats.token,
                grant_keys=(GRANT_KEY,),
                jwks=issuer.jwks,
                port_file=str(started.folder / "chunking.port"),
                read_ahead=0,
                **_s3_settings(s3),
            )
            async with _running(settings, issuer, s3, started.folder) as running:
                yield running
        finally:
            s3.kill()


@asynccontextmanager
async def _running(
    settings: Settings, issuer: auth.TokenIssuer, s3: S3, folder: Path
) -> AsyncIterator[Chunking]:
    client = s3_client(s3)
    client.make_bucket(bucket_name=BUCKET)
    program = ServiceProgram(settings, log=folder / "chunking.log")
    blobs = Blobs.connect(settings)
    db = await Database.connect(settings.database_url, max_size=2)
    try:
        address = await program.address()
        async with (
            rpc.channel(address, token=issuer.issue(VIEWER).token) as channel,
            MediaSide.connected(blobs, settings.nats_url, settings.nats_token) as side,
        ):
            stub = chunk_service_pb2_grpc.ChunkServiceStub(channel)
            yield Chunking(stub=stub, side=side, db=db, s3=client)
    finally:
        program.kill()
        await db.close()
        await blobs.close()


def _s3_settings(s3: S3) -> dict[str, Any]:
    keys = {"s3_access_key": s3.access_key, "s3_secret_key": s3.secret_key}
    return {"s3_endpoint": s3.address, "s3_bucket": BUCKET, "s3_region": REGION, **keys}
