"""Calls that end with an error."""

from collections.abc import Awaitable
from typing import Any

import grpc.aio
from yard.runtime import errors, rpc


async def refused(call: Awaitable[object]) -> errors.YardError:
    """The error that a call ends with."""
    try:
        await call
    except grpc.aio.AioRpcError as fault:
        return rpc.errors_from_rpc(fault)
    raise AssertionError("was not refused")


async def refusal(call: Awaitable[object], kind: type[errors.YardError]) -> Any:
    """The error that a call ends with, which is of this kind."""
    fault = await refused(call)
    assert isinstance(fault, kind), fault
    return fault


async def wrong_fields(call: Awaitable[object]) -> list[str]:
    """The fields that a call is refused for."""
    return sorted(violation.field for violation in (await refusal(call, errors.InvalidArgument)).violations)
