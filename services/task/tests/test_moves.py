"""Tasks that are moved: who may, what matches, what is counted and told."""

from __future__ import annotations

from typing import Any

from frameyard.annotation.v1 import annotation_pb2
from frameyard.annotation.v1.annotation_events_pb2 import AnnotationsChanged
from frameyard.task.v1 import job_pb2, label_pb2
from frameyard.task.v1.task_events_pb2 import ProjectCreated, ProjectProgressed, TaskMoved, TaskUpdated
from yard.runtime import errors
from yard.testkit.refusals import refused

from services.task.tests.neighbours import ANN, BEN, CLEO, Client, Neighbours, Running, emitted
from services.task.tests.test_label_service import draw, drawn

OF_PROJECT = (ProjectCreated, ProjectProgressed)
TEXT, SELECT = label_pb2.ATTRIBUTE_INPUT_TEXT, label_pb2.ATTRIBUTE_INPUT_SELECT


def label(name: str, *attributes: label_pb2.Attribute, **fields: Any) -> label_pb2.Label:
    return label_pb2.Label(name=name, attributes=attributes, **fields)


def note(**fields: Any) -> label_pb2.Attribute:
    return label_pb2.Attribute(**{"name": "note", "input": TEXT, **fields})


def size(*values: str, **fields: Any) -> label_pb2.Attribute:
    return label_pb2.Attribute(name="size", input=SELECT, values=values, **fields)


async def test_labels_change_places_when_a_task_goes_into_a_project_and_out(
    ann: Client, neighbours: Neighbours, running: Running
) -> None:
    project = await ann.new_project(labels=[label("bus"), label("car", note()), label("man", note())])
    task, [job] = await neighbours.ready_task(ann, labels=[label("man", note()), label("car", note())])
    man, car = task.labels
    await draw(ann, job.id, man, "a", "c")
    await draw(ann, job.id, car, "b")
    before = [each for each in await emitted(running, task.id) if not isinstance(each, OF_PROJECT)]

    answer = await ann.move(task.id, project.id)
    assert (answer.task.project_id, answer.task.project_name) == (project.id, project.name)
    assert list(answer.task.labels) == list(project.labels)
    assert [(each.name, each.from_label_id, each.to_label_id) for each in answer.matches] == [
        ("man", man.id, project.labels[2].id),
        ("car", car.id, project.labels[1].id),
    ]
    there = {each.name: each for each in project.labels}
    assert [(shape.label_id, _given(shape)) for shape in await drawn(ann, job.id)] == [
        (there["man"].id, {there["man"].attributes[0].id: "a"}),
        (there["man"].id, {there["man"].attributes[0].id: "c"}),
        (there["car"].id, {there["car"].attributes[0].id: "b"}),
    ]
    # The project may have the same number, which is its events' key.
    told = [each for each in await emitted(running, task.id) if not isinstance(each, OF_PROJECT)]
    assert told[len(before) :] == [
        AnnotationsChanged(
            task_id=task.id, job_id=job.id, revision=3, task_revision=3, user_id=ANN.user_id, updated=3
        ),
        TaskMoved(task_id=task.id, to_project_id=project.id, user_id=ANN.user_id),
        TaskUpdated(task_id=task.id, changed_fields=["project_id", "labels"], user_id=ANN.user_id),
    ]

    answer = await ann.move(task.id, 0)
    assert answer.task.project_id == 0
    assert [(each.name, each.color) for each in answer.task.labels] == [
        (each.name, each.color) for each in project.labels
    ]
    own = {each.name: each for each in answer.task.labels}
    assert not {each.id for each in own.values()} & {each.id for each in (*task.labels, *project.labels)}
    assert [(shape.label_id, _given(shape)) for shape in await drawn(ann, job.id)] == [
        (own["man"].id, {own["man"].attributes[0].id: "a"}),
        (own["man"].id, {own["man"].attributes[0].id: "c"}),
        (own["car"].id, {own["car"].attributes[0].id: "b"}),
    ]
    # What is changed of either does not touch the other any more.
    await ann.update_labels(task.id, label("woman", id=own["man"].id))
    assert list((await ann.project(project.id)).labels) == list(project.labels)


def _given(shape: annotation_pb2.Shape) -> dict[int, str]:
    return {each.attribute_id: each.value for each in shape.attributes}


async def test_all_that_does_not_match_is_named_and_nothing_is_moved(
    ann: Client, neighbours: Neighbours, running: Running
) -> None:
    narrow = label("car", note(mutable=True), size("s"), kind=label_pb2.LABEL_KIND_POLYGON)
    project = await ann.new_project(labels=[narrow, label("man", note(default_value="x"))])
    wide = label("car", note(), size("s", "l"), kind=label_pb2.LABEL_KIND_RECTANGLE)
    task, [job] = await neighbours.ready_task(ann, labels=[wide, label("bus"), label("man", note())])
    for each in task.labels:
        await draw(ann, job.id, each, "")
    seen, told = await ann.task(task.id), await emitted(running, task.id)

    tried = await ann.move(task.id, project.id, validate_only=True)
    assert [(each.label, each.attribute) for each in tried.misfits] == [
        ("car", ""),
        ("car", "note"),
        ("car", "size"),
        ("bus", ""),
        ("man", "note"),
    ]
    assert (list(tried.matches), list(tried.left_behind), tried.task) == ([], [], seen)
    error = await refused(ann.move(task.id, project.id))
    assert isinstance(error, errors.FailedPrecondition)
    assert (error.reason, error.metadata["misfits"]) == ("LABELS_DO_NOT_MATCH", "5")
    for part in ("label car is for rectangle", "attribute size of label car", "label bus is not there"):
        assert part in error.message
    assert await ann.task(task.id) == seen
    assert await emitted(running, task.id) == told


async def test_many_misfits_are_counted(ann: Client, neighbours: Neighbours) -> None:
    project = await ann.new_project()
    task, [job] = await neighbours.ready_task(ann, labels=[label(f"label {i}") for i in range(13)])
    for each in task.labels:
        await draw(ann, job.id, each, "")
    error = await refused(ann.move(task.id, project.id))
    assert "label 9" in error.message
    assert "label 10" not in error.message
    assert "and 3 more" in error.message


async def test_labels_that_were_never_used_are_left_behind(ann: Client, neighbours: Neighbours) -> None:
    project = await ann.new_project(labels=[label("car", note())])
    task, [job] = await neighbours.ready_task(ann, labels=[label("car", note()), label("bus"), label("van")])
    await draw(ann, job.id, task.labels[0], "a")
    tried = await ann.move(task.id, project.id, validate_only=True)
    assert ([each.name for each in tried.matches], list(tried.misfits)) == (["car"], [])
    assert list(tried.left_behind) == ["bus", "van"]
    answer = await ann.move(task.id, project.id)
    assert list(answer.left_behind) == ["bus", "van"]
    assert list(answer.task.labels) == list(project.labels)
    assert len(await drawn(ann, job.id)) == 1


async def test_a_move_out_can_be_tried(ann: Client) -> None:
    project = await ann.new_project(labels=[label("car", note())])
    task = await ann.new_task(project_id=project.id)
    tried = await ann.move(task.id, 0, validate_only=True)
    assert [(each.name, each.from_label_id, each.to_label_id) for each in tried.matches] == [
        ("car", project.labels[0].id, 0)
    ]
    assert await ann.task(task.id) == task


async def test_nothing_happens_where_a_task_is_already(ann: Client, running: Running) -> None:
    project = await ann.new_project(labels=[label("car")])
    for project_id in (0, project.id):
        task = await ann.new_task(project_id=project_id)
        told = await emitted(running, task.id)
        answer = await ann.move(task.id, project_id)
        assert (answer.task, list(answer.matches)) == (task, [])
        assert await emitted(running, task.id) == told


async def test_projects_count_the_tasks_that_come_and_go(
    ann: Client, neighbours: Neighbours, running: Running
) -> None:
    first, second = [await ann.new_project(name) for name in ("a", "b")]
    task, [job, _] = await neighbours.ready_task(ann, 20, segment_size=10, overlap=0, project_id=second.id)
    await ann.update_job(job.id, stage=job_pb2.JOB_STAGE_VALIDATION)
    await ann.move(task.id, first.id)
    await ann.update_job(job.id, stage=job_pb2.JOB_STAGE_ANNOTATION)
    for project, tasks, jobs in ((first, 1, 2), (second, 0, 0)):
        found = await ann.project(project.id)
        assert (found.task_count, found.jobs.total, found.jobs.annotation) == (tasks, jobs, jobs)
        told = [each for each in await emitted(running, project.id) if isinstance(each, ProjectProgressed)]
        assert (told[-1].task_count, told[-1].jobs) == (tasks, found.jobs)
    assert await ann.list_tasks(project_id=first.id) == [task.name]
    assert await ann.list_tasks(project_id=second.id) == []
    assert {each.project_id for each in await ann.list_jobs(project_id=first.id)} == {first.id}


async def test_who_moves_what(ann: Client, ben: Client, cleo: Client, stranger: Client) -> None:
    project = await ann.new_project()
    other = await ben.new_project()
    task = await ann.new_task(assignee_id=CLEO.user_id)
    # Absent and hidden answer alike: the task, then the project.
    assert await _fault(stranger.move(task.id, 0)) == await _fault(ann.move(task.id + 100, 0), task.id)
    hidden = await _fault(ann.move(task.id, other.id))
    assert hidden == await _fault(ann.move(task.id, other.id + 100), other.id)
    # Who works on a part of a project sees it, and cannot put tasks into it.
    await ben.new_task(project_id=other.id, assignee_id=ANN.user_id)
    assert isinstance(await refused(ann.move(task.id, other.id)), errors.PermissionDenied)
    # Workers cannot make tasks, also in projects that are theirs.
    await ann.update_project(project.id, "assignee", assignee={"id": CLEO.user_id})
    assert isinstance(await refused(cleo.move(task.id, project.id)), errors.PermissionDenied)
    await ann.move(task.id, project.id)
    assert (await cleo.move(task.id, 0)).task.project_id == 0
    # Who answers for a project does not decide on tasks of others in it.
    await ann.update_project(project.id, "assignee", assignee={"id": BEN.user_id})
    await ann.move(task.id, project.id)
    assert isinstance(await refused(ben.move(task.id, 0)), errors.PermissionDenied)


async def _fault(call: Any, id_: int | None = None) -> tuple[type, str]:
    """Type and message, as if it had been about another id."""
    error = await refused(call)
    message = error.message if id_ is None else error.message.replace(str(id_ + 100), str(id_))
    return type(error), message


async def test_deleted_tasks_and_projects_are_not_there(ann: Client) -> None:
    project, gone = await ann.new_project(), await ann.new_project()
    inside, outside = await ann.new_task(project_id=gone.id), await ann.new_task()
    await ann.delete_project(gone.id)
    for task_id, project_id in ((inside.id, project.id), (inside.id, 0), (outside.id, gone.id)):
        assert isinstance(await refused(ann.move(task_id, project_id)), errors.NotFound)
    await ann.delete_task(outside.id)
    assert isinstance(await refused(ann.move(outside.id, project.id)), errors.NotFound)
    back = await ann.undelete_task(outside.id)
    assert (await ann.move(back.id, project.id)).task.project_id == project.id
