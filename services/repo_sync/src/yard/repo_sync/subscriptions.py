"""Events that repo_sync listens to."""

from collections.abc import Awaitable, Callable
from typing import Any

from frameyard.annotation.v1.annotation_events_pb2 import AnnotationsChanged, DeletedFramesChanged
from frameyard.identity.v1.identity_events_pb2 import UserCreated, UserDeactivated, UserUpdated
from frameyard.task.v1.task_events_pb2 import (
    ProjectUpdated,
    TaskCreated,
    TaskDeleted,
    TaskMoved,
    TaskPurged,
    TaskReady,
    TaskUndeleted,
    TaskUpdated,
)
from yard.repo_sync.handlers import changes, connecting
from yard.repo_sync.handlers.context import Syncing
from yard.runtime.bus import Event, Subscription, subscribe
from yard.runtime.db import Transaction

Handler = Callable[[Syncing, Transaction, Event[Any]], Awaitable[None]]


def subscriptions(syncing: Syncing) -> tuple[Subscription, ...]:
    """Event and handler."""
    return (
        subscribe(UserCreated, changes.learn_person, name="learn_new_person"),
        subscribe(UserUpdated, changes.learn_person, name="learn_person"),
        subscribe(UserDeactivated, changes.forget_person, name="forget_person"),
        subscribe(TaskCreated, connecting.take_over, name="take_over_repository"),
        subscribe(TaskReady, changes.task_ready, name="task_ready"),
        subscribe(TaskUpdated, changes.task_updated, name="task_updated"),
        subscribe(TaskMoved, changes.task_moved, name="task_moved"),
        subscribe(TaskDeleted, _with(syncing, changes.task_deleted), name="task_deleted"),
        subscribe(TaskUndeleted, changes.task_undeleted, name="task_undeleted"),
        subscribe(TaskPurged, _with(syncing, changes.task_purged), name="forget_task"),
        subscribe(ProjectUpdated, changes.project_updated, name="project_updated"),
        subscribe(AnnotationsChanged, changes.annotations_changed, name="annotations_changed"),
        subscribe(DeletedFramesChanged, changes.frames_changed, name="frames_changed"),
    )


def _with(syncing: Syncing, handler: Handler) -> Callable[[Transaction, Event[Any]], Awaitable[None]]:
    async def handle(tx: Transaction, event: Event[Any]) -> None:
        await handler(syncing, tx, event)

    return handle
