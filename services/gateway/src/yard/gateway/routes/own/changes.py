"""What happens to a task, as it happens."""

from collections.abc import AsyncGenerator, Mapping
from datetime import datetime
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from frameyard.annotation.v1 import annotation_events_pb2 as annotation
from frameyard.sync.v1 import sync_events_pb2 as sync
from frameyard.task.v1 import issue_events_pb2 as issues
from frameyard.task.v1 import task_events_pb2 as tasks
from google.protobuf.message import Message
from pydantic import BaseModel
from yard.gateway.edge.callers import Calling
from yard.gateway.edge.streaming import MEDIA_TYPE, event, stream
from yard.gateway.routes.own.paths import TaskId
from yard.gateway.upstream.caller import Caller
from yard.gateway.upstream.tasks import get_task
from yard.runtime import clock
from yard.runtime.bus import Event
from yard.runtime.live import LiveEvents

router = APIRouter(prefix="/tasks", tags=["changes"])

KINDS: Final[Mapping[type[Message], str]] = {
    tasks.TaskUpdated: "task_updated",
    tasks.TaskReady: "task_ready",
    tasks.TaskProgressed: "task_progressed",
    tasks.TaskMoved: "task_moved",
    tasks.TaskDeleted: "task_deleted",
    tasks.JobUpdated: "job_updated",
    annotation.AnnotationsChanged: "annotations_changed",
    annotation.DeletedFramesChanged: "deleted_frames_changed",
    issues.IssueCreated: "issue_created",
    issues.IssueUpdated: "issue_updated",
    issues.IssueDeleted: "issue_deleted",
    sync.SyncStatusChanged: "sync_status_changed",
    sync.RevisionPushed: "revision_pushed",
}
TYPES: Final[dict[str, type[Message]]] = {kind.DESCRIPTOR.full_name: kind for kind in KINDS}


class Change(BaseModel):
    """That something has changed, and where; what it is now is read by the routes of that."""

    kind: str
    task_id: int
    job_id: int | None
    time: datetime


@router.get(
    "/{task_id}/changes",
    response_class=Response,
    responses={
        200: {
            "description": "Events `change`: `connected` first, then what happens; colons are signs of life.",
            "content": {MEDIA_TYPE: {"schema": {"type": "string"}}},
        }
    },
)
async def watch_task(request: Request, caller: Calling, task_id: TaskId) -> Response:
    """Sends a server-sent event for each change of a task, its jobs, objects, issues, repository from now on.

    Nothing is sent again: who connects anew reads what is so then. Ends when the task is deleted.
    """
    live: LiveEvents = caller.services.live
    return await stream(request, caller, _changes(live, caller, task_id))


async def _changes(live: LiveEvents, caller: Caller, task_id: int) -> AsyncGenerator[bytes]:
    await get_task(caller, task_id)
    async with live.of_key(str(task_id), TYPES) as events:
        yield _told(Change(kind="connected", task_id=task_id, job_id=None, time=clock.now()), "")
        async for found in events:
            change = _change(found, task_id)
            yield _told(change, str(found.id))
            if change.kind == "task_deleted":
                return


def _told(change: Change, event_id: str) -> bytes:
    return event("change", change.model_dump(mode="json"), event_id)


def _change(found: Event[Any], task_id: int) -> Change:
    message = found.message
    job_id = getattr(message, "job_id", 0) or getattr(getattr(message, "job", None), "id", 0)
    job_id = job_id or getattr(getattr(message, "issue", None), "job_id", 0)
    return Change(kind=KINDS[type(message)], task_id=task_id, job_id=job_id or None, time=found.time)
