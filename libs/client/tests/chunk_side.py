"""A small real server whose streams of a chunk end as they are told to."""

# ruff: noqa: N802 - methods are named as in the proto
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc.aio
from frameyard.chunk.v1 import chunk_service_pb2 as chunk
from frameyard.chunk.v1 import chunk_service_pb2_grpc
from frameyard.task.v1 import task_service_pb2 as tasks
from frameyard.task.v1 import task_service_pb2_grpc
from google.protobuf import any_pb2
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status
from yard.client import Endpoints
from yard.testkit import peers

CONTENT = bytes(range(256)) * 100
HALF = len(CONTENT) // 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """What one call sends: so many bytes, and then the trailer or the end with an error."""

    sent: int = len(CONTENT)
    told: int | None = len(CONTENT)
    """Length that the trailer tells; None for no trailer."""
    announced: int | None = None
    """Length that the header tells."""
    code: grpc.StatusCode | None = None
    reason: str = ""


@dataclass(slots=True, kw_only=True)
class ChunkSide(chunk_service_pb2_grpc.ChunkServiceServicer, task_service_pb2_grpc.TaskServiceServicer):
    """Answers calls with `streams` one after the other, the last one for ever."""

    streams: Sequence[Stream] = (Stream(),)
    calls: list[chunk.GetChunkRequest] = field(default_factory=list)

    async def GetMediaGrant(
        self, request: tasks.GetMediaGrantRequest, context: Any
    ) -> tasks.GetMediaGrantResponse:
        answer = tasks.GetMediaGrantResponse(media_id="media", grant="grant")
        answer.expire_time.FromJsonString("2099-01-01T00:00:00Z")
        return answer

    async def GetChunk(
        self, request: chunk.GetChunkRequest, context: Any
    ) -> AsyncIterator[chunk.GetChunkResponse]:
        stream = self.streams[min(len(self.calls), len(self.streams) - 1)]
        self.calls.append(request)
        yield chunk.GetChunkResponse(header=chunk.ChunkHeader(width=4, size_bytes=stream.announced))
        content = (CONTENT + b"more")[: stream.sent]
        for start in range(0, len(content), 1000):
            yield chunk.GetChunkResponse(content=content[start : start + 1000])
        if stream.code is not None:
            await context.abort_with_status(rpc_status.to_status(_status(stream)))
        if stream.told is not None:
            yield chunk.GetChunkResponse(trailer=chunk.ChunkTrailer(size_bytes=stream.told))

    async def GetFrame(
        self, request: chunk.GetFrameRequest, context: Any
    ) -> AsyncIterator[chunk.GetFrameResponse]:
        yield chunk.GetFrameResponse(header=chunk.FrameHeader(size_bytes=len(CONTENT)))
        yield chunk.GetFrameResponse(content=CONTENT[: self.streams[0].sent])


def _status(stream: Stream) -> status_pb2.Status:
    assert stream.code is not None
    status = status_pb2.Status(code=stream.code.value[0], message="it has ended")
    if stream.reason:
        detail = any_pb2.Any()
        detail.Pack(error_details_pb2.ErrorInfo(reason=stream.reason))
        status.details.append(detail)
    return status


def new_chunk_side() -> ChunkSide:
    """Methods that nobody calls answer UNIMPLEMENTED."""
    return ChunkSide()  # type: ignore[abstract]


@asynccontextmanager
async def serving(side: ChunkSide) -> AsyncIterator[Endpoints]:
    """Its address, for all services."""
    adds = (
        chunk_service_pb2_grpc.add_ChunkServiceServicer_to_server,
        task_service_pb2_grpc.add_TaskServiceServicer_to_server,
    )
    async with peers.serving(side, adds) as address:
        yield Endpoints(
            identity=address, task=address, media_ingest=address, chunking=address, export=address
        )
