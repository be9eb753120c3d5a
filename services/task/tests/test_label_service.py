import asyncio
from typing import Any

from frameyard.annotation.v1 import annotation_pb2, annotation_service_pb2
from frameyard.annotation.v1.annotation_events_pb2 import AnnotationsChanged
from frameyard.task.v1 import label_pb2, project_service_pb2
from frameyard.task.v1.task_events_pb2 import ProjectUpdated, TaskUpdated
from yard.runtime import errors
from yard.testkit.refusals import refused, wrong_fields

from services.task.tests.neighbours import ANN, BEN, Client, Neighbours, Running, emitted

TEXT = label_pb2.ATTRIBUTE_INPUT_TEXT
PERSON = label_pb2.Label(
    name="person",
    attributes=[
        label_pb2.Attribute(name="note", input=TEXT),
        label_pb2.Attribute(name="other", input=TEXT),
    ],
)
CAR = label_pb2.Label(name="car", color="#00ff00")


async def draw(client: Client, job_id: int, label: label_pb2.Label, *notes: str) -> None:
    """One rectangle a note."""
    shapes = [
        annotation_pb2.Shape(
            label_id=label.id,
            kind=annotation_pb2.SHAPE_KIND_RECTANGLE,
            points=[1, 1, 9, 9],
            attributes=[annotation_pb2.AttributeValue(attribute_id=label.attributes[0].id, value=note)]
            if note
            else [],
        )
        for note in notes
    ]
    await client.annotations.PatchAnnotations(
        annotation_service_pb2.PatchAnnotationsRequest(
            target=annotation_service_pb2.AnnotationTarget(job_id=job_id),
            create=annotation_pb2.AnnotationSet(shapes=shapes),
        )
    )


async def drawn(client: Client, job_id: int) -> list[Any]:
    request = annotation_service_pb2.GetAnnotationsRequest(
        target=annotation_service_pb2.AnnotationTarget(job_id=job_id)
    )
    return list((await client.annotations.GetAnnotations(request)).annotations.shapes)


async def test_labels_are_added_changed_and_deleted(ann: Client, running: Running) -> None:
    task = await ann.new_task(labels=[PERSON, CAR])
    person, car = task.labels
    note = label_pb2.Attribute(id=person.attributes[0].id, name="remark", input=TEXT, mutable=True)
    fresh = label_pb2.Attribute(name="age", input=label_pb2.ATTRIBUTE_INPUT_NUMBER, values=["0", "9", "1"])
    human = label_pb2.Label(id=person.id, name="human", attributes=[fresh, note])
    bus = label_pb2.Label(name="bus", kind=label_pb2.LABEL_KIND_POLYGON)
    labels = await ann.update_labels(
        task.id, bus, human, delete_label_ids=[car.id], delete_attribute_ids=[person.attributes[1].id]
    )
    assert [(label.name, label.kind) for label in labels] == [
        ("human", label_pb2.LABEL_KIND_ANY),
        ("bus", label_pb2.LABEL_KIND_POLYGON),
    ]
    assert (labels[0].id, labels[0].color) == (person.id, person.color)
    assert [(item.name, item.mutable, item.id == note.id) for item in labels[0].attributes] == [
        ("remark", True, True),
        ("age", False, False),
    ]
    assert (await emitted(running, task.id))[1:] == [
        TaskUpdated(task_id=task.id, changed_fields=["labels"], user_id=ANN.user_id)
    ]
    assert (await ann.task(task.id)).update_time.ToDatetime() > task.update_time.ToDatetime()


async def test_nothing_asked_is_nothing_told(ann: Client, running: Running) -> None:
    task = await ann.new_task(labels=[CAR])
    assert await ann.update_labels(task.id) == list(task.labels)
    assert len(await emitted(running, task.id)) == 1


async def test_names_can_be_swapped(ann: Client) -> None:
    task = await ann.new_task(labels=[PERSON, CAR])
    person, car = task.labels
    swapped = await ann.update_labels(
        task.id, label_pb2.Label(id=person.id, name="car"), label_pb2.Label(id=car.id, name="person")
    )
    assert [(label.id, label.name) for label in swapped] == [(person.id, "car"), (car.id, "person")]


async def test_all_faults_come_at_once_and_change_nothing(ann: Client) -> None:
    task = await ann.new_task(labels=[PERSON, CAR])
    other = await ann.new_task(labels=[CAR])
    call = ann.update_labels(
        task.id,
        label_pb2.Label(name="bus"),
        label_pb2.Label(name="car", color="green"),
        label_pb2.Label(id=other.labels[0].id, name="stolen"),
        delete_label_ids=[other.labels[0].id],
    )
    assert await wrong_fields(call) == [
        "delete_label_ids[0]",
        "labels[1].color",
        "labels[1].name",
        "labels[2].id",
    ]
    assert list((await ann.task(task.id)).labels) == list(task.labels)
    assert list((await ann.task(other.id)).labels) == list(other.labels)


async def test_who_changes_labels(ann: Client, ben: Client, stranger: Client, admin: Client) -> None:
    task = await ann.new_task(assignee_id=BEN.user_id)
    for number, client in enumerate((ann, ben, admin), start=1):
        labels = await client.update_labels(task.id, label_pb2.Label(name=str(number)))
        assert len(labels) == number
    assert isinstance(await refused(stranger.update_labels(task.id, CAR)), errors.NotFound)


async def test_labels_of_a_project_are_changed_there(ann: Client, running: Running) -> None:
    project = await ann.new_project(labels=[CAR])
    task = await ann.new_task(project_id=project.id)
    error = await refused(ann.update_labels(task.id, PERSON))
    assert isinstance(error, errors.FailedPrecondition)
    assert error.reason == "LABELS_OF_PROJECT"
    request = project_service_pb2.UpdateProjectLabelsRequest(project_id=project.id, labels=[PERSON])
    changed = (await ann.projects.UpdateProjectLabels(request)).project
    assert [label.name for label in changed.labels] == ["car", "person"]
    assert list((await ann.task(task.id)).labels) == list(changed.labels)
    event = ProjectUpdated(project_id=project.id, changed_fields=["labels"], user_id=ANN.user_id)
    assert event in await emitted(running, project.id)


async def test_labels_in_use_ask_for_force(ann: Client, running: Running, neighbours: Neighbours) -> None:
    task, jobs = await neighbours.ready_task(ann, size=20, segment_size=10, overlap=0, labels=[PERSON, CAR])
    person, car = task.labels
    await draw(ann, jobs[0].id, person, "a", "", "b")
    await draw(ann, jobs[0].id, car, "")
    error = await refused(ann.update_labels(task.id, delete_label_ids=[person.id, car.id]))
    assert isinstance(error, errors.FailedPrecondition)
    assert (error.reason, error.metadata["objects"]) == ("LABELS_IN_USE", "4")
    assert "person: 3" in error.message
    assert len((await ann.task(task.id)).labels) == 2

    labels = await ann.update_labels(task.id, delete_label_ids=[person.id], force=True)
    assert [label.name for label in labels] == ["car"]
    assert [shape.label_id for shape in await drawn(ann, jobs[0].id)] == [car.id]
    changed = [event for event in await emitted(running, task.id) if isinstance(event, AnnotationsChanged)]
    assert [(event.job_id, event.created, event.deleted) for event in changed] == [
        (jobs[0].id, 3, 0),
        (jobs[0].id, 1, 0),
        (jobs[0].id, 0, 3),
    ]
    assert (await ann.job(jobs[0].id)).revision == 3


async def test_attributes_in_use_ask_for_force(ann: Client, neighbours: Neighbours) -> None:
    task, [job] = await neighbours.ready_task(ann, labels=[PERSON])
    [person] = task.labels
    await draw(ann, job.id, person, "a", "b")
    note, other = person.attributes
    error = await refused(ann.update_labels(task.id, delete_attribute_ids=[note.id]))
    assert isinstance(error, errors.FailedPrecondition)
    assert error.metadata["values"] == "2"
    [label] = await ann.update_labels(task.id, delete_attribute_ids=[note.id], force=True)
    assert [attribute.name for attribute in label.attributes] == ["other"]
    assert [attribute.id for attribute in label.attributes] == [other.id]
    assert len(await drawn(ann, job.id)) == 2


async def test_changes_at_the_same_time_come_one_after_the_other(ann: Client) -> None:
    task = await ann.new_task()
    calls = [ann.update_labels(task.id, label_pb2.Label(name=f"label {number}")) for number in range(6)]
    await asyncio.gather(*calls)
    labels = (await ann.task(task.id)).labels
    assert sorted(label.name for label in labels) == [f"label {number}" for number in range(6)]
    assert len({label.color for label in labels}) == 6
