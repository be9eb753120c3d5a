"""Answers whose bytes come from somewhere else as fast as they are taken."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing

from fastapi import Response
from starlette.types import Receive, Scope, Send


class Relayed(Response):
    """Passes pieces on until there are no more, or the client is gone; then `body` is closed.

    For bytes that come soon: that the client is gone is seen at the next piece. Starlette's own answer sees
    it at once, and takes a group of tasks for it, which costs as much as passing a MiB on.
    """

    def __init__(
        self, body: AsyncGenerator[bytes], status_code: int, headers: Mapping[str, str], media_type: str
    ) -> None:
        self._pieces = body
        self.status_code = status_code
        self.media_type = media_type
        self.background = None
        self.init_headers(headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends it."""
        gone = asyncio.ensure_future(_gone(receive))
        try:
            async with aclosing(self._pieces) as pieces:
                await send(
                    {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
                )
                async for piece in pieces:
                    if gone.done():
                        return
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            gone.cancel()


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
