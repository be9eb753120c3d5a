"""Other replicas: where they reach us, and how what they are building is read."""

import asyncio
import socket
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextvars import Context

import grpc.aio
from frameyard.chunk.v1 import chunk_peer_service_pb2 as messages
from frameyard.chunk.v1 import chunk_peer_service_pb2_grpc as stubs
from frameyard.chunk.v1 import chunk_service_pb2
from frameyard.common.v1.common_pb2 import FrameRange
from frameyard.media.v1 import media_pb2
from yard.chunking.build import counting
from yard.chunking.build.building import BUILDER_ENDED, Building, Joined, Picture, retrieve
from yard.chunking.domain import Corrupt, Form, Quality, Rendition
from yard.chunking.settings import Settings
from yard.chunking.store import chunks as store
from yard.runtime import clock, errors, rpc, telemetry
from yard.runtime.app import Runtime

PATIENCE_S = 2.0
"""For the first word of another replica; it says at once that it builds."""

DEAF_S = 5.0
"""A replica that did not answer is not asked again for so long."""

CHANNELS = 16

QUALITIES: dict[Quality, chunk_service_pb2.Quality.ValueType] = {
    "compressed": chunk_service_pb2.QUALITY_COMPRESSED,
    "original": chunk_service_pb2.QUALITY_ORIGINAL,
    "preview": chunk_service_pb2.QUALITY_UNSPECIFIED,
}
FORMATS: dict[Form, media_pb2.ChunkFormat.ValueType] = {
    "zip": media_pb2.CHUNK_FORMAT_ZIP,
    "mp4": media_pb2.CHUNK_FORMAT_MP4,
    "jpeg": media_pb2.CHUNK_FORMAT_UNSPECIFIED,
}
_EVERYWHERE = ("", "0.0.0.0", "[::]", "::")  # noqa: S104 - to be recognised, not listened at

_log = telemetry.log(__name__)

Parts = AsyncIterator[messages.ReadBuildingResponse]


def address_of(runtime: Runtime[Settings]) -> str:
    """host:port at which other replicas read what this one builds."""
    host, _, port = runtime.address.rpartition(":")
    host = runtime.settings.advertised_host or (socket.gethostname() if host in _EVERYWHERE else host)
    if ":" in host and not host.startswith("["):
        host = f"[{host}]"
    return f"{host}:{port}"


class Peers:
    """Reads what another replica is building, once for all callers of this process."""

    def __init__(self, runtime: Runtime[Settings]) -> None:
        settings = runtime.settings
        self._runtime = runtime
        self._tokens = rpc.ServiceTokens(settings.identity_address, runtime.name, settings.service_secret)
        self._can_ask = bool(settings.identity_address and settings.service_secret)
        self._asking = asyncio.Lock()
        self._relays: dict[Rendition, Building] = {}
        self._channels: OrderedDict[str, grpc.aio.Channel] = OrderedDict()
        self._deaf_until: dict[str, float] = {}

    async def joined(self, rendition: Rendition) -> Joined | None:
        """A place among the readers; None if nobody builds it, or who does gives no answer."""
        if (relay := self._relays.get(rendition)) is not None and not relay.has_failed:
            return Joined(relay)
        if not self._can_ask:
            return None
        holder = await store.holder_of(self._runtime.db, rendition)
        if not holder or holder == address_of(self._runtime):
            return None
        async with self._asking:
            if (relay := self._relays.get(rendition)) is not None:
                return Joined(relay)
            # The call serves many: neither the deadline nor the name of who happens to come first is its own.
            opening = asyncio.create_task(self._open(rendition, holder), context=Context())
            try:
                return await asyncio.shield(opening)
            except asyncio.CancelledError:
                opening.add_done_callback(_leave)
                raise

    async def close(self) -> None:
        """Reads no more."""
        tasks = [relay.task for relay in self._relays.values() if relay.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for channel in self._channels.values():
            await channel.close()

    async def _open(self, rendition: Rendition, holder: str) -> Joined | None:
        if self._deaf_until.get(holder, 0.0) > clock.monotonic():
            return None
        stub = stubs.ChunkPeerServiceStub(await self._channel(holder))
        call = stub.ReadBuilding(_request(rendition))
        parts = aiter(call)
        try:
            async with asyncio.timeout(PATIENCE_S):
                await anext(parts)
        except (grpc.aio.AioRpcError, errors.YardError, StopAsyncIteration, TimeoutError) as fault:
            call.cancel()
            self._note(holder, fault)
            return None
        relay = self._relays[rendition] = Building(is_relay=True)
        joined = Joined(relay)
        relay.task = asyncio.create_task(self._relay(relay, rendition, parts))
        relay.task.add_done_callback(retrieve)
        return joined

    async def _relay(self, relay: Building, rendition: Rendition, parts: Parts) -> Picture:
        place = relay.spool.reader()  # for those who join after the last of the others has left
        try:
            picture = await _copied(parts, relay)
            await relay.finish(picture)
            counting.relayed.labels("whole").inc()
        except BaseException as fault:
            counting.relayed.labels("broken").inc()
            await relay.fail(_ended(fault))
            raise
        finally:
            del self._relays[rendition]
            place.close()
        return picture

    async def _channel(self, holder: str) -> grpc.aio.Channel:
        if holder not in self._channels:
            self._channels[holder] = rpc.channel(holder, token=self._tokens)
        self._channels.move_to_end(holder)
        if len(self._channels) > CHANNELS and not self._relays:
            _, oldest = self._channels.popitem(last=False)
            await oldest.close()
        return self._channels[holder]

    def _note(self, holder: str, fault: BaseException) -> None:
        """Who answers, but does not build it any more, is not deaf."""
        if isinstance(_of_peer(fault), errors.NotFound):
            return
        counting.relayed.labels("refused").inc()
        _log.warning("peer_does_not_answer", holder=holder, error=repr(fault))
        now = clock.monotonic()
        self._deaf_until = {each: until for each, until in self._deaf_until.items() if until > now}
        self._deaf_until[holder] = now + DEAF_S


def _leave(opening: "asyncio.Task[Joined | None]") -> None:
    """Who has asked is not there any more."""
    if not opening.cancelled() and opening.exception() is None and (joined := opening.result()) is not None:
        joined.close()


async def _copied(parts: Parts, relay: Building) -> Picture:
    async for part in parts:
        if part.WhichOneof("part") == "end":
            return _picture(part.end)
        await relay.spool.append(part.content)
    raise _gone()


def _picture(end: messages.BuildingEnd) -> Picture:
    """Reasons are the builder's to keep."""
    return Picture(
        width=end.width,
        height=end.height,
        corrupt=tuple(Corrupt(frame=frame, reason="") for frame in end.corrupt_frames),
    )


def _of_peer(fault: BaseException) -> BaseException:
    if isinstance(fault, grpc.aio.AioRpcError):
        return rpc.errors_from_rpc(fault)
    return fault


def _ended(fault: BaseException) -> BaseException:
    """As readers are to hear it: where the replica itself is gone, somebody else may build at once."""
    error = _of_peer(fault)
    is_cut = isinstance(error, errors.Unavailable) and error.reason == errors.Unavailable.reason
    return _gone() if is_cut or isinstance(error, errors.Cancelled) else error


def _gone() -> errors.Unavailable:
    return errors.Unavailable("the replica that was building it has ended", reason=BUILDER_ENDED)


def _request(rendition: Rendition) -> messages.ReadBuildingRequest:
    return messages.ReadBuildingRequest(
        media_id=str(rendition.media_id),
        frames=FrameRange(first=rendition.frames.first, last=rendition.frames.last),
        quality=QUALITIES[rendition.quality],
        format=FORMATS[rendition.form],
    )
