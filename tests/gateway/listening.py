"""News of tasks, as they come."""

import json
from collections.abc import Callable
from typing import Any

import httpx


async def listen(http: httpx.AsyncClient, task_id: int, note: Callable[[dict[str, Any]], None]) -> None:
    """Notes each change of a task until there are no more."""
    async with http.stream("GET", f"/v1/tasks/{task_id}/changes") as answer:
        async for line in answer.aiter_lines():
            if line.startswith("data: "):
                note(json.loads(line.removeprefix("data: ")))
