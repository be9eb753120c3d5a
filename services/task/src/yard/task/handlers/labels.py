"""Changes of labels, of a task or of a project."""

from collections.abc import Mapping, Sequence

from frameyard.task.v1 import project_service_pb2, task_service_pb2
from frameyard.task.v1.label_pb2 import LabelEffect
from frameyard.task.v1.task_events_pb2 import ProjectUpdated, TaskUpdated
from yard.annotations.labels import Label
from yard.runtime import auth, errors
from yard.runtime.db import Transaction
from yard.task.domain import label_changes as rules
from yard.task.domain.label_changes import LabelPlan
from yard.task.domain.label_effects import asked, told
from yard.task.domain.rows import Task
from yard.task.handlers.access import changeable_project, changeable_task
from yard.task.handlers.context import Tasks
from yard.task.handlers.messages import project_to_proto
from yard.task.handlers.reading import shown_task
from yard.task.store import Reader, annotations, label_changes
from yard.task.store import projects as project_store
from yard.task.store import tasks as task_store
from yard.task.store.annotations.reading import hold_snapshot
from yard.task.store.label_changes import Owner
from yard.task.store.labels import labels_of, labels_of_project

Request = task_service_pb2.UpdateTaskLabelsRequest | project_service_pb2.UpdateProjectLabelsRequest


async def update_task_labels(
    tasks: Tasks, request: task_service_pb2.UpdateTaskLabelsRequest
) -> task_service_pb2.UpdateTaskLabelsResponse:
    """Adds, changes and deletes labels of a task that has its own, or tells what that would do."""
    task = await _task_with_labels(tasks.db, request.task_id)
    owner = Owner(task_id=task.id)
    async with tasks.db.transaction() as tx:
        await _begin(tx, owner, request)
        task = await _task_with_labels(tx, request.task_id)
        effects, is_changed = await _change(tx, owner, await labels_of(tx, task), request)
        if is_changed:
            await task_store.touch(tx, task.id)
            user_id = auth.current().user_id
            event = TaskUpdated(task_id=task.id, changed_fields=["labels"], user_id=user_id)
            await tx.emit(event, key=str(task.id))
        return task_service_pb2.UpdateTaskLabelsResponse(
            task=await shown_task(tasks, tx, task.id), effects=effects
        )


async def update_project_labels(
    tasks: Tasks, request: project_service_pb2.UpdateProjectLabelsRequest
) -> project_service_pb2.UpdateProjectLabelsResponse:
    """Adds, changes and deletes labels of a project, and so of all its tasks, or tells what that would do."""
    await changeable_project(tasks.db, request.project_id)
    owner = Owner(project_id=request.project_id)
    async with tasks.db.transaction() as tx:
        await _begin(tx, owner, request)
        project = await changeable_project(tx, request.project_id)
        effects, is_changed = await _change(tx, owner, await labels_of_project(tx, project.id), request)
        if is_changed:
            await project_store.touch(tx, project.id)
            user_id = auth.current().user_id
            event = ProjectUpdated(project_id=project.id, changed_fields=["labels"], user_id=user_id)
            await tx.emit(event, key=str(project.id))
        view = await project_store.view_of(tx, project.id)
        return project_service_pb2.UpdateProjectLabelsResponse(
            project=project_to_proto(view), effects=effects
        )


async def _task_with_labels(reader: Reader, task_id: int) -> Task:
    task = await changeable_task(reader, task_id)
    if task.project_id is not None:
        raise errors.FailedPrecondition(
            f"task {task_id} has the labels of project {task.project_id}: change them there",
            reason="LABELS_OF_PROJECT",
        )
    return task


async def _begin(tx: Transaction, owner: Owner, request: Request) -> None:
    """Who only asks holds nobody up, and counts in one snapshot."""
    if request.validate_only:
        await hold_snapshot(tx)
    else:
        await label_changes.lock(tx, owner)


async def _change(
    tx: Transaction, owner: Owner, existing: Sequence[Label], request: Request
) -> tuple[list[LabelEffect], bool]:
    """Tells what a change does and, unless only that is asked, carries it out; False if nothing is done."""
    wanted = rules.Wanted(
        labels=request.labels,
        delete_label_ids=request.delete_label_ids,
        delete_attribute_ids=request.delete_attribute_ids,
    )
    plan = rules.plan(existing, wanted)
    question = asked(existing, plan)
    if not request.validate_only:
        await annotations.lock(tx, question)
    counted = await annotations.count(tx, question)
    effects = list(told(existing, plan, counted))
    if request.validate_only:
        return effects, False
    if any(one.deleted or one.stripped for one in counted.values()):
        await _free(tx, existing, plan, force=request.force)
    await label_changes.apply(tx, owner, plan)
    return effects, not plan.is_empty


async def _free(tx: Transaction, existing: Sequence[Label], plan: LabelPlan, *, force: bool) -> None:
    """Deletes objects of labels and values of attributes that go, of which there are some, if forced."""
    if not force:
        of_labels = await annotations.count_by_label(tx, plan.deleted_labels)
        of_attributes = await annotations.count_by_attribute(tx, plan.deleted_attributes)
        raise _in_use(existing, of_labels, of_attributes)
    user_id = auth.current().user_id
    if plan.deleted_labels:
        await annotations.delete_of_labels(tx, plan.deleted_labels, user_id=user_id)
    if plan.deleted_attributes:
        await annotations.delete_of_attributes(tx, plan.deleted_attributes, user_id=user_id)


def _in_use(
    existing: Sequence[Label], of_labels: Mapping[int, int], of_attributes: Mapping[int, int]
) -> errors.FailedPrecondition:
    labels = [f"label {label.name}: {of_labels[label.id]}" for label in existing if label.id in of_labels]
    attributes = [
        f"attribute {attribute.name} of {label.name}: {of_attributes[attribute.id]}"
        for label in existing
        for attribute in label.attributes
        if attribute.id in of_attributes
    ]
    deleted, changed = sum(of_labels.values()), sum(of_attributes.values())
    return errors.FailedPrecondition(
        f"annotations use what is to be deleted ({'; '.join(labels + attributes)}): with force {deleted} "
        f"objects are deleted and {changed} values are taken away",
        reason="LABELS_IN_USE",
        metadata={"objects": str(deleted), "values": str(changed)},
    )
