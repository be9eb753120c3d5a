"""How a call that failed is answered."""

import asyncio
from typing import Any, Final, NoReturn, TypeAlias

import grpc
import grpc.aio
from yard.runtime import errors, ids, telemetry
from yard.runtime.rpc.options import STATUS_DETAILS

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"

# Trailing metadata of more than 8 KiB are refused by clients of other makes.
DETAILS_BYTES: Final = 3_000
MESSAGE_LENGTH: Final = 500
FIELD_LENGTH: Final = 200

_log = telemetry.log(__name__)


async def abort(context: Context, method: str, fault: BaseException) -> NoReturn:
    """Ends the call with the status of `fault`; one that nobody expected only gives its id in the log."""
    if isinstance(fault, asyncio.CancelledError):
        context.set_code(grpc.StatusCode.CANCELLED)
    if not isinstance(fault, Exception) or isinstance(fault, grpc.aio.AbortError):
        raise fault
    error = fault if isinstance(fault, errors.YardError) else _unexpected(fault, method)
    _note(error, method)
    details = bounded_status(error)
    await context.abort(
        errors.grpc_status(error),
        details.message,
        trailing_metadata=((STATUS_DETAILS, details.SerializeToString()),),
    )


def bounded_status(error: errors.YardError) -> Any:
    """The status with as many details as fit; the message says how many violations were left out."""
    status = _bounded_request(error) if isinstance(error, errors.InvalidArgument) else _short(error)
    if status.ByteSize() > DETAILS_BYTES:
        bare = errors.to_status(errors.YardError(status.message, reason=error.reason))
        bare.code = status.code
        return bare
    return status


def _bounded_request(error: errors.InvalidArgument) -> Any:
    kept = [errors.Violation(item.field[:FIELD_LENGTH], _cut(item.description)) for item in error.violations]
    message = error.message
    status = _short(errors.InvalidArgument(message, kept, reason=error.reason, metadata=error.metadata))
    while kept and status.ByteSize() > DETAILS_BYTES:
        kept = kept[: len(kept) // 2]
        left_out = len(error.violations) - len(kept)
        message = f"{_cut(error.message)} (and {left_out} more)"
        status = _short(errors.InvalidArgument(message, kept, reason=error.reason, metadata=error.metadata))
    return status


def _short(error: errors.YardError) -> Any:
    status = errors.to_status(error)
    if len(status.message) > MESSAGE_LENGTH + 40:
        status.message = _cut(status.message)
    return status


def _cut(text: str) -> str:
    return text if len(text) <= MESSAGE_LENGTH else text[:MESSAGE_LENGTH] + "…"


def _unexpected(fault: BaseException, method: str) -> errors.Internal:
    error_id = ids.uuid7().hex
    _log.error("rpc_crashed", method=method, error_id=error_id, exc_info=fault)
    return errors.Internal(f"internal error {error_id}", metadata={"error_id": error_id})


def _note(error: errors.YardError, method: str) -> None:
    if isinstance(error, (errors.Unavailable, errors.DataLoss)):
        _log.warning("rpc_failed", method=method, reason=error.reason, error=error.message)
    else:
        _log.debug("rpc_refused", method=method, reason=error.reason)
