"""What is known of people, projects and tasks, from events, and by asking where they are older."""

from frameyard.identity.v1.identity_events_pb2 import UserCreated, UserUpdated
from frameyard.task.v1.project_pb2 import Project
from frameyard.task.v1.task_events_pb2 import ProjectUpdated, TaskPurged, TaskUndeleted
from yard.runtime.bus import Event
from yard.runtime.db import Transaction
from yard.runtime.work import Work
from yard.webhook.domain import Person
from yard.webhook.handlers.context import Webhooks
from yard.webhook.sources import objects
from yard.webhook.sources.shapes import STATUSES
from yard.webhook.store import knowledge

LEARN_PROJECT = "learn_project"
LEARN_TASK = "learn_task"

_SIDES = frozenset({"owner", "assignee"})


async def learn_person(tx: Transaction, event: Event[UserCreated] | Event[UserUpdated]) -> None:
    """Keeps the name of an account."""
    user = event.message.user
    await knowledge.put_person(tx, Person(id=user.id, username=user.username))


async def forget_task(tx: Transaction, event: Event[TaskPurged]) -> None:
    """Lets go what was known of a task that is gone for good."""
    await knowledge.forget_task(tx, event.message.task_id)


async def learn_project(webhooks: Webhooks, project: Project) -> None:
    """Before a project has its first webhook: who answers for it, and which tasks are in it.

    Events of tasks do not say where a task is; those of tasks that were made before this service was there,
    or whose news it has not kept, would find no webhook.
    """
    is_new = not await knowledge.has_side(webhooks.db, project.id)
    if is_new:
        async for page in objects.tasks_in(webhooks.channels, project.id):
            async with webhooks.db.transaction() as tx:
                await knowledge.learn_places(tx, [(task.id, project.id) for task in page])
                seen = [(task.id, task.id, {"status": STATUSES[task.status]}) for task in page]
                await knowledge.see_first(tx, "task", seen)
    async with webhooks.db.transaction() as tx:
        await _put_side(tx, project)
        if is_new:
            # News of it were not kept until now: it may have changed since it was read.
            await _ask_again(tx, ProjectUpdated(project_id=project.id))


async def project_changed(tx: Transaction, event: ProjectUpdated) -> None:
    """Owner and assignee are asked for again if they may be others now."""
    if _SIDES & set(event.changed_fields) and await knowledge.has_side(tx, event.project_id):
        await _ask_again(tx, event)


async def ask_for_project(webhooks: Webhooks, work: Work[ProjectUpdated]) -> None:
    """Keeps who answers for a project now."""
    project = await objects.project_of(webhooks.channels, work.message.project_id)
    async with work.finish() as tx:
        if project is not None:
            await _put_side(tx, project)


async def ask_for_task(webhooks: Webhooks, work: Work[TaskUndeleted]) -> None:
    """Keeps where a task is that was deleted when its project was learnt."""
    task = await objects.task_of(webhooks.channels, work.message.task_id)
    async with work.finish() as tx:
        if task is not None:
            await knowledge.learn_places(tx, [(task.id, task.project_id)])


async def _ask_again(tx: Transaction, event: ProjectUpdated) -> None:
    await tx.enqueue(event, kind=LEARN_PROJECT, unique=f"{LEARN_PROJECT}/{event.project_id}")


async def _put_side(tx: Transaction, project: Project) -> None:
    await knowledge.put_side(tx, project.id, owner_id=project.owner.id, assignee_id=project.assignee.id)
