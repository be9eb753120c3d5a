"""Both forms of every path: with a slash at the end and without.

CVAT's clients use either, and a redirect would turn some of their POSTs into GETs.
"""

from starlette.types import ASGIApp, Receive, Scope, Send


class BothForms:
    """Takes the slash away before routes are matched."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] == "http" and len(scope["path"]) > 1 and scope["path"].endswith("/"):
            # In place: what is around reads the route that is matched from the same scope.
            scope["path"] = scope["path"].rstrip("/") or "/"
        await self._app(scope, receive, send)
