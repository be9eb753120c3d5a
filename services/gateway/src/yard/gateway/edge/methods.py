"""HEAD wherever there is GET, and OPTIONS everywhere."""

import asyncio
from contextlib import suppress
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

NO_SUCH_METHOD: Final = 405


class EveryMethod:
    """Asks the routes first: some have a HEAD or OPTIONS of their own."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http" or scope["method"] not in ("HEAD", "OPTIONS"):
            await self._app(scope, receive, send)
            return
        refusal: Message | None = None

        async def sending(message: Message) -> None:
            nonlocal refusal
            if message["type"] == "http.response.start" and message["status"] == NO_SUCH_METHOD:
                refusal = message
            if refusal is None:
                await send(message)

        tried = {**scope}
        await self._app(tried, receive, sending)
        _tell_route(tried, scope)
        if refusal is None:
            return
        if scope["method"] == "HEAD":
            got = {**scope, "method": "GET"}
            try:
                await self._head_of_get(got, receive, send)
            finally:
                _tell_route(got, scope)
        else:
            await _allowed(Headers(raw=refusal["headers"]).get("allow", ""), send)

    async def _head_of_get(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The head of the answer to GET; what would make its body is ended."""
        begun = asyncio.Event()

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                await send(message)
                begun.set()
            elif begun.is_set():
                await asyncio.get_running_loop().create_future()

        answering = asyncio.create_task(self._answered(scope, receive, sending, begun))
        try:
            await begun.wait()
        finally:
            answering.cancel()
            with suppress(asyncio.CancelledError):
                await answering
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _answered(self, scope: Scope, receive: Receive, send: Send, begun: asyncio.Event) -> None:
        try:
            await self._app(scope, receive, send)
        finally:
            begun.set()


def _tell_route(tried: Scope, scope: Scope) -> None:
    """What is around counts requests by the route that was matched."""
    if "route" in tried:
        scope["route"] = tried["route"]


async def _allowed(methods: str, send: Send) -> None:
    message: Message = {"type": "http.response.start", "status": 204, "headers": []}
    named = {name.strip() for name in methods.split(",") if name.strip()}
    named |= {"OPTIONS"} | ({"HEAD"} if "GET" in named else set())
    MutableHeaders(scope=message)["Allow"] = ", ".join(sorted(named))
    await send(message)
    await send({"type": "http.response.body", "body": b"", "more_body": False})
