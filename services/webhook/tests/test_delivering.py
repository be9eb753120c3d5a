from __future__ import annotations

import hashlib
import hmac
from pathlib import Path

import pytest
from frameyard.task.v1.task_events_pb2 import TaskUpdated
from frameyard.webhook.v1 import webhook_service_pb2 as messages
from yard.runtime import app, errors
from yard.testkit.eventually import eventually
from yard.testkit.facts import Facts
from yard.testkit.fixtures import OpenChannel
from yard.testkit.refusals import refused
from yard.webhook.handlers import log
from yard.webhook.handlers.context import Webhooks
from yard.webhook.service import SERVICE
from yard.webhook.settings import Settings

from libs.runtime.tests.authority import Authority
from services.webhook.tests.conftest import Watch
from services.webhook.tests.neighbours import ANN, PROJECT, TASK, Client, Neighbours, token
from services.webhook.tests.receiver import Receiver, receiving

DELIVERED, PENDING, FAILED = (
    messages.DELIVERY_STATE_DELIVERED,
    messages.DELIVERY_STATE_PENDING,
    messages.DELIVERY_STATE_FAILED,
)


async def change(told: Facts, *names: str) -> None:
    event = TaskUpdated(task_id=TASK, changed_fields=names or ["name"], user_id=ANN.user_id)
    await told.publish(event, TASK, "task")


async def ended(client: Client, hook_id: int, state: int = DELIVERED) -> messages.Delivery:
    """The newest delivery, once it is in this state and was tried."""

    async def found() -> messages.Delivery | None:
        [newest, *_] = await client.deliveries(hook_id) or [messages.Delivery()]
        return newest if newest.state == state and newest.attempts else None

    delivery = await eventually(found)
    assert delivery is not None
    return delivery


async def test_an_event_is_sent_and_signed(ann: Client, told: Facts, receiver: Receiver) -> None:
    hook = await ann.create(receiver.url, "update:task", secret="hush")
    await change(told)
    delivery = await ended(ann, hook.id)
    [got] = receiver.got
    assert got.line == "POST /hook HTTP/1.1"
    assert got.headers["content-type"] == "application/json"
    assert got.headers["user-agent"].startswith("frameyard")
    assert got.headers["x-frameyard-delivery"] == delivery.id
    assert got.headers["x-frameyard-event"] == "update:task"
    expected = hmac.new(b"hush", got.body, hashlib.sha256).hexdigest()
    assert got.headers["x-signature-256"] == f"sha256={expected}"
    assert got.json["webhook_id"] == hook.id
    assert (delivery.attempts, delivery.last_status, delivery.last_answer) == (1, 200, "taken")
    assert not delivery.body
    assert not delivery.HasField("next_attempt_time")
    assert (await ann.delivery(hook.id, delivery.id)).body == got.body.decode()
    hook = await ann.get(hook.id)
    assert hook.last_status == 200
    assert hook.HasField("last_delivery_time")


async def test_without_a_secret_nothing_is_signed(ann: Client, told: Facts, receiver: Receiver) -> None:
    hook = await ann.create(receiver.url)
    await change(told)
    await ended(ann, hook.id)
    assert "x-signature-256" not in receiver.got[0].headers


async def test_only_what_was_chosen_is_sent(ann: Client, told: Facts, receiver: Receiver) -> None:
    await ann.create(receiver.url, "delete:task")
    await ann.create(receiver.url, "update:task", is_active=False)
    await ann.delete((await ann.create(receiver.url)).id)
    hook = await ann.create(receiver.url, "update:task")
    await change(told)
    await ended(ann, hook.id)
    assert [got.json["webhook_id"] for got in receiver.got] == [hook.id]


async def test_who_does_not_take_it_is_tried_again_with_the_same_bytes(
    ann: Client, told: Facts, receiver: Receiver, watch: Watch, neighbours: Neighbours
) -> None:
    receiver.statuses = [500, 302, 404]
    receiver.extra = "Location: http://127.0.0.1:1/\r\n"
    hook = await ann.create(receiver.url, secret="hush")
    await change(told)
    for attempts in (1, 2, 3):

        async def tried(attempts: int = attempts) -> bool:
            found = await ann.deliveries(hook.id)
            return [each.attempts for each in found] == [attempts]

        await eventually(tried)
        neighbours.tasks[TASK].name = f"after {attempts}"
        watch.pass_(seconds=12 * 2**attempts)
    delivery = await ended(ann, hook.id)
    assert delivery.attempts == 4
    assert len(receiver.got) == 4
    assert len({got.body for got in receiver.got}) == 1
    assert len({got.headers["x-signature-256"] for got in receiver.got}) == 1
    assert {got.headers["x-frameyard-delivery"] for got in receiver.got} == {delivery.id}


async def test_it_is_given_up_after_three_days(
    ann: Client, told: Facts, receiver: Receiver, watch: Watch
) -> None:
    receiver.status = 503
    hook = await ann.create(receiver.url)
    await change(told)
    delivery = await ended(ann, hook.id, PENDING)
    assert delivery.HasField("next_attempt_time")
    watch.pass_(days=4)
    delivery = await ended(ann, hook.id, FAILED)
    assert (delivery.attempts, delivery.last_status) == (2, 503)
    assert not delivery.HasField("next_attempt_time")


async def test_gone_ends_it(ann: Client, told: Facts, receiver: Receiver) -> None:
    receiver.status, receiver.answer = 410, "moved out\0"
    hook = await ann.create(receiver.url)
    await change(told)
    delivery = await ended(ann, hook.id, FAILED)
    assert (delivery.attempts, delivery.last_status) == (1, 410)
    assert delivery.last_answer == "moved out\ufffd"


async def test_what_is_not_public_is_not_sent_to(
    settings: Settings, told: Facts, receiver: Receiver, open_channel: OpenChannel
) -> None:
    closed = {name: getattr(settings, name) for name in settings.__dataclass_fields__}
    async with app.serving(SERVICE, Settings(**{**closed, "egress_networks": ()})) as running:
        ann = Client(open_channel(running.address, token(ANN)))
        hook = await ann.create(receiver.url)
        delivery = await ann.ping(hook.id)
        assert (delivery.state, delivery.last_status) == (FAILED, 0)
        assert "not public" in delivery.last_answer
    assert receiver.got == []


@pytest.mark.parametrize("verify", [True, False])
async def test_certificates_count_unless_told_otherwise(ann: Client, tmp_path: Path, verify: bool) -> None:
    async with receiving("localhost", tls=Authority(tmp_path).tls("localhost")) as strange:
        hook = await ann.create(strange.url, verify_tls=verify)
        delivery = await ann.ping(hook.id)
        assert delivery.state == (FAILED if verify else DELIVERED)
        assert ("certificate" in delivery.last_answer) == verify
        assert len(strange.got) == (not verify)


async def test_a_ping_is_answered_at_once_active_or_not(ann: Client, receiver: Receiver) -> None:
    hook = await ann.create(receiver.url, "update:job", is_active=False, secret="hush")
    delivery = await ann.ping(hook.id)
    assert (delivery.state, delivery.event, delivery.attempts) == (DELIVERED, "ping", 1)
    [got] = receiver.got
    assert got.json["event"] == "ping"
    assert got.json["webhook"]["target_url"] == receiver.url
    assert got.json["webhook"]["events"] == ["update:job"]
    assert got.json["sender"] == {"id": ANN.user_id, "username": "ann"}
    assert "hush" not in got.body.decode()
    assert delivery.body == got.body.decode()
    receiver.status = 500
    assert (await ann.ping(hook.id)).state == FAILED
    assert (await ann.get(hook.id)).last_status == 500


async def test_a_delivery_is_sent_once_more(ann: Client, told: Facts, receiver: Receiver) -> None:
    receiver.status = 410
    hook = await ann.create(receiver.url)
    await change(told)
    old = await ended(ann, hook.id, FAILED)
    receiver.status = 200
    new = await ann.redeliver(hook.id, old.id)
    assert new.id != old.id
    assert new.redelivery_of == old.id
    await ended(ann, hook.id)
    first, second = receiver.got
    assert first.body == second.body
    assert second.headers["x-frameyard-delivery"] == new.id
    assert [each.id for each in await ann.deliveries(hook.id)] == [new.id, old.id]
    for unknown in ("x", "0197f2f0-7c3e-7d8b-9a45-2f0c0d9b6c11"):
        assert isinstance(await refused(ann.redeliver(hook.id, unknown)), errors.NotFound)
        assert isinstance(await refused(ann.delivery(hook.id, unknown)), errors.NotFound)
    other = await ann.create(receiver.url)
    assert isinstance(await refused(ann.delivery(other.id, old.id)), errors.NotFound)
    await ann.update(hook.id, is_active=False)
    fault = await refused(ann.redeliver(hook.id, old.id))
    assert (type(fault), fault.reason) == (errors.FailedPrecondition, "WEBHOOK_NOT_ACTIVE")


async def test_what_waits_goes_to_the_new_address(
    ann: Client, told: Facts, receiver: Receiver, watch: Watch
) -> None:
    hook = await ann.create("http://127.0.0.1:1024/")
    await change(told)
    await ended(ann, hook.id, PENDING)
    await ann.update(hook.id, url=receiver.url)
    watch.pass_(seconds=30)
    await ended(ann, hook.id)
    assert len(receiver.got) == 1


async def test_what_is_old_is_removed(
    ann: Client, running: app.Running[Settings], told: Facts, receiver: Receiver, watch: Watch
) -> None:
    hook, gone = await ann.create(receiver.url), await ann.create(receiver.url)
    await change(told)
    for each in (hook, gone):
        await ended(ann, each.id)
    await ann.delete(gone.id)
    webhooks = Webhooks.of(running.runtime)
    assert await log.purge(webhooks) == 1
    assert await running.runtime.db.fetchval("SELECT count(*) FROM hook") == 1
    watch.pass_(days=29)
    assert await log.purge(webhooks) == 0
    watch.pass_(days=2)
    assert await log.purge(webhooks) == 1
    assert await ann.deliveries(hook.id) == []
    await webhooks.close()


async def test_the_log_is_paged(ann: Client, receiver: Receiver) -> None:
    hook = await ann.create(receiver.url)
    sent = [(await ann.ping(hook.id)).id for _ in range(5)][::-1]
    found, page = [], ""
    while True:
        request = messages.ListDeliveriesRequest(
            webhook_id=hook.id, page_size=2, page_token=page, with_total_size=True
        )
        answer = await ann.stub.ListDeliveries(request)
        assert answer.total_size == 5
        found += [delivery.id for delivery in answer.deliveries]
        page = answer.next_page_token
        if not page:
            break
    assert found == sent
    assert [each.id for each in await ann.deliveries(hook.id, skip=4)] == sent[4:]


async def test_nothing_is_lost_while_task_is_away(
    ann: Client, told: Facts, receiver: Receiver, neighbours: Neighbours, watch: Watch
) -> None:
    hook = await ann.create(receiver.url)
    neighbours.is_away = True
    await change(told)

    async def postponed() -> bool:
        found = await ann.deliveries(hook.id)
        return any(each.next_attempt_time.ToDatetime() > each.create_time.ToDatetime() for each in found)

    await eventually(postponed)
    neighbours.is_away = False
    watch.pass_(seconds=6)
    assert (await ended(ann, hook.id)).attempts == 1
    assert receiver.got[0].json["task"]["name"] == "monday"
    assert receiver.got[0].json["task"]["project_id"] == PROJECT
