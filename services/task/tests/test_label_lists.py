"""Labels by themselves: who sees which, and pages of them."""

from typing import Any

import pytest
from frameyard.common.v1.common_pb2 import PersonRef
from frameyard.task.v1 import job_pb2, label_pb2
from frameyard.task.v1 import label_service_pb2 as messages
from yard.runtime import errors
from yard.testkit.refusals import refused, wrong_fields

from services.task.tests.neighbours import CLEO, Client, Neighbours, pages

CAR, BUS, SKY = (label_pb2.Label(name=name) for name in ("car", "Bus", "sky"))
DOORS = label_pb2.Attribute(name="doors", input=label_pb2.ATTRIBUTE_INPUT_SELECT, values=["2", "4"])


async def listed(client: Client, **fields: Any) -> list[str]:
    request = messages.ListLabelsRequest(**fields)
    return [found.label.name async for found in pages(client.labels.ListLabels, request, "labels")]


async def label_of(client: Client, label_id: int) -> messages.OwnedLabel:
    return (await client.labels.GetLabel(messages.GetLabelRequest(id=label_id))).label


@pytest.fixture
async def job(ann: Client, neighbours: Neighbours) -> job_pb2.Job:
    """Of cleo, in a project of ann's that has two labels."""
    project = await ann.new_project(
        labels=[CAR, label_pb2.Label(name="Bus", kind=label_pb2.LABEL_KIND_POLYGON, attributes=[DOORS])]
    )
    _, [first, *_] = await neighbours.ready_task(
        ann, project_id=project.id, size=20, segment_size=10, overlap=0
    )
    return await ann.update_job(first.id, assignee=PersonRef(id=CLEO.user_id))


async def test_labels_are_listed_by_their_owner(ann: Client, cleo: Client, job: job_pb2.Job) -> None:
    alone = await ann.new_task(labels=[SKY])
    for client in (ann, cleo):
        assert await listed(client, project_id=job.project_id) == ["car", "Bus"]
        assert await listed(client, task_id=job.task_id, page_size=1) == ["car", "Bus"]
        assert await listed(client, job_id=job.id) == ["car", "Bus"]
    assert await listed(ann, task_id=alone.id) == ["sky"]
    answer = await ann.labels.ListLabels(messages.ListLabelsRequest(task_id=alone.id))
    [found] = answer.labels
    assert (found.task_id, found.project_id, found.label) == (alone.id, 0, alone.labels[0])


async def test_a_label_is_read_with_its_attributes_and_its_owner(
    ann: Client, cleo: Client, job: job_pb2.Job
) -> None:
    project = await ann.project(job.project_id)
    for client in (ann, cleo):
        found = await label_of(client, project.labels[1].id)
        assert (found.label, found.project_id, found.task_id) == (project.labels[1], project.id, 0)


async def test_without_an_owner_all_are_listed_that_are_seen(
    ann: Client, ben: Client, cleo: Client, stranger: Client, admin: Client, export: Client, job: job_pb2.Job
) -> None:
    await ben.new_task(labels=[SKY])
    assert await listed(ann) == await listed(cleo) == ["car", "Bus"]
    assert await listed(ben) == ["sky"]
    assert await listed(stranger) == []
    assert await listed(admin) == await listed(export, page_size=1) == ["car", "Bus", "sky"]
    assert await listed(admin, name_contains="BU") == ["Bus"]
    request = messages.ListLabelsRequest(skip=1, page_size=1, with_total_size=True)
    answer = await admin.labels.ListLabels(request)
    assert ([each.label.name for each in answer.labels], answer.total_size) == (["Bus"], 3)


async def test_labels_of_what_is_not_seen_are_not_there(
    ann: Client, stranger: Client, job: job_pb2.Job
) -> None:
    [label, _] = (await ann.project(job.project_id)).labels
    calls = (
        label_of(stranger, label.id),
        label_of(ann, label.id + 1_000_000),
        listed(stranger, project_id=job.project_id),
        listed(stranger, task_id=job.task_id),
        listed(stranger, job_id=job.id),
    )
    for call in calls:
        assert isinstance(await refused(call), errors.NotFound)
    await ann.delete_project(job.project_id)
    assert await listed(ann) == []
    assert isinstance(await refused(label_of(ann, label.id)), errors.NotFound)


async def test_wrong_fields_are_all_named(ann: Client) -> None:
    wrong = listed(ann, page_size=-1, skip=-1, name_contains="\a")
    assert await wrong_fields(wrong) == ["name_contains", "page_size", "skip"]
