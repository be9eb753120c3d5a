"""Nobody waits for the dead, and nobody is asked too much at a time."""

from __future__ import annotations

from datetime import timedelta

import pytest
from frameyard.task.v1.task_events_pb2 import TaskUpdated
from yard.runtime import app, clock
from yard.runtime.db import Database
from yard.testkit.eventually import eventually
from yard.testkit.facts import Facts
from yard.webhook.domain import Fact
from yard.webhook.settings import Settings
from yard.webhook.store import deliveries, queue
from yard.webhook.store.queue import Claimed, Room

from services.webhook.tests.conftest import Watch
from services.webhook.tests.neighbours import TASK, Client
from services.webhook.tests.receiver import Receiver, receiving

MANY = 40
FACT = Fact(kind="task", id=TASK, known={"id": TASK}, shown=True).to_json()


async def waiting(db: Database, hook_id: int, number: int = MANY) -> None:
    """Deliveries that are due."""
    async with db.transaction() as tx:
        for _ in range(number):
            body = '{"event":"update:task"}'
            await deliveries.insert_body(tx, hook_id=hook_id, event="update:task", body=body, now=clock.now())


async def test_a_dead_receiver_holds_up_nobody(
    ann: Client, running: app.Running[Settings], told: Facts, receiver: Receiver
) -> None:
    async with receiving() as dead:
        dead.gate.clear()
        silent = await ann.create(dead.url)
        await waiting(running.runtime.db, silent.id)
        hook = await ann.create(receiver.url)
        await eventually(lambda: dead.at_once)
        for number in range(5):
            event = TaskUpdated(task_id=TASK, changed_fields=["name"])
            await told.publish(event, TASK, "task")

            def has_come(wanted: int = number + 1) -> bool:
                return len(receiver.got) >= wanted

            await eventually(has_come)
        assert len(dead.got) < MANY
        assert dead.most_at_once <= running.runtime.settings.delivery_host_concurrency

        async def noted() -> bool:
            return [each.attempts for each in await ann.deliveries(hook.id)] == [1] * 5

        await eventually(noted)


async def test_a_host_is_asked_by_few_at_a_time(
    ann: Client, running: app.Running[Settings], receiver: Receiver
) -> None:
    receiver.gate.clear()
    hooks = [await ann.create(receiver.url) for _ in range(3)]
    for hook in hooks:
        await waiting(running.runtime.db, hook.id)
    limit = running.runtime.settings.delivery_host_concurrency
    await eventually(lambda: receiver.at_once == limit)
    receiver.gate.set()
    await eventually(lambda: len(receiver.got) == 3 * MANY, timeout_s=30)
    assert receiver.most_at_once == limit


@pytest.fixture
def settings(settings: Settings) -> Settings:
    # Long enough for what is held back to be held.
    values = {name: getattr(settings, name) for name in settings.__dataclass_fields__}
    return Settings(**{**values, "delivery_timeout_s": 20.0})


async def take(db: Database, free: int, for_host: int = 4, free_for_failing: int = 2) -> list[Claimed]:
    room = Room(free=free, free_for_failing=free_for_failing, for_host=for_host)
    now = clock.now()
    async with db.transaction() as tx:
        return await queue.claim(tx, room, now=now, until=now + timedelta(seconds=60))


@pytest.fixture
async def db(settings: Settings) -> Database:
    """Without a service that would take what waits."""
    return await Database.connect(settings.database_url)


async def hook(db: Database, id_: int, host: str, *, failing: bool = False, active: bool = True) -> None:
    await db.execute(
        """
        INSERT INTO hook (
            id, url, host, description, project_id, events, verify_tls, is_active, owner_id, created_at,
            updated_at, is_failing
        )
        VALUES ($1, 'http://x/', $2, '', 1, '{}', true, $4, 1, now(), now(), $3)
        """,
        id_,
        host,
        failing,
        active,
    )
    await waiting(db, id_, 10)


async def test_what_is_taken_is_shared_out(db: Database, settings: Settings, watch: Watch) -> None:
    await hook(db, 1, "shared")
    await hook(db, 2, "shared")
    await hook(db, 3, "own")
    await hook(db, 4, "dead", failing=True)
    await hook(db, 5, "dead", failing=True)
    await hook(db, 6, "dead too", failing=True)
    await hook(db, 7, "off", active=False)
    taken = await take(db, 100)
    per_hook = {id_: sum(each.delivery.hook_id == id_ for each in taken) for id_ in range(1, 8)}
    assert (per_hook[1], per_hook[2], per_hook[3], per_hook[7]) == (2, 2, 4, 0)
    assert (per_hook[4] + per_hook[5], per_hook[6]) == (1, 1)
    assert await take(db, 100) == []
    watch.pass_(seconds=61)
    again = await take(db, 100)
    assert {each.delivery.id for each in again} == {each.delivery.id for each in taken}
    assert {each.epoch for each in again} == {2}
    await db.close()


async def test_failing_webhooks_have_part_of_the_room(db: Database, settings: Settings) -> None:
    for number in range(1, 6):
        await hook(db, number, f"dead{number}", failing=True)
    await hook(db, 9, "alive")
    taken = await take(db, 4, free_for_failing=2)
    assert sorted(each.delivery.hook_id for each in taken) == [9, 9, 9, 9]
    taken = await take(db, 4, free_for_failing=2)
    assert len({each.delivery.hook_id for each in taken}) == len(taken) == 2
    assert all(each.is_failing for each in taken)
    await db.close()
