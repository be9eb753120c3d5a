"""A process that keeps nothing of its own: it has no schema, no queue and no gRPC server."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from yard.runtime.settings import ProcessSettings

P = TypeVar("P", bound=ProcessSettings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge(Generic[P]):
    """Such a process: `serving` answers inside its block, and has drained at the end of it.

    `new_loop` makes the event loop that it runs in; None: asyncio's own.
    """

    name: str
    settings: type[P]
    serving: Callable[[P], AbstractAsyncContextManager[Any]]
    new_loop: Callable[[], asyncio.AbstractEventLoop] | None = None
