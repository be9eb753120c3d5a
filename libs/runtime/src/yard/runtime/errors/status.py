"""Errors as google.rpc.Status and back: ErrorInfo always, other details where the class has them."""

from collections.abc import Callable, Mapping

from google.protobuf import any_pb2, duration_pb2
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2
from yard.runtime.errors import tree
from yard.runtime.errors.tables import GRPC_STATUS, grpc_status

DOMAIN = "frameyard"


def to_status(error: tree.YardError) -> status_pb2.Status:
    """The wire form: code, message and details (ErrorInfo, BadRequest, ResourceInfo, RetryInfo)."""
    code: int = grpc_status(error).value[0]
    details = [_packed(detail) for detail in _details(error)]
    return status_pb2.Status(code=code, message=error.message, details=details)


def from_status(status: status_pb2.Status) -> tree.YardError:
    """The error that a Status stands for; unknown codes become Internal, unknown details are left out."""
    details = _Details(status)
    cls = _class_of(status.code, details.info.reason)
    rebuild = _REBUILD.get(cls)
    error = rebuild(status.message, details) if rebuild else cls(status.message)
    error.metadata.update(details.info.metadata)
    if details.info.reason:
        error.reason = details.info.reason
    return error


def _details(error: tree.YardError) -> list[Message]:
    found: list[Message] = [
        error_details_pb2.ErrorInfo(reason=error.reason, domain=DOMAIN, metadata=error.metadata)
    ]
    if isinstance(error, tree.InvalidArgument) and error.violations:
        found.append(_bad_request(error))
    if isinstance(error, tree.NotFound):
        found.append(error_details_pb2.ResourceInfo(resource_type=error.kind, resource_name=error.name))
    if error.retry_after_s is not None:
        found.append(error_details_pb2.RetryInfo(retry_delay=_duration(error.retry_after_s)))
    return found


def _bad_request(error: tree.InvalidArgument) -> error_details_pb2.BadRequest:
    violation = error_details_pb2.BadRequest.FieldViolation
    return error_details_pb2.BadRequest(
        field_violations=[
            violation(field=item.field, description=item.description) for item in error.violations
        ]
    )


def _duration(seconds: float) -> duration_pb2.Duration:
    duration = duration_pb2.Duration()
    duration.FromMilliseconds(round(seconds * 1000))
    return duration


def _packed(detail: Message) -> any_pb2.Any:
    packed = any_pb2.Any()
    packed.Pack(detail)
    return packed


class _Details:
    """The known details of a Status; absent ones are empty messages."""

    def __init__(self, status: status_pb2.Status) -> None:
        self.info = error_details_pb2.ErrorInfo()
        self.request = error_details_pb2.BadRequest()
        self.resource = error_details_pb2.ResourceInfo()
        self.retry = error_details_pb2.RetryInfo()
        for packed in status.details:
            for detail in (self.info, self.request, self.resource, self.retry):
                if packed.Is(detail.DESCRIPTOR):
                    packed.Unpack(detail)


def _class_of(code: int, reason: str) -> type[tree.YardError]:
    """The class of that code whose own reason is given, else the most general one of the code."""
    candidates = [cls for cls, status in GRPC_STATUS.items() if status.value[0] == code]
    named = [cls for cls in candidates if cls.reason == reason]
    general = [cls for cls in candidates if cls in _GENERAL]
    return (named or general or [tree.Internal])[0]


_GENERAL = frozenset(tree.YardError.__subclasses__()) - {tree.Poison}


def _invalid_argument(message: str, details: _Details) -> tree.YardError:
    violations = [tree.Violation(item.field, item.description) for item in details.request.field_violations]
    return tree.InvalidArgument(message, violations)


def _not_found(message: str, details: _Details) -> tree.YardError:
    return tree.NotFound(details.resource.resource_type, details.resource.resource_name, message=message)


def _resource_exhausted(message: str, details: _Details) -> tree.YardError:
    has_delay = details.retry.HasField("retry_delay")
    return tree.ResourceExhausted(
        message, details.retry.retry_delay.ToMilliseconds() / 1000 if has_delay else None
    )


_REBUILD: Mapping[type[tree.YardError], Callable[[str, _Details], tree.YardError]] = {
    tree.InvalidArgument: _invalid_argument,
    tree.NotFound: _not_found,
    tree.ResourceExhausted: _resource_exhausted,
}
