import grpc
from frameyard.identity.v1 import identity_events_pb2, user_pb2
from yard.runtime import auth
from yard.testkit import eventually
from yard.testkit.refusals import wrong_fields

from services.task.tests.neighbours import BEN, Client, Connect, Neighbours

NEW = auth.Principal(user_id=70, username="newcomer", role="user")


async def test_somebody_new_can_be_given_a_task(ann: Client, neighbours: Neighbours) -> None:
    assert await wrong_fields(ann.new_task(assignee_id=NEW.user_id)) == ["assignee_id"]
    await neighbours.introduce(NEW)
    task = await ann.new_task(assignee_id=NEW.user_id)
    assert task.assignee.username == "newcomer"


async def test_who_calls_is_known_before_identity_tells(connect: Connect, neighbours: Neighbours) -> None:
    client = connect(NEW)
    assert (await client.new_task()).owner.username == "newcomer"
    assert (await client.new_project()).owner.username == "newcomer"


async def test_names_follow_identity(ann: Client, neighbours: Neighbours) -> None:
    task = await ann.new_task(assignee_id=BEN.user_id)
    renamed = user_pb2.User(id=BEN.user_id, username="benjamin", is_active=True)
    await neighbours.publish(identity_events_pb2.UserUpdated(user=renamed), BEN.user_id, "identity")

    async def told() -> bool:
        return (await ann.task(task.id)).assignee.username == "benjamin"

    assert await eventually(told)


async def test_nothing_is_given_to_who_has_left(ann: Client, neighbours: Neighbours) -> None:
    task = await ann.new_task(assignee_id=BEN.user_id)
    await neighbours.publish(
        identity_events_pb2.UserDeactivated(user_id=BEN.user_id), BEN.user_id, "identity"
    )

    async def told() -> bool:
        try:
            await ann.new_task(assignee_id=BEN.user_id)
        except grpc.aio.AioRpcError:
            return True
        return False

    assert await eventually(told)
    assert (await ann.task(task.id)).assignee.username == "ben"
    assert await wrong_fields(ann.new_task(assignee_id=BEN.user_id)) == ["assignee_id"]
