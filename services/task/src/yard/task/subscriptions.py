"""Events that task listens to."""

from collections.abc import Awaitable, Callable
from typing import Any

from frameyard.identity.v1.identity_events_pb2 import UserCreated, UserDeactivated, UserUpdated
from frameyard.media.v1.media_events_pb2 import MediaFailed, MediaIndexed
from frameyard.sync.v1.sync_events_pb2 import SyncStatusChanged
from yard.runtime.bus import Event, Subscription, subscribe
from yard.runtime.db import Transaction
from yard.task.handlers import media, people, repositories
from yard.task.handlers.context import Tasks

Handler = Callable[[Tasks, Transaction, Event[Any]], Awaitable[None]]


def subscriptions(tasks: Tasks) -> tuple[Subscription, ...]:
    """Event and handler."""
    return (
        subscribe(UserCreated, _with(tasks, people.learn), name="learn_new_person"),
        subscribe(UserUpdated, _with(tasks, people.learn), name="learn_person"),
        subscribe(UserDeactivated, _with(tasks, people.forget), name="forget_person"),
        subscribe(MediaIndexed, _with(tasks, media.finish_media), name="finish_media"),
        subscribe(MediaFailed, _with(tasks, media.fail_media), name="fail_media"),
        subscribe(SyncStatusChanged, repositories.note_status, name="note_sync_status"),
    )


def _with(tasks: Tasks, handler: Handler) -> Callable[[Transaction, Event[Any]], Awaitable[None]]:
    async def handle(tx: Transaction, event: Event[Any]) -> None:
        await handler(tasks, tx, event)

    return handle
