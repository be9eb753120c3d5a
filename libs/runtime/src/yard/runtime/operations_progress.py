"""Progress on its way: published on core NATS by whoever works, recorded by the owner of the operation."""

import asyncio
from contextlib import suppress
from typing import Final
from uuid import UUID

from frameyard.operation.v1 import operation_pb2
from google.protobuf.message import DecodeError
from nats.aio.client import Client
from nats.aio.msg import Msg
from yard.runtime import bus, clock, errors, telemetry
from yard.runtime.db import Database

# Messages an operation and second that watchers get at most.
THINNING_S: Final = 0.25
RECORD_S: Final = 1.0
REMEMBERED: Final = 1_024
# One of the replicas hears each message.
QUEUE: Final = "recorder"

_log = telemetry.log(__name__)


def subject_of(name: str) -> str:
    """frameyard.progress.<service>.<uuid> for the operation <service>/<uuid>."""
    return f"frameyard.progress.{name.replace('/', '.')}"


class ProgressPublisher:
    """Thins what workers report; the last report before the end may be among what is left out."""

    def __init__(self, nc: Client) -> None:
        self._nc = nc
        self._sent_at: dict[str, float] = {}

    async def publish(self, name: str, fraction: float, message: str) -> None:
        """Send it, unless the operation's last one is not long ago; a closed connection is no fault here."""
        if not self._is_due(name):
            return
        progress = min(max(fraction, 0.0), 1.0)
        body = operation_pb2.Operation(name=name, progress=progress, message=message).SerializeToString()
        with suppress(*bus.NATS_FAULTS):
            await self._nc.publish(subject_of(name), body)

    def _is_due(self, name: str) -> bool:
        present = clock.monotonic()
        if present - self._sent_at.get(name, float("-inf")) < THINNING_S:
            return False
        if len(self._sent_at) >= REMEMBERED:
            self._sent_at = {key: at for key, at in self._sent_at.items() if present - at < THINNING_S}
        self._sent_at[name] = present
        return True


class ProgressRecorder:
    """Writes the newest progress of each operation of one service to its row, once a second at most."""

    def __init__(self, service: str, database: Database, nc: Client) -> None:
        self._service = service
        self._database = database
        self._nc = nc
        self._heard: dict[UUID, operation_pb2.Operation] = {}
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """End `run` after a last write."""
        self._stopping.set()

    async def run(self) -> None:
        """Listen and write until stopped."""
        subscription = await self._nc.subscribe(subject_of(f"{self._service}/*"), queue=QUEUE, cb=self._hear)
        try:
            while not self._stopping.is_set():
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._stopping.wait(), RECORD_S)
                await self._write()
        finally:
            with suppress(*bus.NATS_FAULTS):
                await subscription.unsubscribe()

    async def _hear(self, message: Msg) -> None:
        heard = parse(message)
        if heard is not None:
            self._heard[UUID(heard.name.partition("/")[2])] = heard

    async def _write(self) -> None:
        if not self._heard:
            return
        heard, self._heard = self._heard, {}
        progress = [operation.progress for operation in heard.values()]
        texts = [operation.message for operation in heard.values()]
        try:
            await self._database.execute(_RECORD, list(heard), progress, texts)
        except (errors.Unavailable, errors.Conflict) as fault:
            self._heard = heard | self._heard
            _log.warning("progress_not_recorded", operations=len(heard), error=fault.message)


def parse(message: Msg) -> operation_pb2.Operation | None:
    """Name, progress and text as they were published; None if the message is not of that form."""
    service, _, operation_id = message.subject.removeprefix("frameyard.progress.").partition(".")
    try:
        heard = operation_pb2.Operation.FromString(message.data)
        heard.name = f"{service}/{UUID(operation_id)}"
    except (DecodeError, ValueError):
        return None
    return heard


_RECORD = """
UPDATE operation
SET state = 'RUNNING',
    progress = greatest(operation.progress, heard.progress),
    message = heard.message,
    updated_at = now()
FROM unnest($1::uuid[], $2::real[], $3::text[]) AS heard (id, progress, message)
WHERE operation.id = heard.id AND operation.state IN ('QUEUED', 'RUNNING')
"""
