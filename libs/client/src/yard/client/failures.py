"""What went wrong, in words for the person at the terminal."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import grpc
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

_HINTS = {
    "UNAUTHENTICATED": "log in first: frameyard login",
    "UNAVAILABLE": "is the platform running? see: make status",
    "DEADLINE_EXCEEDED": "the platform is slow or away; try again",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """One fault of a request: the path of the field, and what is wrong with it."""

    field: str
    description: str


class ClientError(Exception):
    """A call that failed; `code` is the name of a gRPC status, such as NOT_FOUND; `reason` is more exact."""

    def __init__(
        self,
        message: str,
        *,
        code: str,
        reason: str = "",
        violations: tuple[Violation, ...] = (),
        hint: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.reason = reason
        self.violations = violations
        self.hint = hint

    @classmethod
    def from_status(cls, status: status_pb2.Status) -> "ClientError":
        """From the rich form of a status, as operations carry it."""
        code = _name_of(status.code)
        violations = tuple(_violations(status))
        return cls(
            status.message or code,
            code=code,
            reason=_reason(status),
            violations=violations,
            hint=_HINTS.get(code, ""),
        )

    @classmethod
    def from_rpc(cls, fault: grpc.aio.AioRpcError) -> "ClientError":
        """From a call's failure, with its details if it has some."""
        rich = rpc_status.from_call(fault)  # type: ignore[arg-type]
        if rich is not None:
            return cls.from_status(rich)
        code = fault.code().name
        return cls(fault.details() or code, code=code, hint=_HINTS.get(code, ""))

    def about(self, name: str) -> "ClientError":
        """The same, with the name of what was asked for."""
        return ClientError(
            f"{name}: {self.message}",
            code=self.code,
            reason=self.reason,
            violations=self.violations,
            hint=self.hint,
        )

    def faults(self) -> list[str]:
        """One line a fault."""
        faults = [f"{violation.field}: {violation.description}" for violation in self.violations]
        return faults or [self.message]

    def lines(self) -> list[str]:
        """One line a fault, then the hint."""
        return self.faults() + ([self.hint] if self.hint else [])


@contextmanager
def translated() -> Iterator[None]:
    """Turns failures of calls inside the block into ClientError."""
    try:
        yield
    except grpc.aio.AioRpcError as fault:
        if fault.details() == _WRITE_FAILED:
            raise ClientError("the connection was cut", code="UNAVAILABLE") from fault
        raise ClientError.from_rpc(fault) from fault


# What gRPC says of a message that could not be written because the other side had ended just before.
_WRITE_FAILED = "Internal error from Core"


def _name_of(number: int) -> str:
    for code in grpc.StatusCode:
        if code.value[0] == number:
            return code.name
    return "UNKNOWN"


def _reason(status: status_pb2.Status) -> str:
    for detail in status.details:
        info = error_details_pb2.ErrorInfo()
        if detail.Unpack(info):
            return str(info.reason)
    return ""


def _violations(status: status_pb2.Status) -> Iterator[Violation]:
    for detail in status.details:
        request = error_details_pb2.BadRequest()
        if detail.Unpack(request):
            for fault in request.field_violations:
                yield Violation(field=fault.field, description=fault.description)
