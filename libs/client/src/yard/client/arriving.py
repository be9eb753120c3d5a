"""A chunk on its way in: whole or not at all, and asked for again where the service ends its stream."""

from contextlib import aclosing
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from frameyard.chunk.v1 import chunk_service_pb2 as messages
from yard.client.client import Client
from yard.client.failures import ClientError
from yard.client.files import Sink
from yard.client.patience import Patience

_CUTS = frozenset({"", "BUILDER_ENDED", "CHUNK_DAMAGED"})
"""Reasons for which the service can be asked again; "" is that of a connection that was cut."""


@runtime_checkable
class Restartable(Protocol):
    """A sink that can forget what it has taken, as PartialFile."""

    def restart(self) -> object:
        """Forgets all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """What was written into a file, and which of its frames are damaged."""

    header: messages.ChunkHeader
    trailer: messages.ChunkTrailer


async def fetch(client: Client, request: messages.GetChunkRequest, into: Sink) -> Chunk:
    """Writes the chunk as it comes; ClientError, which names it, if it is not complete.

    A stream that the service ends is asked for again, a few times, unless `into` has taken bytes already and
    is not Restartable.
    """
    name = _name(request)
    arriving = _Arriving(name, into)
    patience = Patience()
    while True:
        try:
            async with aclosing(client.stream(client.chunks.GetChunk, request)) as parts:
                async for part in parts:
                    arriving.take(part)
            return arriving.whole()
        except ClientError as fault:
            if not arriving.may_repeat(fault):
                raise
            await patience.after(fault.about(name))
            arriving.restart()


class _Arriving:
    """What has come of one chunk."""

    def __init__(self, name: str, into: Sink) -> None:
        self._name = name
        self._into = into
        self._has_begun = False  # in any of the streams
        self._header: messages.ChunkHeader | None = None
        self._trailer: messages.ChunkTrailer | None = None
        self._size_bytes = 0

    def take(self, part: messages.GetChunkResponse) -> None:
        """The next part of the stream."""
        self._has_begun = True
        match part.WhichOneof("part"):
            case "header":
                self._header = part.header
            case "trailer":
                self._trailer = part.trailer
            case _:
                self._into.write(part.content)
                self._size_bytes += len(part.content)

    def whole(self) -> Chunk:
        """The stream has ended; ClientError if it is not what it says."""
        header, trailer = self._header, self._trailer
        if header is None or trailer is None:
            told = f"{self._name}: the stream ended after {self._size_bytes} bytes, before its trailer"
            raise ClientError(told, code="DATA_LOSS")
        lengths = [trailer.size_bytes, *([header.size_bytes] if header.HasField("size_bytes") else [])]
        for length in lengths:
            if length != self._size_bytes:
                told = f"{self._name}: {self._size_bytes} of {length} bytes came"
                raise ClientError(told, code="DATA_LOSS")
        return Chunk(header=header, trailer=trailer)

    def may_repeat(self, fault: ClientError) -> bool:
        """Whether the service has ended the stream, and nothing is lost by another one.

        Calls that have not begun are repeated by the channel already.
        """
        is_cut = fault.code == "UNAVAILABLE" and fault.reason in _CUTS
        can_restart = not self._size_bytes or isinstance(self._into, Restartable)
        return is_cut and can_restart and (self._has_begun or bool(fault.reason))

    def restart(self) -> None:
        """Another stream begins."""
        if self._size_bytes and isinstance(self._into, Restartable):
            self._into.restart()
        self._header = self._trailer = None
        self._size_bytes = 0


def _name(request: messages.GetChunkRequest) -> str:
    if request.WhichOneof("selection") == "frames":
        return f"frames {request.frames.first} to {request.frames.last}"
    return f"chunk {request.number}"
