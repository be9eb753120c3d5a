import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import UUID

import grpc
import pytest
from frameyard.operation.v1 import operation_pb2, operation_service_pb2
from frameyard.operation.v1.operation_service_pb2_grpc import OperationServiceStub
from frameyard.task.v1.task_events_pb2 import TaskCreated
from nats.aio.client import Client
from yard.embedded.servers.nats import Nats
from yard.runtime import errors, ids, paging, rpc
from yard.runtime.auth import Principal
from yard.runtime.db import OPERATION, Database, Transaction
from yard.runtime.operations import Operation, Operations
from yard.runtime.operations_progress import THINNING_S
from yard.runtime.operations_service import MOST_LOOKS
from yard.testkit import eventually
from yard.testkit.fixtures import OpenChannel

from libs.runtime.tests.engines import running
from libs.runtime.tests.rpc_probe import ANN, Serving, fault_of, serve

BOB = Principal(user_id=8, username="bob", role="user")
ROOT = Principal(user_id=1, username="root", role="admin")
EXPORT = Principal(user_id=0, username="export", role="service", service="export")

Connect = Callable[[Principal], Any]


@pytest.fixture
def operations(database: Database, nc: Client) -> Operations:
    return Operations("probe", database, nc)


@pytest.fixture
async def serving(operations: Operations) -> AsyncIterator[Serving]:
    async with serve(operations.servicer()) as serving:
        yield serving


@pytest.fixture
def connect(serving: Serving, open_channel: OpenChannel) -> Connect:
    """`connect(principal)`: a stub that acts for them."""
    return lambda principal: OperationServiceStub(open_channel(serving.address, serving.token(principal)))


async def create(operations: Operations, owner: Principal = ANN, *, kind: str = "probe") -> UUID:
    async with operations.database.transaction() as tx:
        return await operations.create(tx, kind=kind, target="tasks/1", owner=owner.subject, message="waits")


async def move(operations: Operations, step: Callable[[Transaction], Any]) -> bool:
    async with operations.database.transaction() as tx:
        return bool(await step(tx))


async def state(operations: Operations, operation_id: UUID) -> str:
    found = await operations.find(operations.database, operation_id)
    assert found is not None
    return found.state


async def get(stub: Any, operations: Operations, operation_id: UUID) -> operation_pb2.Operation:
    request = operation_service_pb2.GetOperationRequest(name=operations.name(operation_id))
    found: operation_pb2.Operation = (await stub.GetOperation(request)).operation
    return found


async def test_a_final_operation_never_changes(operations: Operations) -> None:
    operation_id = await create(operations)
    assert await move(operations, lambda tx: operations.start(tx, operation_id))
    assert not await move(operations, lambda tx: operations.start(tx, operation_id))
    assert await move(operations, lambda tx: operations.complete(tx, operation_id, TaskCreated(task_id=3)))
    before = await operations.find(operations.database, operation_id)
    assert not await move(operations, lambda tx: operations.complete(tx, operation_id))
    assert not await move(operations, lambda tx: operations.fail(tx, operation_id, errors.Internal("no")))
    assert not await move(operations, lambda tx: operations.cancel(tx, operation_id))
    assert await operations.find(operations.database, operation_id) == before


async def test_the_answer_holds_everything(operations: Operations, connect: Connect) -> None:
    failed, done = await create(operations), await create(operations)
    fault = errors.invalid("data.stop", "lies before the start")
    await move(operations, lambda tx: operations.fail(tx, failed, fault))
    await move(operations, lambda tx: operations.complete(tx, done, TaskCreated(task_id=3)))
    stub = connect(ANN)

    answer = await get(stub, operations, failed)
    assert (answer.name, answer.kind, answer.target) == (f"probe/{failed}", "probe", "tasks/1")
    assert (answer.owner, answer.state) == ("7", operation_pb2.OPERATION_STATE_FAILED)
    error = errors.from_status(answer.error)
    assert isinstance(error, errors.InvalidArgument)
    assert error.violations == fault.violations
    assert answer.HasField("finish_time")
    assert not answer.HasField("result")

    answer = await get(stub, operations, done)
    result = TaskCreated()
    assert answer.result.Unpack(result)
    assert (result.task_id, answer.progress) == (3, 1.0)
    assert not answer.HasField("error")


async def test_absent_and_foreign_operations_answer_alike(operations: Operations, connect: Connect) -> None:
    operation_id = await create(operations)
    for seer in (ANN, ROOT, EXPORT):
        assert (await get(connect(seer), operations, operation_id)).owner == "7"

    bob = connect(BOB)
    foreign = await fault_of(get(bob, operations, operation_id))
    absent = await fault_of(get(bob, operations, ids.uuid7()))
    assert foreign.code() is absent.code() is grpc.StatusCode.NOT_FOUND
    request = operation_service_pb2.CancelOperationRequest(name=operations.name(operation_id))
    assert (await fault_of(bob.CancelOperation(request))).code() is grpc.StatusCode.NOT_FOUND
    assert await state(operations, operation_id) == "QUEUED"


@pytest.mark.parametrize("name", ["", "probe", "probe/", "probe/1", "task/{id}", "probe/{id}/x", "{id}"])
async def test_other_names_are_not_found(operations: Operations, connect: Connect, name: str) -> None:
    operation_id = await create(operations)
    request = operation_service_pb2.GetOperationRequest(name=name.format(id=operation_id))
    assert (await fault_of(connect(ANN).GetOperation(request))).code() is grpc.StatusCode.NOT_FOUND


async def test_lists_show_ones_own_newest_first_in_pages(operations: Operations, connect: Connect) -> None:
    mine = [await create(operations) for _ in range(5)]
    other = await create(operations, BOB, kind="other")

    async def listed(who: Principal, **filters: Any) -> list[str]:
        names, token = [], ""
        while True:
            request = operation_service_pb2.ListOperationsRequest(page_size=2, page_token=token, **filters)
            answer = await connect(who).ListOperations(request)
            names += [operation.name.removeprefix("probe/") for operation in answer.operations]
            token = answer.next_page_token
            if not token:
                return names

    newest_first = [str(operation_id) for operation_id in reversed(mine)]
    assert await listed(ANN) == newest_first
    assert await listed(BOB) == [str(other)]
    assert await listed(ROOT) == [str(other), *newest_first]
    assert await listed(ROOT, kind="other") == [str(other)]
    assert await listed(ROOT, only_own=True) == []
    assert await listed(BOB, only_own=True) == [str(other)]
    assert await listed(ROOT, target="tasks/2") == []
    await move(operations, lambda tx: operations.complete(tx, mine[0]))
    assert await listed(ANN, state=operation_pb2.OPERATION_STATE_SUCCEEDED) == [str(mine[0])]
    assert str(mine[0]) not in await listed(ANN, state=operation_pb2.OPERATION_STATE_QUEUED)


async def test_what_was_asked_for_is_told(operations: Operations, connect: Connect) -> None:
    asked = {"format": "COCO 1.0", "with_images": "true"}
    async with operations.database.transaction() as tx:
        told = await operations.create(tx, kind="x", target="tasks/1", owner=ANN.subject, parameters=asked)
    assert dict((await get(connect(ANN), operations, told)).parameters) == asked
    assert dict((await get(connect(ANN), operations, await create(operations))).parameters) == {}


_ASKED = operation_service_pb2.ListOperationsRequest()
_NO_ID, _NO_TEXT = paging.encode(["x"], _ASKED), paging.encode([1], _ASKED)


@pytest.mark.parametrize("token", ["x", "WzFd", "WyJhIiwiYiJd", "\u00e4", _NO_ID, _NO_TEXT])
async def test_page_tokens_that_are_none_are_refused(connect: Connect, token: str) -> None:
    request = operation_service_pb2.ListOperationsRequest(page_token=token)
    fault = await fault_of(connect(ANN).ListOperations(request))
    assert fault.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_filters_that_are_none_are_refused_by_name(connect: Connect) -> None:
    wanted: dict[str, Any] = {"kind": "a\x00", "target": "\x00", "state": 99}
    request = operation_service_pb2.ListOperationsRequest(**wanted)
    found = rpc.errors_from_rpc(await fault_of(connect(ANN).ListOperations(request)))
    assert isinstance(found, errors.InvalidArgument)
    assert [violation.field for violation in found.violations] == ["kind", "target", "state"]


async def test_cancelling_runs_the_hook_of_its_kind_once(operations: Operations, connect: Connect) -> None:
    cancelled: list[UUID] = []

    async def hook(tx: Transaction, operation: Operation) -> None:
        assert operation.state == "CANCELLED"
        cancelled.append(operation.id)

    operations.on_cancel("probe", hook)
    operation_id = await create(operations)
    request = operation_service_pb2.CancelOperationRequest(name=operations.name(operation_id))
    for _ in range(2):
        answer = await connect(ANN).CancelOperation(request)
        assert answer.operation.state == operation_pb2.OPERATION_STATE_CANCELLED
    assert cancelled == [operation_id]


class Watcher:
    """Follows an operation and keeps what comes."""

    def __init__(self, stub: Any, name: str) -> None:
        self.seen: list[operation_pb2.Operation] = []
        self.times: list[float] = []
        self._call = stub.WatchOperation(operation_service_pb2.WatchOperationRequest(name=name))
        self.task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        async for answer in self._call:
            self.seen.append(answer.operation)
            self.times.append(asyncio.get_running_loop().time())

    @property
    def states(self) -> list[str]:
        names = [operation_pb2.OperationState.Name(seen.state) for seen in self.seen]
        return [name.removeprefix("OPERATION_STATE_") for name in names]


async def test_a_watcher_sees_now_each_change_and_the_end(operations: Operations, connect: Connect) -> None:
    operation_id = await create(operations)
    watcher = Watcher(connect(ANN), operations.name(operation_id))
    await eventually(lambda: watcher.states == ["QUEUED"])
    await move(operations, lambda tx: operations.start(tx, operation_id))
    await eventually(lambda: watcher.states[-1] == "RUNNING")
    await move(operations, lambda tx: operations.complete(tx, operation_id))
    await asyncio.wait_for(watcher.task, 5)
    assert watcher.states == ["QUEUED", "RUNNING", "SUCCEEDED"]

    late = Watcher(connect(ANN), operations.name(operation_id))
    await asyncio.wait_for(late.task, 5)
    assert late.states == ["SUCCEEDED"]
    foreign = Watcher(connect(BOB), operations.name(operation_id))
    assert (await fault_of(foreign.task)).code() is grpc.StatusCode.NOT_FOUND


async def test_a_change_of_state_is_told_at_once_and_many_are_thinned(
    operations: Operations, connect: Connect
) -> None:
    operation_id = await create(operations)
    watcher = Watcher(connect(ANN), operations.name(operation_id))
    await eventually(lambda: bool(watcher.seen))
    await move(operations, lambda tx: operations.complete(tx, operation_id))
    await asyncio.wait_for(watcher.task, 5)
    first, last = watcher.times
    assert last - first < THINNING_S

    busy = await create(operations)
    watcher = Watcher(connect(ANN), operations.name(busy))
    begun_at = asyncio.get_running_loop().time()
    for number in range(2 * MOST_LOOKS):
        await eventually(lambda: len(watcher.seen) > number)  # noqa: B023 - awaited at once
        await move(operations, lambda tx: tell_text(tx, busy, str(number)))  # noqa: B023
    await eventually(lambda: watcher.seen[-1].message == str(2 * MOST_LOOKS - 1))
    assert asyncio.get_running_loop().time() - begun_at > 1.0
    watcher.task.cancel()


async def tell_text(tx: Transaction, operation_id: UUID, text: str) -> None:
    tx.wake(OPERATION)
    await tx.execute("UPDATE operation SET message = $2 WHERE id = $1", operation_id, text)


async def test_progress_is_thinned_never_falls_and_is_recorded(
    operations: Operations, connect: Connect, nc: Client
) -> None:
    operation_id = await create(operations)
    watcher = Watcher(connect(ANN), operations.name(operation_id))
    await eventually(lambda: bool(watcher.seen))

    async def report(fraction: float) -> bool:
        # Straight to the broker: a publisher thins by itself.
        body = operation_pb2.Operation(progress=fraction, message=f"at {fraction:.2f}").SerializeToString()
        await nc.publish(f"frameyard.progress.probe.{operation_id}", body)
        return len(watcher.seen) >= 4

    steps = iter([0.5, 0.2, *(0.5 + number / 1_000 for number in range(400))])
    async with running(operations):
        await eventually(lambda: report(next(steps)))
        await eventually(lambda: recorded(operations, operation_id))
    await move(operations, lambda tx: operations.fail(tx, operation_id, errors.Internal("no")))
    await asyncio.wait_for(watcher.task, 5)

    progress = [seen.progress for seen in watcher.seen]
    assert progress == sorted(progress)
    assert watcher.seen[2].message.startswith("at ")
    gaps = [after - before for before, after in zip(watcher.times[1:-1], watcher.times[2:-1], strict=False)]
    assert min(gaps, default=1.0) >= 0.2
    assert watcher.states[-1] == "FAILED"


async def recorded(operations: Operations, operation_id: UUID) -> bool:
    found = await operations.find(operations.database, operation_id)
    assert found is not None
    return found.progress >= 0.5 and found.state == "RUNNING" and found.message.startswith("at ")


async def test_progress_of_nonsense_is_ignored(operations: Operations, nc: Client) -> None:
    operation_id = await create(operations)
    async with running(operations):
        await nc.publish("frameyard.progress.probe.x", b"")
        await nc.publish(f"frameyard.progress.probe.{operation_id}", b"\xff")
        await nc.flush()
        await operations.publish_progress(operations.name(operation_id), 7.0, "beyond")
        await eventually(lambda: is_at(operations, operation_id, 1.0))
    assert await state(operations, operation_id) == "RUNNING"


async def is_at(operations: Operations, operation_id: UUID, progress: float) -> bool:
    found = await operations.find(operations.database, operation_id)
    return found is not None and found.progress == progress


async def test_progress_needs_no_broker(operations: Operations, nats_server: Nats) -> None:
    nats_server.kill()
    await operations.publish_progress(operations.name(ids.uuid7()), 0.5)
