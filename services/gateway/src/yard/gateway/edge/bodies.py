"""Bodies that are read whole are bounded; those that are streamed have limits of their own.

What a model takes is read and parsed before anybody asks who calls: so this is asked here where it is long.
"""

from typing import Final

from fastapi import Request
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from yard.gateway.edge.callers import known_caller_of
from yard.runtime import errors

# Whoever shows no valid credentials is read so far.
OF_UNKNOWN_BYTES: Final = 64 * 1024
# A model is checked field by field, while all other requests wait.
MODELLED_BYTES: Final = 16 * 1024 * 1024


class Bounded:
    """Directly around the routes: which of them gets the body is known when it is asked for."""

    def __init__(self, app: ASGIApp, most_bytes: int) -> None:
        self._app = app
        self._most = min(most_bytes, MODELLED_BYTES)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        came, is_known = 0, False

        async def check(size: int) -> None:
            nonlocal is_known
            if size > self._most:
                raise _too_large(self._most)
            if size > OF_UNKNOWN_BYTES and not is_known:
                await _check_known(Request(scope))
                is_known = True

        async def receiving() -> Message:
            nonlocal came
            if not _is_read_whole(scope):
                return await receive()
            await check(_declared(scope))
            message = await receive()
            came += len(message.get("body", b""))
            await check(came)
            return message

        await self._app(scope, receiving, send)


async def _check_known(request: Request) -> None:
    # Errors of other kinds would be called a body that cannot be parsed.
    try:
        await known_caller_of(request)
    except errors.Unauthenticated as fault:
        raise _too_large(OF_UNKNOWN_BYTES, ", and no valid credentials came with it") from fault
    except errors.YardError as fault:
        raise HTTPException(errors.http_status(fault), fault.message) from fault


def _too_large(most: int, why: str = "") -> HTTPException:
    return HTTPException(413, f"the body has more than {most} bytes{why}")


def _is_read_whole(scope: Scope) -> bool:
    return getattr(scope.get("route"), "body_field", None) is not None


def _declared(scope: Scope) -> int:
    given = dict(scope["headers"]).get(b"content-length", b"0")
    return int(given) if given.isdigit() and len(given) < 20 else 0
