"""What an error means to its three readers: one table each, read by class, nearest ancestor first."""

from collections.abc import Mapping
from typing import Literal, TypeVar

import grpc
from yard.runtime.errors import tree

AckDecision = Literal["retry", "dead_letter", "ack"]
V = TypeVar("V")

GRPC_STATUS: Mapping[type[tree.YardError], grpc.StatusCode] = {
    tree.YardError: grpc.StatusCode.INTERNAL,
    tree.InvalidArgument: grpc.StatusCode.INVALID_ARGUMENT,
    tree.NotFound: grpc.StatusCode.NOT_FOUND,
    tree.AlreadyExists: grpc.StatusCode.ALREADY_EXISTS,
    tree.FailedPrecondition: grpc.StatusCode.FAILED_PRECONDITION,
    tree.Conflict: grpc.StatusCode.ABORTED,
    tree.LeaseLost: grpc.StatusCode.ABORTED,
    tree.PermissionDenied: grpc.StatusCode.PERMISSION_DENIED,
    tree.Unauthenticated: grpc.StatusCode.UNAUTHENTICATED,
    tree.ResourceExhausted: grpc.StatusCode.RESOURCE_EXHAUSTED,
    tree.OutOfRange: grpc.StatusCode.OUT_OF_RANGE,
    tree.Cancelled: grpc.StatusCode.CANCELLED,
    tree.DeadlineExceeded: grpc.StatusCode.DEADLINE_EXCEEDED,
    tree.DataLoss: grpc.StatusCode.DATA_LOSS,
    tree.Unavailable: grpc.StatusCode.UNAVAILABLE,
    tree.Unimplemented: grpc.StatusCode.UNIMPLEMENTED,
    tree.Internal: grpc.StatusCode.INTERNAL,
    tree.WorkerCrashed: grpc.StatusCode.INTERNAL,
    tree.Poison: grpc.StatusCode.INTERNAL,
}

HTTP_STATUS: Mapping[type[tree.YardError], int] = {
    tree.YardError: 500,
    tree.InvalidArgument: 400,
    tree.NotFound: 404,
    tree.AlreadyExists: 409,
    tree.FailedPrecondition: 400,
    tree.Conflict: 409,
    tree.LeaseLost: 409,
    tree.PermissionDenied: 403,
    tree.Unauthenticated: 401,
    tree.ResourceExhausted: 429,
    tree.OutOfRange: 400,
    tree.Cancelled: 499,
    tree.DeadlineExceeded: 504,
    tree.DataLoss: 500,
    tree.Unavailable: 503,
    tree.Unimplemented: 501,
    tree.Internal: 500,
    tree.WorkerCrashed: 500,
    tree.Poison: 500,
}

# What a consumer or a work loop does with the message whose handler raised it. Unauthenticated may be our own
# expired token and Internal a fault that the next release repairs: both are tried again, a few times.
ACK_DECISION: Mapping[type[tree.YardError], AckDecision] = {
    tree.YardError: "retry",
    tree.InvalidArgument: "dead_letter",
    tree.NotFound: "dead_letter",
    tree.AlreadyExists: "dead_letter",
    tree.FailedPrecondition: "dead_letter",
    tree.Conflict: "retry",
    tree.LeaseLost: "retry",
    tree.PermissionDenied: "dead_letter",
    tree.Unauthenticated: "retry",
    tree.ResourceExhausted: "retry",
    tree.OutOfRange: "dead_letter",
    tree.Cancelled: "ack",
    tree.DeadlineExceeded: "retry",
    tree.DataLoss: "dead_letter",
    tree.Unavailable: "retry",
    tree.Unimplemented: "dead_letter",
    tree.Internal: "retry",
    tree.WorkerCrashed: "dead_letter",
    tree.Poison: "dead_letter",
}


def grpc_status(error: tree.YardError) -> grpc.StatusCode:
    """The gRPC status of an error, also of a service's own subclass."""
    return _nearest(GRPC_STATUS, error)


def http_status(error: tree.YardError) -> int:
    """The HTTP status of an error, also of a service's own subclass."""
    return _nearest(HTTP_STATUS, error)


def ack_decision(error: tree.YardError) -> AckDecision:
    """What happens to the message whose handler raised this."""
    return _nearest(ACK_DECISION, error)


def is_permanent(error: tree.YardError) -> bool:
    """True if trying again cannot help."""
    return ack_decision(error) == "dead_letter"


def _nearest(table: Mapping[type[tree.YardError], V], error: tree.YardError) -> V:
    return next(table[ancestor] for ancestor in type(error).__mro__ if ancestor in table)
