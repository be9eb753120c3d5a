import asyncio
from collections import Counter

import pytest
from frameyard.task.v1.task_events_pb2 import TaskCreated
from google.protobuf import any_pb2
from nats.aio.client import Client
from yard.embedded.servers.postgres import Postgres
from yard.runtime import errors
from yard.runtime.db import Database, Transaction
from yard.runtime.operations import Operation
from yard.testkit import eventually

from libs.runtime.tests.engines import killable, running
from libs.runtime.tests.work_probe import Gate, TaskWork, WorkProbe


@pytest.fixture
def probe(database: Database, nc: Client) -> WorkProbe:
    return WorkProbe(database, nc)


async def note(tx: Transaction, work: TaskWork) -> None:
    await tx.execute("INSERT INTO effect (key, version) VALUES ($1, $2)", work.message.name, work.attempt)


async def noted(probe: WorkProbe) -> list[str]:
    return [row["key"] for row in await probe.database.fetch("SELECT key FROM effect ORDER BY place")]


async def do(work: TaskWork) -> None:
    async with work.finish(TaskCreated(name=f"{work.message.name} done")) as tx:
        await note(tx, work)


async def test_work_ends_with_its_effect_and_its_result(probe: WorkProbe) -> None:
    async with running(probe.loop(do)):
        operation = await probe.ended(await probe.ask("a"))
    assert (operation.state, operation.progress, operation.error) == ("SUCCEEDED", 1.0, None)
    result = TaskCreated()
    assert operation.result is not None
    assert any_pb2.Any.FromString(operation.result).Unpack(result)
    assert result.name == "a done"
    row = await probe.row()
    assert (row["state"], row["attempt"], row["tries"], row["lease_holder"]) == ("done", 1, 0, None)
    assert await noted(probe) == ["a"]


async def test_a_handler_that_just_returns_has_succeeded(probe: WorkProbe) -> None:
    async def nothing(work: TaskWork) -> None:
        return

    async with running(probe.loop(nothing)):
        operation = await probe.ended(await probe.ask())
    assert (operation.state, operation.result) == ("SUCCEEDED", None)


async def test_an_effect_that_fails_to_commit_is_undone_and_done_again(probe: WorkProbe) -> None:
    async def fail_once_after_writing(work: TaskWork) -> None:
        async with work.finish() as tx:
            await note(tx, work)
            if work.attempt == 1:
                raise errors.Internal("not yet")

    async with running(probe.loop(fail_once_after_writing)):
        operation = await probe.ended(await probe.ask("a"))
    assert operation.state == "SUCCEEDED"
    assert await noted(probe) == ["a"]
    assert (await probe.row())["tries"] == 1


async def test_interactive_work_goes_first(probe: WorkProbe) -> None:
    for name in ("bulk 1", "bulk 2"):
        await probe.enqueue(name)
    await probe.enqueue("waited for", lane="interactive")
    async with running(probe.loop(do)):
        await eventually(probe.all_ended)
    assert await noted(probe) == ["waited for", "bulk 1", "bulk 2"]


async def test_a_backlog_of_one_owner_does_not_starve_another(probe: WorkProbe) -> None:
    for number in range(6):
        await probe.enqueue(f"many {number}", owner="many")
    await probe.enqueue("few", owner="few")
    gate = Gate()
    loop = probe.loop(gate, concurrency=2)
    async with running(loop):
        await eventually(lambda: len(gate.names) == 2)
        assert gate.names == ["many 0", "few"]
        gate.may_go_on.set()
        await eventually(probe.all_ended)
    assert gate.names[2:] == [f"many {number}" for number in range(1, 6)]


async def test_no_more_than_its_concurrency_runs(probe: WorkProbe) -> None:
    present = most = 0
    all_there = asyncio.Barrier(3)

    async def count(work: TaskWork) -> None:
        nonlocal present, most
        present += 1
        most = max(most, present)
        # Room is left only when as many as there may be have come together.
        await all_there.wait()
        async with work.transaction() as tx:
            await note(tx, work)
        present -= 1

    for number in range(21):
        await probe.enqueue(str(number))
    async with running(probe.loop(count, concurrency=3)):
        await eventually(probe.all_ended)
    assert most == 3
    assert await probe.states() == ["done"] * 21


async def test_two_loops_share_the_rows_and_do_each_once(probe: WorkProbe) -> None:
    doers: Counter[str] = Counter()

    def doer(name: str) -> object:
        async def count(work: TaskWork) -> None:
            doers[name] += 1
            await do(work)

        return count

    names = [str(number) for number in range(40)]
    for name in names:
        await probe.enqueue(name)
    first, second = probe.loop(doer("first")), probe.loop(doer("second"))  # type: ignore[arg-type]
    async with running(first, second):
        await eventually(probe.all_ended, timeout_s=20)
    assert sorted(await noted(probe)) == sorted(names)
    assert min(doers["first"], doers["second"]) > 0
    assert doers.total() == 40


async def test_a_loop_is_woken_by_a_commit_elsewhere(probe: WorkProbe, nc: Client) -> None:
    elsewhere = await Database.connect(probe.database._url)
    async with running(probe.loop(do)):
        await probe.ended(await WorkProbe(elsewhere, nc).ask("a"))
    await elsewhere.close()


async def test_a_stop_waits_for_what_runs_and_claims_no_more(probe: WorkProbe) -> None:
    gate = Gate()
    loop = probe.loop(gate)
    async with running(loop):
        await probe.enqueue("a")
        await probe.enqueue("b")
        await gate.begun.wait()
        loop.stop()
        gate.may_go_on.set()
    assert await probe.states() == ["done", "queued"]


async def test_a_loop_that_is_cut_gives_its_rows_back_untried(probe: WorkProbe) -> None:
    gate = Gate()
    await probe.enqueue("a")
    async with killable(probe.loop(gate)) as kill:
        await gate.begun.wait()
        await kill()
    assert gate.was_cancelled
    row = await probe.row()
    assert (row["state"], row["tries"], row["lease_holder"]) == ("queued", 0, None)
    async with running(probe.loop(do)):
        await eventually(probe.all_ended)
    assert await noted(probe) == ["a"]


async def test_queued_work_is_cancelled_at_once(probe: WorkProbe) -> None:
    hooked: list[Operation] = []

    async def hook(tx: Transaction, operation: Operation) -> None:
        hooked.append(operation)

    probe.operations.on_cancel("probe", hook)
    operation_id = await probe.ask()
    assert await probe.cancel(operation_id)
    assert not await probe.cancel(operation_id)
    assert (await probe.operation(operation_id)).state == "CANCELLED"
    assert [operation.id for operation in hooked] == [operation_id]
    assert await probe.states() == ["cancelled"]


async def test_running_work_is_stopped_and_then_cancelled(probe: WorkProbe) -> None:
    async def hook(tx: Transaction, operation: Operation) -> None:
        await tx.execute("INSERT INTO effect (key) VALUES ('hook')")

    probe.operations.on_cancel("probe", hook)
    gate = Gate()
    async with running(probe.loop(gate)):
        operation_id = await probe.ask()
        await gate.begun.wait()
        assert await probe.cancel(operation_id)
        assert (await probe.ended(operation_id)).state == "CANCELLED"
    assert gate.was_cancelled
    assert await noted(probe) == ["hook"]
    assert await probe.states() == ["cancelled"]


async def test_cancelling_comes_before_the_last_transaction(probe: WorkProbe) -> None:
    """A handler that does not notice the cancellation cannot commit any more."""
    begun, may_go_on = asyncio.Event(), asyncio.Event()

    async def stubborn(work: TaskWork) -> None:
        begun.set()
        while not may_go_on.is_set():
            try:
                await may_go_on.wait()
            except asyncio.CancelledError:
                continue
        await do(work)

    async with running(probe.loop(stubborn)):
        operation_id = await probe.ask("a")
        await begun.wait()
        await probe.cancel(operation_id)
        may_go_on.set()
        assert (await probe.ended(operation_id)).state == "CANCELLED"
    assert await noted(probe) == []


async def test_it_goes_on_after_the_database_was_killed(probe: WorkProbe, postgres_server: Postgres) -> None:
    gate = Gate()

    async def wait_then_do(work: TaskWork) -> None:
        await gate(work)
        await do(work)

    async with running(probe.loop(wait_then_do)):
        operation_id = await probe.ask("a")
        await gate.begun.wait()
        postgres_server.kill()
        gate.may_go_on.set()
        postgres_server.start()
        await eventually(lambda: has_ended(probe, operation_id), timeout_s=20)
    assert (await probe.operation(operation_id)).state == "SUCCEEDED"
    assert await noted(probe) == ["a"]
    assert (await probe.row())["tries"] == 0


async def has_ended(probe: WorkProbe, operation_id: object) -> bool:
    try:
        return await probe.all_ended()
    except errors.Unavailable:
        return False
