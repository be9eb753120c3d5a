import asyncio
from dataclasses import replace
from uuid import UUID

import pytest
from frameyard.operation.v1.operation_pb2 import Operation
from frameyard.task.v1.task_events_pb2 import TaskCreated
from google.rpc import status_pb2
from nats.aio.client import Client
from yard.runtime import dead_letters, errors, ids
from yard.runtime.bus import Envelope
from yard.runtime.db import Database, Transaction
from yard.runtime.work import handle
from yard.testkit import eventually

from libs.runtime.tests.engines import running
from libs.runtime.tests.work_probe import QUICK, Gate, TaskWork, WorkProbe


@pytest.fixture
def probe(database: Database, nc: Client) -> WorkProbe:
    return WorkProbe(database, nc)


class Failing:
    """Raises what it is given, one a try, then succeeds; notes the hook's calls."""

    def __init__(self, *faults: Exception) -> None:
        self._faults = list(faults)
        self.tries = 0
        self.told: list[errors.YardError] = []

    async def __call__(self, work: TaskWork) -> None:
        self.tries += 1
        if self._faults:
            raise self._faults.pop(0)

    async def hook(self, tx: Transaction, work: TaskWork, fault: errors.YardError) -> None:
        await tx.execute("INSERT INTO effect (key) VALUES ('hook')")
        self.told.append(fault)


async def error_of(probe: WorkProbe, operation_id: UUID) -> errors.YardError:
    operation = await probe.ended(operation_id)
    assert operation.state == "FAILED"
    assert operation.error is not None
    return errors.from_status(status_pb2.Status.FromString(operation.error))


async def letters(probe: WorkProbe) -> list[dead_letters.DeadLetter]:
    return await dead_letters.list_open(probe.database)


async def test_faults_are_tried_again_later(probe: WorkProbe) -> None:
    failing = Failing(ValueError("one"), errors.Internal("two"), errors.Conflict("three"))
    async with running(probe.loop(failing)):
        assert (await probe.ended(await probe.ask())).state == "SUCCEEDED"
    row = await probe.row()
    assert (failing.tries, row["attempt"], row["tries"]) == (4, 4, 3)
    assert await letters(probe) == []


async def test_delays_grow_with_each_attempt(probe: WorkProbe) -> None:
    """The row says when it may be claimed next."""
    slow = replace(QUICK, first_delay_s=100.0, longest_delay_s=300.0)
    delays: list[float] = []
    for _ in range(4):
        async with running(probe.loop(Failing(ValueError("no")), options=slow)):
            if not delays:
                await probe.enqueue()
            await eventually(lambda: has_failed(probe, len(delays) + 1))
        delays.append(
            await probe.database.fetchval("SELECT extract(epoch FROM run_after - now())::float8 FROM work")
        )
        await probe.database.execute("UPDATE work SET run_after = now()")
    for delay, (least, most) in zip(delays, [(50, 100), (100, 200), (150, 300), (150, 300)], strict=True):
        assert least - 5 <= delay <= most


async def has_failed(probe: WorkProbe, tries: int) -> bool:
    row = await probe.row()
    return bool(row["tries"] == tries and row["state"] == "queued")


async def test_the_last_try_ends_in_a_dead_letter(probe: WorkProbe) -> None:
    failing = Failing(*[ValueError(f"try {number}") for number in range(9)])
    async with running(probe.loop(failing, max_attempts=3, on_failed=failing.hook)):
        fault = await error_of(probe, await probe.ask("a"))
    assert failing.tries == 3
    # What a user gets names no internals, only where to look for them.
    assert isinstance(fault, errors.Internal)
    assert "try" not in fault.message
    assert set(fault.metadata) == {"error_id"}
    assert [type(told) for told in failing.told] == [errors.Internal]
    assert await probe.database.fetchval("SELECT count(*) FROM effect") == 1
    (letter,) = await letters(probe)
    assert (letter.handler, letter.reason, letter.tries) == ("work:probe", "ValueError", 3)
    assert "try 2" in letter.first_error
    assert TaskCreated.FromString(letter.body) == TaskCreated(name="a")


async def test_a_refusal_ends_the_operation_with_its_fields(probe: WorkProbe) -> None:
    failing = Failing(errors.invalid("data.stop", "lies before the start"))
    async with running(probe.loop(failing, on_failed=failing.hook)):
        fault = await error_of(probe, await probe.ask())
    assert isinstance(fault, errors.InvalidArgument)
    assert fault.violations == (errors.Violation("data.stop", "lies before the start"),)
    assert failing.tries == 1
    assert len(failing.told) == 1
    assert await letters(probe) == []  # who asked has been told


async def test_a_refusal_that_nobody_would_hear_of_is_kept(probe: WorkProbe) -> None:
    async with running(probe.loop(Failing(errors.DataLoss("half of it is gone")))):
        await probe.enqueue()
        await eventually(probe.all_ended)
    (letter,) = await letters(probe)
    assert letter.reason == "DATA_LOSS"


async def test_an_outage_is_not_counted(probe: WorkProbe) -> None:
    failing = Failing(*[errors.Unavailable("down")] * 5)
    async with running(probe.loop(failing, max_attempts=2)):
        assert (await probe.ended(await probe.ask())).state == "SUCCEEDED"
    row = await probe.row()
    assert (row["attempt"], row["tries"]) == (6, 0)


async def test_an_attempt_that_takes_too_long_is_cut(probe: WorkProbe) -> None:
    gate = Gate()
    async with running(probe.loop(gate, timeout_s=0.05, max_attempts=2)):
        fault = await error_of(probe, await probe.ask())
    assert gate.was_cancelled
    assert len(gate.names) == 2
    assert isinstance(fault, errors.DeadlineExceeded)
    assert len(await letters(probe)) == 1


async def test_what_is_not_its_message_is_kept_at_once(probe: WorkProbe) -> None:
    operation_id = await probe.ask()
    await probe.database.execute(r"UPDATE work SET payload = '\xff'")
    async with running(probe.loop(Failing())):
        fault = await error_of(probe, operation_id)
    assert isinstance(fault, errors.Poison)
    (letter,) = await letters(probe)
    assert (letter.reason, letter.tries, letter.body) == ("POISON", 1, b"\xff")


async def test_a_broken_hook_does_not_keep_the_work_alive(probe: WorkProbe) -> None:
    async def broken(tx: Transaction, work: TaskWork, fault: errors.YardError) -> None:
        await tx.execute("INSERT INTO effect (key) VALUES ('undone')")
        raise ZeroDivisionError

    async with running(probe.loop(Failing(errors.DataLoss("gone")), on_failed=broken)):
        await error_of(probe, await probe.ask())
    assert await probe.states() == ["failed"]
    assert await probe.database.fetchval("SELECT count(*) FROM effect") == 0
    (letter,) = await letters(probe)
    assert "ZeroDivisionError" in letter.first_error


async def test_heartbeats_keep_long_work_with_its_holder(probe: WorkProbe) -> None:
    gate = Gate()
    leases: set[object] = set()

    async def has_been_renewed() -> bool:
        leases.add((await probe.row())["lease_until"])
        return len(leases) >= 5

    rival = Gate()
    short = replace(QUICK, lease_s=0.4)
    async with running(probe.loop(gate, options=short)):
        operation_id = await probe.ask()
        await gate.begun.wait()
        async with running(probe.loop(rival, options=short)):
            await eventually(has_been_renewed)
        gate.may_go_on.set()
        await probe.ended(operation_id)
    row = await probe.row()
    assert (row["attempt"], row["tries"], rival.names) == (1, 0, [])


async def test_a_holder_that_was_overtaken_has_no_effect(probe: WorkProbe) -> None:
    """It sends no heartbeat, as if its process stood still: the fence is the epoch."""
    slow = Gate()
    refused: list[BaseException] = []

    async def work_too_long(work: TaskWork) -> None:
        await slow(work)
        try:
            async with work.finish(TaskCreated(name="old")) as tx:
                await tx.execute("INSERT INTO effect (key) VALUES ('old')")
        except errors.LeaseLost as lost:
            refused.append(lost)
            raise

    async def take_over(work: TaskWork) -> None:
        async with work.finish(TaskCreated(name="new")) as tx:
            await tx.execute("INSERT INTO effect (key) VALUES ('new')")

    silent = replace(QUICK, lease_s=0.3, heartbeat_s=60.0)
    async with running(probe.loop(work_too_long, options=silent)):
        operation_id = await probe.ask()
        await slow.begun.wait()
        async with running(probe.loop(take_over)):
            assert (await probe.ended(operation_id)).state == "SUCCEEDED"
        slow.may_go_on.set()
        await eventually(lambda: len(refused) == 1)
    assert [row["key"] for row in await probe.database.fetch("SELECT key FROM effect")] == ["new"]
    row = await probe.row()
    assert (row["epoch"], row["tries"], row["state"]) == (2, 1, "done")


async def test_a_heartbeat_that_finds_another_holder_stops_the_handler(probe: WorkProbe) -> None:
    gate = Gate()
    async with running(probe.loop(gate)):
        await probe.enqueue()
        await gate.begun.wait()
        await probe.database.execute(
            "UPDATE work SET epoch = epoch + 1, lease_until = now() + interval '1 h'"
        )
        await eventually(lambda: gate.was_cancelled)
    assert await probe.states() == ["running"]


async def test_work_that_kills_its_workers_is_not_tried_for_ever(probe: WorkProbe) -> None:
    await probe.ask()
    await probe.database.execute(
        "UPDATE work SET state = 'running', tries = 2, lease_until = now() - interval '1 s'"
    )
    failing = Failing()
    async with running(probe.loop(failing, max_attempts=3, on_failed=failing.hook)):
        await eventually(probe.all_ended)
    assert failing.tries == 0
    assert [told.reason for told in failing.told] == ["WORKER_LOST"]
    (letter,) = await letters(probe)
    assert letter.reason == "WORKER_LOST"


async def test_a_dead_letter_of_work_is_queued_again(probe: WorkProbe) -> None:
    failing = Failing(ValueError("broken"))
    async with running(probe.loop(failing, max_attempts=1)):
        operation_id = await probe.ask()
        await error_of(probe, operation_id)
        (letter,) = await letters(probe)
        (outcome,) = await dead_letters.redrive(probe.database, [], [letter.id])
        assert outcome.error == ""
        await eventually(lambda: has_succeeded(probe, operation_id))
    assert (await probe.operation(operation_id)).error is None
    assert await letters(probe) == []
    (again,) = await dead_letters.redrive(probe.database, [], [letter.id])
    assert "NotFound" in again.error


async def has_succeeded(probe: WorkProbe, operation_id: UUID) -> bool:
    return (await probe.operation(operation_id)).state == "SUCCEEDED"


async def test_a_letter_of_a_handler_that_is_gone_stays(probe: WorkProbe) -> None:
    async with probe.database.transaction() as tx:
        envelope = Envelope(id=ids.uuid7(), type="x", subject="x", headers={}, body=b"")
        fault = errors.Poison("no")
        await dead_letters.bury(tx, "gone", envelope, fault=fault, first="no", tries=1)
    (letter,) = await letters(probe)
    (outcome,) = await dead_letters.redrive(probe.database, [], [letter.id])
    assert "no handler 'gone'" in outcome.error
    assert [kept.tries for kept in await letters(probe)] == [2]
    assert await dead_letters.list_open(probe.database, handler="other") == []
    assert await dead_letters.list_open(probe.database, after=letter.id) == []


async def test_progress_is_thinned_and_bounded(probe: WorkProbe, nc: Client) -> None:
    heard: list[Operation] = []

    async def hear(message: object) -> None:
        heard.append(Operation.FromString(message.data))  # type: ignore[attr-defined]

    async def report(work: TaskWork) -> None:
        for step in range(200):
            await work.progress(step / 100, "x" * 600)

    spy = await nc.subscribe("frameyard.progress.probe.*", cb=hear)
    await nc.flush()
    async with running(probe.loop(handle("probe", TaskCreated, report))):
        operation_id = await probe.ask()
        await probe.ended(operation_id)
        await eventually(lambda: bool(heard))
    await spy.unsubscribe()
    assert len(heard) <= 3
    assert {len(operation.message) for operation in heard} == {500}
    assert all(0 <= operation.progress <= 1 for operation in heard)


async def test_a_handler_that_cancels_itself_has_failed(probe: WorkProbe) -> None:
    async def give_up(work: TaskWork) -> None:
        raise asyncio.CancelledError

    async with running(probe.loop(give_up, max_attempts=1)):
        assert isinstance(await error_of(probe, await probe.ask()), errors.Internal)
