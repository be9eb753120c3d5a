"""Calls that are made before anybody is known."""

from typing import TypeVar

import grpc.aio
from yard.runtime import rpc

Q = TypeVar("Q")
R = TypeVar("R")

TIMEOUT_S = 30.0


async def call(method: grpc.aio.UnaryUnaryMultiCallable[Q, R], request: Q) -> R:
    """One call without a token; errors of our tree."""
    with rpc.translated():
        return await method(request, timeout=TIMEOUT_S)
