"""Webhooks and deliveries: what is valid, what is signed, and when it is tried again."""

import hashlib
import hmac
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Final, Literal, TypeAlias
from uuid import UUID

from yard.runtime.egress import RemoteUrl
from yard.runtime.errors import Violation

EVENTS: Final = (
    "create:comment",
    "create:issue",
    "create:task",
    "delete:comment",
    "delete:issue",
    "delete:project",
    "delete:task",
    "update:comment",
    "update:issue",
    "update:job",
    "update:project",
    "update:task",
)
"""What can be chosen: each is sent for something that happens."""

PING: Final = "ping"
CHANGEABLE: Final = ("url", "description", "events", "secret", "verify_tls", "is_active")

LONGEST_URL: Final = 2_000
LONGEST_DESCRIPTION: Final = 128
LONGEST_SECRET: Final = 64
SHOWN_ANSWER: Final = 1_000

GONE: Final = 410
LONGEST_PAUSE_S: Final = 6 * 3600.0
GIVE_UP_AFTER: Final = timedelta(days=3)
KEPT: Final = timedelta(days=30)

State: TypeAlias = Literal["pending", "delivered", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody as identity has told; the name is empty where it has not."""

    id: int
    username: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """A webhook; `secret` is encrypted, None if it does not sign."""

    id: int
    url: str
    description: str
    project_id: int
    events: tuple[str, ...]
    secret: bytes | None = field(default=None, repr=False)
    verify_tls: bool
    is_active: bool
    owner: Person
    created_at: datetime
    updated_at: datetime
    last_status: int = 0
    last_attempt_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One event for one webhook; `body` is None until it is tried, or where it was not read."""

    id: UUID
    hook_id: int
    event: str
    state: State
    attempts: int
    last_status: int
    last_answer: str
    body: str | None
    created_at: datetime
    last_attempt_at: datetime | None
    next_attempt_at: datetime | None
    redelivery_of: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """What an event has told, in the words of the JSON that will be sent.

    `shown` is the whole object where the event carries it; what it does not is read when it is sent first.
    """

    kind: str
    id: int
    sender_id: int = 0
    known: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    shown: bool = False
    before: Mapping[str, Any] | None = None
    changed: Sequence[str] = ()

    def to_json(self) -> dict[str, Any]:
        """As it is stored."""
        return {
            "kind": self.kind,
            "id": self.id,
            "sender_id": self.sender_id,
            "known": dict(self.known),
            "shown": self.shown,
            "before": None if self.before is None else dict(self.before),
            "changed": list(self.changed),
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Fact":
        """What `to_json` gave."""
        return cls(**stored)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a try: a status, 0 if none came, and the beginning of the answer or the reason."""

    status: int
    answer: str

    @property
    def is_delivered(self) -> bool:
        """Whether the receiver has taken it."""
        return 200 <= self.status < 300


def violations(values: Mapping[str, Any], prefix: str) -> Iterator[Violation]:
    """What is wrong with those of the fields that are given."""
    if "url" in values:
        yield from _url_violations(values["url"], f"{prefix}url")
    for name, longest in (("description", LONGEST_DESCRIPTION), ("secret", LONGEST_SECRET)):
        text = values.get(name, "")
        if len(text) > longest:
            yield Violation(f"{prefix}{name}", f"must have at most {longest} characters, got {len(text)}")
        if "\0" in text:
            yield Violation(f"{prefix}{name}", "must not have the character NUL")
    if "events" in values:
        yield from _event_violations(values["events"], f"{prefix}events")


def mask_violations(paths: Sequence[str]) -> Iterator[Violation]:
    """What is wrong with the mask of a change."""
    if not paths:
        yield Violation("update_mask", f"must name some of {', '.join(CHANGEABLE)}")
    for path in paths:
        if path not in CHANGEABLE:
            yield Violation("update_mask", f"{path[:64]!r} is none of {', '.join(CHANGEABLE)}")


def _url_violations(url: str, name: str) -> Iterator[Violation]:
    if len(url) > LONGEST_URL:
        yield Violation(name, f"must have at most {LONGEST_URL} characters, got {len(url)}")
        return
    try:
        RemoteUrl.parse(url)
    except ValueError as fault:
        yield Violation(name, str(fault))


def _event_violations(events: Sequence[str], name: str) -> Iterator[Violation]:
    if not events:
        yield Violation(name, "must name at least one event")
    for number, event in enumerate(events):
        if event not in EVENTS:
            yield Violation(f"{name}[{number}]", f"{event[:64]!r} is none of {', '.join(EVENTS)}")


def signature(secret: str, body: bytes) -> str:
    """What X-Signature-256 says of a body."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def next_attempt(
    delivery: Delivery, outcome: Outcome, now: datetime, *, first_pause_s: float
) -> datetime | None:
    """When it is tried again after its last try; None when it is not.

    `delivery` is as it was before that try. Pauses grow twofold from the first to six hours and are spread by
    a fifth, for three days in all.
    """
    if outcome.is_delivered or outcome.status == GONE or delivery.event == PING:
        return None
    pause_s = min(LONGEST_PAUSE_S, first_pause_s * 2.0 ** min(delivery.attempts, 60))
    spread = random.uniform(0.9, 1.1)  # noqa: S311 - spreads load, guards nothing
    then = now + timedelta(seconds=pause_s * spread)
    return then if then < delivery.created_at + GIVE_UP_AFTER else None


def shown_answer(body: bytes) -> str:
    """The beginning of an answer as the log can hold it."""
    return body[: 4 * SHOWN_ANSWER].decode("utf-8", "replace").replace("\0", "\ufffd")[:SHOWN_ANSWER]
