# ruff: noqa: N818 - the names are those of the gRPC status codes
"""The one tree of errors.

YardError
├── InvalidArgument       the request is wrong in itself; names each field
├── NotFound              absent, or not for the caller to see
├── AlreadyExists
├── FailedPrecondition    right request, wrong state: retrying does not help before the state changes
├── Conflict              lost against a concurrent change: read again and retry
│   └── LeaseLost         another holder has taken over this work
├── PermissionDenied
├── Unauthenticated
├── ResourceExhausted     a limit or quota; says when to come back
├── OutOfRange
├── Cancelled
├── DeadlineExceeded
├── DataLoss              stored bytes are not what was written
├── Unavailable           something that we need is down: retry
├── Unimplemented
├── Internal              our own fault
│   └── WorkerCrashed     a child process died or overran its limits on this input, repeatedly
└── Poison                a message that can never be handled
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

_WORD_START = re.compile(r"(?<!^)(?=[A-Z])")


class YardError(Exception):
    """Root of all errors that callers may see; `reason` is UPPER_SNAKE, `metadata` holds what varies."""

    reason: str = "YARD_ERROR"
    retry_after_s: float | None = None

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "reason" not in cls.__dict__:
            cls.reason = _WORD_START.sub("_", cls.__name__).upper()

    def __init__(
        self, message: str, *, reason: str | None = None, metadata: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.metadata = dict(metadata or {})
        if reason is not None:
            self.reason = reason


@dataclass(frozen=True, slots=True)
class Violation:
    """One field of a request, by its dotted path, and what is wrong with it."""

    field: str
    description: str


class InvalidArgument(YardError):
    """The request is wrong in itself; without `message` the violations are the message."""

    def __init__(
        self,
        message: str = "",
        violations: Sequence[Violation] = (),
        *,
        reason: str | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        self.violations = tuple(violations)
        listed = "; ".join(f"{violation.field}: {violation.description}" for violation in self.violations)
        super().__init__(message or listed or "invalid argument", reason=reason, metadata=metadata)

    def __add__(self, other: "InvalidArgument") -> "InvalidArgument":
        """Both errors' violations in one, so that a caller learns all faults at once."""
        return InvalidArgument(violations=self.violations + other.violations)


def invalid(field: str, description: str) -> InvalidArgument:
    """An InvalidArgument with one violation; add several together with +."""
    return InvalidArgument(violations=[Violation(field, description)])


def refuse(violations: Collection[Violation]) -> None:
    """Raises an InvalidArgument with all of them, if there are any."""
    if violations:
        raise InvalidArgument(violations=tuple(violations))


class NotFound(YardError):
    """A resource is absent, or hidden from the caller."""

    def __init__(
        self,
        kind: str,
        name: object,
        *,
        message: str = "",
        reason: str | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        self.kind = kind
        self.name = str(name)
        super().__init__(message or f"{kind} {name} was not found", reason=reason, metadata=metadata)


class AlreadyExists(YardError):
    """What should be created is there already."""


class FailedPrecondition(YardError):
    """The state forbids it, and a retry does not help before the state changes."""


class Conflict(YardError):
    """Lost against a concurrent change: read again and retry."""


class LeaseLost(Conflict):
    """Another holder has taken over this work; nothing that was done under the old lease counts."""


class PermissionDenied(YardError):
    """The caller may see it, but may not do this to it."""


class Unauthenticated(YardError):
    """No valid token came with the call."""


class ResourceExhausted(YardError):
    """A limit or quota is reached."""

    def __init__(
        self,
        message: str,
        retry_after_s: float | None = None,
        *,
        reason: str | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message, reason=reason, metadata=metadata)
        self.retry_after_s = retry_after_s


class OutOfRange(YardError):
    """Past the end of what exists, where asking for less would succeed."""


class Cancelled(YardError):
    """The caller or the owner of an operation has given up on it."""


class DeadlineExceeded(YardError):
    """Not done in time; it may still have happened."""


class DataLoss(YardError):
    """Stored bytes are not what was written."""


class Unavailable(YardError):
    """Something that we need is down; the same call may succeed later."""


class Unimplemented(YardError):
    """The server does not know this method or this variant of it."""


class Internal(YardError):
    """Our own fault."""


class WorkerCrashed(Internal):
    """A child process died or overran its limits on this input; names the function.

    `limit` of the metadata is "time" if it did not end in time, "memory" if it wanted more than there is.
    """


class Poison(YardError):
    """A message that can never be handled: it is kept as a dead letter at once."""
