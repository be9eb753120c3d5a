"""What a killed process was sending is sent by the next one, under the same id."""

from __future__ import annotations

from pathlib import Path

from frameyard.task.v1.task_events_pb2 import TaskUpdated
from yard.runtime import rpc
from yard.runtime.db import Database
from yard.testkit.eventually import eventually
from yard.testkit.facts import Facts
from yard.testkit.service_program import ServiceProgram
from yard.webhook.settings import Settings

from services.webhook.tests.neighbours import ANN, TASK, Client, token
from services.webhook.tests.receiver import Receiver

MANY = 12


async def test_nothing_is_lost_and_nothing_changes_its_id(
    settings: Settings, told: Facts, receiver: Receiver, tmp_path: Path
) -> None:
    receiver.gate.clear()
    program = ServiceProgram(settings, log=tmp_path / "log")
    async with rpc.channel(await program.address(), token=token(ANN)) as channel:
        hook = await Client(channel).create(receiver.url, "update:task", secret="hush")
        for number in range(MANY):
            event = TaskUpdated(task_id=TASK, changed_fields=[f"field {number}"])
            await told.publish(event, TASK, "task")
            if number == MANY // 2:
                await eventually(lambda: receiver.at_once == 4)
                program.kill()
    begun = {got.headers["x-frameyard-delivery"] for got in receiver.got}
    receiver.got.clear()
    receiver.gate.set()
    db = await Database.connect(settings.database_url, max_size=1)
    # A test need not wait until the leases of the dead run out.
    await db.execute("UPDATE delivery SET leased_until = now() WHERE leased_until IS NOT NULL")
    program.restart()
    async with rpc.channel(await program.address(), token=token(ANN)) as channel:
        ann = Client(channel)

        async def done() -> bool:
            found = await ann.deliveries(hook.id)
            return len(found) == MANY and all(each.attempts == 1 for each in found)

        await eventually(done, timeout_s=40)
        ids = [each.id for each in await ann.deliveries(hook.id)]
    got = [each.headers["x-frameyard-delivery"] for each in receiver.got]
    assert sorted(got) == sorted(ids)
    assert len(begun) == 4
    assert begun <= set(ids)
    changed = {each.json["changed_fields"][0] for each in receiver.got}
    assert changed == {f"field {number}" for number in range(MANY)}
    await db.close()
    program.interrupt()
    assert program.wait() == 0
