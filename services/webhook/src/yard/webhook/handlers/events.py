"""Events become deliveries in their own transaction: one for each webhook that has chosen them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from frameyard.annotation.v1.annotation_events_pb2 import AnnotationsChanged
from frameyard.task.v1.task_events_pb2 import (
    JobUpdated,
    ProjectDeleted,
    ProjectProgressed,
    ProjectUpdated,
    TaskCreated,
    TaskDeleted,
    TaskMoved,
    TaskProgressed,
    TaskReady,
    TaskUndeleted,
    TaskUpdated,
)
from yard.runtime import clock
from yard.runtime.bus import Event
from yard.runtime.db import Transaction
from yard.webhook.domain import Fact
from yard.webhook.handlers import learning
from yard.webhook.sources.shapes import FIELD_NAMES, STATUSES, job_json, job_values
from yard.webhook.store import deliveries, hooks, knowledge


async def hand_out(
    tx: Transaction, event: Event[Any], name: str, fact: Fact, project_ids: Iterable[int]
) -> None:
    """A delivery for each active webhook of these projects that has chosen `name`.

    A service that begins, or has been away, reads old events: they are no news to a webhook of today.
    """
    named = {id_ for id_ in project_ids if id_}
    wanting = await hooks.wanting(tx, named, name, event.time) if named else []
    if wanting:
        await deliveries.insert_facts(
            tx, wanting, event=name, event_id=event.id, fact=fact.to_json(), now=clock.now()
        )


async def task_created(tx: Transaction, event: Event[TaskCreated]) -> None:
    """A task is made in its project."""
    task = event.message
    await knowledge.place_task(tx, task.task_id, task.project_id)
    await knowledge.see(tx, "task", task.task_id, task.task_id, {"status": "annotation"})
    known = {"id": task.task_id, "name": task.name, "project_id": task.project_id or None}
    fact = Fact(kind="task", id=task.task_id, sender_id=task.owner_id, known=known)
    await hand_out(tx, event, "create:task", fact, [task.project_id])


async def task_updated(tx: Transaction, event: Event[TaskUpdated]) -> None:
    """Fields of a task are others; moves are told by their own event, which says where from."""
    task = event.message
    if "project_id" not in task.changed_fields:
        fact = _of_task(task.task_id, sender_id=task.user_id, changed=_named(task.changed_fields))
        await _tell_task(tx, event, fact)


async def task_moved(tx: Transaction, event: Event[TaskMoved]) -> None:
    """Both projects are told: the one that the task has left, and the one that it is in."""
    move = event.message
    await knowledge.place_task(tx, move.task_id, move.to_project_id)
    before = {"project_id": move.from_project_id or None}
    fact = _of_task(
        move.task_id,
        sender_id=move.user_id,
        before=before,
        changed=["project_id", "labels"],
        project_id=move.to_project_id,
    )
    await hand_out(tx, event, "update:task", fact, [move.from_project_id, move.to_project_id])


async def task_ready(tx: Transaction, event: Event[TaskReady]) -> None:
    """A task has frames and jobs."""
    ready = event.message
    seen = [(job.id, job.task_id, job_values(job)) for job in ready.jobs]
    await knowledge.see_first(tx, "job", seen)
    fact = _of_task(ready.task_id, before={"size": 0}, changed=["size", "jobs"])
    await _tell_task(tx, event, fact)


async def task_progressed(tx: Transaction, event: Event[TaskProgressed]) -> None:
    """A task has another status; other numbers of jobs are no news."""
    task = event.message
    status = {"status": STATUSES[task.status]}
    before = await knowledge.see(tx, "task", task.task_id, task.task_id, status)
    if before.get("status", status["status"]) != status["status"]:
        fact = _of_task(task.task_id, before={"status": before["status"]}, changed=["status"])
        await _tell_task(tx, event, fact)


async def task_deleted(tx: Transaction, event: Event[TaskDeleted]) -> None:
    """A task is hidden; what it was cannot be read any more."""
    task = event.message
    await _tell_task(tx, event, _of_task(task.task_id, sender_id=task.user_id), "delete:task")


async def task_undeleted(tx: Transaction, event: Event[TaskUndeleted]) -> None:
    """A task is back: to receivers it is a new one with an old id."""
    task = event.message
    if not await knowledge.is_placed(tx, task.task_id):
        unique = f"{learning.LEARN_TASK}/{task.task_id}"
        await tx.enqueue(task, kind=learning.LEARN_TASK, unique=unique)
        return
    await _tell_task(tx, event, _of_task(task.task_id), "create:task")


async def job_updated(tx: Transaction, event: Event[JobUpdated]) -> None:
    """Stage, state, assignee or reviewer of a job are others."""
    job, values = event.message.job, job_values(event.message.job)
    before = await knowledge.see(tx, "job", job.id, job.task_id, values)
    names = [*event.message.changed_fields, "status"]
    fact = Fact(
        kind="job",
        id=job.id,
        sender_id=event.message.user_id,
        known=job_json(job),
        shown=True,
        before=_differing(before, values, names),
        changed=list(event.message.changed_fields),
    )
    await hand_out(tx, event, "update:job", fact, [job.project_id])


async def annotations_changed(tx: Transaction, event: Event[AnnotationsChanged]) -> None:
    """Objects of a job are others."""
    saved = event.message
    project_id = await knowledge.project_of(tx, saved.task_id)
    known = {"id": saved.job_id, "task_id": saved.task_id, "project_id": project_id}
    fact = Fact(
        kind="job",
        id=saved.job_id,
        sender_id=saved.user_id,
        known=known,
        before={},
        changed=["annotations"],
    )
    await hand_out(tx, event, "update:job", fact, [project_id])


async def project_updated(tx: Transaction, event: Event[ProjectUpdated]) -> None:
    """Fields of a project are others, and so may be who answers for it."""
    project = event.message
    await learning.project_changed(tx, project)
    fact = Fact(
        kind="project",
        id=project.project_id,
        sender_id=project.user_id,
        known={"id": project.project_id},
        before={},
        changed=_named(project.changed_fields),
    )
    await hand_out(tx, event, "update:project", fact, [project.project_id])


async def project_progressed(tx: Transaction, event: Event[ProjectProgressed]) -> None:
    """A project has another status."""
    id_, status = event.message.project_id, STATUSES[event.message.status]
    seen = await knowledge.see(tx, "project", id_, 0, {"status": status})
    if seen.get("status", status) != status:
        before = {"status": seen["status"]}
        fact = Fact(kind="project", id=id_, known={"id": id_}, before=before, changed=["status"])
        await hand_out(tx, event, "update:project", fact, [id_])


async def project_deleted(tx: Transaction, event: Event[ProjectDeleted]) -> None:
    """A project is hidden; its webhooks stay, for it may come back."""
    id_, user_id = event.message.project_id, event.message.user_id
    fact = Fact(kind="project", id=id_, sender_id=user_id, known={"id": id_})
    await hand_out(tx, event, "delete:project", fact, [id_])


async def tell_of_task(tx: Transaction, event: Event[Any], name: str, task_id: int, fact: Fact) -> None:
    """Hands out something that belongs to a task, and so to its project."""
    await hand_out(tx, event, name, fact, [await knowledge.project_of(tx, task_id)])


async def _tell_task(tx: Transaction, event: Event[Any], fact: Fact, name: str = "update:task") -> None:
    project_id = await knowledge.project_of(tx, fact.id)
    known = {**fact.known, "project_id": project_id or None}
    await hand_out(tx, event, name, replace(fact, known=known), [project_id])


def _of_task(
    task_id: int,
    *,
    sender_id: int = 0,
    before: Mapping[str, Any] | None = None,
    changed: Sequence[str] = (),
    project_id: int = 0,
) -> Fact:
    known = {"id": task_id, "project_id": project_id or None}
    return Fact(
        kind="task", id=task_id, sender_id=sender_id, known=known, before=before or {}, changed=changed
    )


def _named(fields: Iterable[str]) -> list[str]:
    return [FIELD_NAMES.get(field, field) for field in fields]


def _differing(before: Mapping[str, Any], after: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Old values of what has changed, as far as they were seen."""
    return {
        name: before[name]
        for name in names
        if name in before and name in after and before[name] != after[name]
    }
