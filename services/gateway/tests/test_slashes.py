"""Paths with and without a slash at the end."""

from starlette.types import Receive, Scope, Send
from yard.gateway.edge.slashes import BothForms


async def nothing() -> dict[str, str]:
    return {"type": "http.disconnect"}


async def drop(_: object) -> None:
    """Nobody listens."""


async def test_both_forms_are_one_path_and_the_matched_route_is_seen_outside() -> None:
    async def app(scope: Scope, _: Receive, __: Send) -> None:
        scope["route"] = f"route of {scope['path']}"

    for given in ("/api/tasks", "/api/tasks/", "/api/tasks//"):
        scope: Scope = {"type": "http", "path": given}
        await BothForms(app)(scope, nothing, drop)
        assert scope["route"] == "route of /api/tasks"
    root: Scope = {"type": "http", "path": "/"}
    await BothForms(app)(root, nothing, drop)
    assert root["route"] == "route of /"
