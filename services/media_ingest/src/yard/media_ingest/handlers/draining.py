"""Streams that are refused before their end.

A client of gRPC that is just sending when the answer comes may see an internal error in place of the answer.
So the rest of a stream is taken and thrown away first, unless it is long.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import TypeVar

from frameyard.media.v1 import upload_service_pb2 as messages

DRAINED_BYTES = 128 * 1024 * 1024
DRAIN_TIMEOUT_S = 10.0

R = TypeVar("R", messages.UploadFileRequest, messages.UploadFilesRequest)


async def drain(requests: AsyncIterator[R]) -> None:
    """Until the client has sent all, or too much, or for too long."""
    left = DRAINED_BYTES
    with suppress(TimeoutError):
        async with asyncio.timeout(DRAIN_TIMEOUT_S):
            async for request in requests:
                left -= request.ByteSize()
                if left < 0:
                    return
