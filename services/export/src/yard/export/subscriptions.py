"""Events that export listens to."""

from frameyard.task.v1.task_events_pb2 import TaskPurged
from yard.export.handlers.purging import forget_task
from yard.runtime.bus import Subscription, subscribe


def subscriptions() -> tuple[Subscription, ...]:
    """Event and handler."""
    return (subscribe(TaskPurged, forget_task),)
