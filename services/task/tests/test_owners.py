"""Tasks and projects that are made for others, and given away."""

from frameyard.common.v1.common_pb2 import PersonRef
from frameyard.identity.v1 import identity_events_pb2, user_pb2
from frameyard.task.v1.task_events_pb2 import ProjectCreated, ProjectUpdated, TaskCreated, TaskUpdated
from yard.runtime import errors
from yard.testkit import eventually
from yard.testkit.refusals import refused, wrong_fields

from services.task.tests.neighbours import ADMIN, ANN, BEN, CLEO, Client, Neighbours, Running, emitted


async def test_administrators_and_services_make_things_for_others(
    admin: Client, export: Client, ann: Client, ben: Client, running: Running
) -> None:
    for client in (admin, export):
        project = await client.new_project("theirs", owner_id=ANN.user_id)
        task = await client.new_task("theirs", owner_id=BEN.user_id)
        assert project.owner == PersonRef(id=ANN.user_id, username="ann")
        assert (await ben.task(task.id)).owner == PersonRef(id=BEN.user_id, username="ben")
        [created] = [each for each in await emitted(running, project.id) if isinstance(each, ProjectCreated)]
        assert created.owner_id == ANN.user_id
        [made, *_] = [each for each in await emitted(running, task.id) if isinstance(each, TaskCreated)]
        assert made.owner_id == BEN.user_id
        assert (await ann.new_task("hers", project_id=project.id)).project_id == project.id
    assert (await ann.new_task(owner_id=ANN.user_id)).owner.id == ANN.user_id


async def test_nobody_else_makes_things_for_others(
    ann: Client, cleo: Client, admin: Client, export: Client
) -> None:
    for call in (
        ann.new_task(owner_id=BEN.user_id),
        ann.new_project(owner_id=BEN.user_id),
        cleo.new_task(owner_id=BEN.user_id),
        cleo.new_task(owner_id=CLEO.user_id),
        export.new_task(),
        export.new_project(),
    ):
        assert isinstance(await refused(call), errors.PermissionDenied)
    for owner_id in (CLEO.user_id, 77, -1):
        assert await wrong_fields(admin.new_task("", owner_id=owner_id)) == ["name", "owner_id"]
        assert await wrong_fields(export.new_project("", owner_id=owner_id)) == ["name", "owner_id"]


async def test_a_service_puts_tasks_where_their_owner_may(
    ann: Client, ben: Client, admin: Client, export: Client
) -> None:
    project = await ann.new_project()
    made = await export.new_task(project_id=project.id, owner_id=ANN.user_id)
    assert made.project_id == project.id
    assert (await export.new_task(project_id=project.id, owner_id=ADMIN.user_id)).owner.id == ADMIN.user_id
    forbidden = await refused(export.new_task(project_id=project.id, owner_id=BEN.user_id))
    assert isinstance(forbidden, errors.PermissionDenied)
    absent = await refused(export.new_task(project_id=project.id + 9, owner_id=ANN.user_id))
    assert isinstance(absent, errors.NotFound)
    assert (await admin.new_task(project_id=project.id, owner_id=BEN.user_id)).owner.id == BEN.user_id
    assert len(await ben.list_tasks()) == 1


async def test_things_are_given_away_by_their_owner(ann: Client, ben: Client, running: Running) -> None:
    task, project = await ann.new_task(), await ann.new_project()
    given = await ann.update_task(task.id, owner=PersonRef(id=BEN.user_id))
    assert given.owner == PersonRef(id=BEN.user_id, username="ben")
    assert (await ann.update_project(project.id, owner=PersonRef(id=BEN.user_id))).owner.username == "ben"
    for call in (ann.task(task.id), ann.project(project.id)):
        assert isinstance(await refused(call), errors.NotFound)
    await ben.delete_task(task.id)
    events = [*await emitted(running, task.id), *await emitted(running, project.id)]
    for kind in (TaskUpdated, ProjectUpdated):
        told = [[*event.changed_fields] for event in events if isinstance(event, kind)]
        assert told[0] == ["owner"]


async def test_nobody_else_gives_them_away(ann: Client, ben: Client, admin: Client, export: Client) -> None:
    task = await ann.new_task(assignee_id=BEN.user_id)
    project = await ann.new_project(assignee_id=BEN.user_id)
    to_ben = PersonRef(id=BEN.user_id)
    for client in (ben, export):
        for call in (
            client.update_task(task.id, owner=to_ben),
            client.update_project(project.id, owner=to_ben),
        ):
            assert isinstance(await refused(call), errors.PermissionDenied)
    assert (await ben.update_task(task.id, name="other")).name == "other"
    assert (await admin.update_task(task.id, owner=to_ben)).owner.id == BEN.user_id
    assert (await admin.update_project(project.id, owner=to_ben)).owner.id == BEN.user_id


async def test_the_new_owner_is_somebody_who_may_own(ann: Client, neighbours: Neighbours) -> None:
    task, project = await ann.new_task(), await ann.new_project()
    for person_id in (0, 77, CLEO.user_id):
        owner = PersonRef(id=person_id)
        assert await wrong_fields(ann.update_task(task.id, owner=owner)) == ["task.owner"]
        assert await wrong_fields(ann.update_project(project.id, owner=owner)) == ["project.owner"]
    now_worker = user_pb2.User(id=BEN.user_id, username="ben", is_active=True, role=user_pb2.ROLE_WORKER)
    await neighbours.publish(identity_events_pb2.UserUpdated(user=now_worker), BEN.user_id, "identity")

    async def told() -> bool:
        given = ann.update_task(task.id, owner=PersonRef(id=BEN.user_id), name=" ")
        return await wrong_fields(given) == ["task.name", "task.owner"]

    assert await eventually(told)
