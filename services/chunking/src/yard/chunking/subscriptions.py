"""Events that chunking listens to."""

from collections.abc import Awaitable, Callable
from typing import Any

from frameyard.media.v1.media_events_pb2 import MediaDeleted, MediaIndexed
from frameyard.task.v1.task_events_pb2 import UseCacheChanged
from yard.chunking.handlers import media, use_cache
from yard.chunking.handlers.context import Chunking
from yard.runtime.bus import Event, Subscription, subscribe
from yard.runtime.db import Transaction

Handler = Callable[[Chunking, Transaction, Event[Any]], Awaitable[None]]


def subscriptions(chunking: Chunking) -> tuple[Subscription, ...]:
    """Event and handler."""
    return (
        subscribe(MediaIndexed, _with(chunking, media.take_media), name="take_media"),
        subscribe(MediaDeleted, _with(chunking, media.drop_media), name="drop_media"),
        subscribe(UseCacheChanged, _with(chunking, use_cache.change_use_cache), name="change_use_cache"),
    )


def _with(chunking: Chunking, handler: Handler) -> Callable[[Transaction, Event[Any]], Awaitable[None]]:
    async def handle(tx: Transaction, event: Event[Any]) -> None:
        await handler(chunking, tx, event)

    return handle
