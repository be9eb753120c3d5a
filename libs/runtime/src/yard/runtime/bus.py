"""Facts between services: the stream, the form of an event on it, and subscriptions to it."""

import builtins
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar
from uuid import UUID

import nats
import nats.errors
import nats.js.errors
import structlog
from google.protobuf.message import DecodeError, Message
from nats.aio.client import Client
from nats.js.api import DiscardPolicy, RetentionPolicy, StorageType, StreamConfig
from nats.js.client import JetStreamContext
from yard.runtime import errors
from yard.runtime.db import Record, Transaction, subject_of

M = TypeVar("M", bound=Message)

STREAM = "EVENTS"
SUBJECTS = "frameyard.event.>"
RETENTION = timedelta(days=14)
DUPLICATE_WINDOW = timedelta(minutes=10)
CONTENT_TYPE = "application/protobuf"
# What nats-py raises while the broker is away or coming back.
NATS_FAULTS = (nats.errors.Error, OSError, TimeoutError)
RECONNECT_S = 0.25

_log = structlog.get_logger("yard.runtime.bus")


@dataclass(frozen=True, slots=True, kw_only=True)
class Event(Generic[M]):
    """A fact: `sequence` orders the events of one source, `version` those of one key (from 1, gapless)."""

    id: UUID
    type: str
    source: str
    key: str
    time: datetime
    sequence: int
    version: int
    message: M


Handler = Callable[[Transaction, Event[M]], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """A handler of one event type; `name` identifies it in the inbox, so releases must not change it."""

    name: str
    message_type: type[Message]
    handler: Callable[[Transaction, Event[Any]], Awaitable[None]]

    @property
    def type(self) -> str:
        """Full name of the event, as in ce-type."""
        return self.message_type.DESCRIPTOR.full_name

    @property
    def subject(self) -> str:
        """The events of this type, of all keys."""
        return subject_of(self.type, "*")


def subscribe(message_type: type[M], handler: Handler[M], *, name: str | None = None) -> Subscription:
    """Runs `handler` once for each event of that type, in one transaction with the inbox row."""
    default = f"{message_type.DESCRIPTOR.full_name}/{getattr(handler, '__name__', 'handler')}"
    return Subscription(name=name or default, message_type=message_type, handler=handler)


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """An event as it travels: CloudEvents 1.0 headers (binary mode) and a body that is not decoded yet."""

    id: UUID
    type: str
    subject: str
    headers: Mapping[str, str]
    body: bytes

    @classmethod
    def parse(cls, subject: str, headers: Mapping[str, str] | None, body: bytes) -> "Envelope":
        """Poison if the headers do not name the event."""
        found = dict(headers or {})
        try:
            event_id, event_type = UUID(found["ce-id"]), found["ce-type"]
        except (KeyError, ValueError) as fault:
            raise errors.Poison(f"no CloudEvents id and type in the headers on {subject}") from fault
        return cls(id=event_id, type=event_type, subject=subject, headers=found, body=body)

    def decode(self, message_type: builtins.type[M]) -> Event[M]:
        """Poison if the body or a header does not parse."""
        try:
            message = message_type()
            message.ParseFromString(self.body)
            return Event(
                id=self.id,
                type=self.type,
                source=self.headers["ce-source"],
                key=self.headers["ce-subject"],
                time=datetime.fromisoformat(self.headers["ce-time"]),
                sequence=int(self.headers["ce-sequence"]),
                version=int(self.headers["ce-keyversion"]),
                message=message,
            )
        except (DecodeError, KeyError, ValueError) as fault:
            raise errors.Poison(f"event {self.id} is not a {self.type}: {fault}") from fault


def headers_of(row: Record, source: str) -> dict[str, str]:
    """Headers of an outbox row: CloudEvents, trace context, and the id by which the stream drops repeats."""
    return {
        **row["headers"],
        "Nats-Msg-Id": str(row["id"]),
        "Nats-Expected-Stream": STREAM,
        "content-type": CONTENT_TYPE,
        "ce-specversion": "1.0",
        "ce-id": str(row["id"]),
        "ce-type": row["type"],
        "ce-source": source,
        "ce-subject": row["key"],
        "ce-time": row["created_at"].isoformat(),
        "ce-sequence": str(row["sequence"]),
        "ce-keyversion": str(row["key_version"]),
    }


async def connect(url: str, *, token: str = "", name: str = "") -> Client:
    """A client that reconnects for ever; Unavailable if the broker is not there at the start."""
    try:
        return await nats.connect(
            url,
            token=token or None,
            name=name or None,
            max_reconnect_attempts=-1,
            reconnect_time_wait=RECONNECT_S,
            connect_timeout=5,
            error_cb=_log_fault,
            allow_reconnect=True,
        )
    except NATS_FAULTS as fault:
        raise errors.Unavailable("the broker does not answer", reason="BROKER_UNAVAILABLE") from fault


async def ensure_stream(js: JetStreamContext, *, replicas: int = 1, max_bytes: int = -1) -> datetime:
    """Create EVENTS unless it exists; returns when it was made, which tells a stream from its successor."""
    try:
        found = await js.stream_info(STREAM)
    except nats.js.errors.NotFoundError:
        found = await js.add_stream(
            StreamConfig(
                name=STREAM,
                subjects=[SUBJECTS],
                retention=RetentionPolicy.LIMITS,
                discard=DiscardPolicy.OLD,
                storage=StorageType.FILE,
                num_replicas=replicas,
                max_bytes=max_bytes,
                max_age=RETENTION.total_seconds(),
                duplicate_window=DUPLICATE_WINDOW.total_seconds(),
            )
        )
    created = found.created
    return created if isinstance(created, datetime) else datetime.fromisoformat(str(created))


async def _log_fault(fault: Exception) -> None:
    _log.warning("broker_fault", error=repr(fault))
