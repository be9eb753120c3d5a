"""Events that media_ingest listens to."""

from collections.abc import Awaitable, Callable
from typing import Any

from frameyard.task.v1.task_events_pb2 import MediaRequestCancelled, MediaRequested, TaskPurged
from yard.media_ingest.handlers import requests
from yard.media_ingest.handlers.context import Ingest
from yard.runtime.bus import Event, Subscription, subscribe
from yard.runtime.db import Transaction

Handler = Callable[[Ingest, Transaction, Event[Any]], Awaitable[None]]


def subscriptions(ingest: Ingest) -> tuple[Subscription, ...]:
    """Event and handler."""
    return (
        subscribe(MediaRequested, _with(ingest, requests.request_media), name="request_media"),
        subscribe(MediaRequestCancelled, _with(ingest, requests.cancel_request), name="cancel_request"),
        subscribe(TaskPurged, _with(ingest, requests.purge_task), name="purge_task"),
    )


def _with(ingest: Ingest, handler: Handler) -> Callable[[Transaction, Event[Any]], Awaitable[None]]:
    async def handle(tx: Transaction, event: Event[Any]) -> None:
        await handler(ingest, tx, event)

    return handle
