"""A work loop with short delays, rows for it, and what came of them."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from frameyard.task.v1.task_events_pb2 import TaskCreated
from nats.aio.client import Client
from yard.runtime.db import Database, Lane
from yard.runtime.operations import Operation, Operations
from yard.runtime.work import Work, WorkHandler, handle
from yard.runtime.work_attempt import WorkOptions
from yard.runtime.work_loop import WorkLoop
from yard.testkit import eventually

TaskWork = Work[TaskCreated]
Run = Callable[[TaskWork], Awaitable[None]]

QUICK = WorkOptions(lease_s=5.0, heartbeat_s=0.1, poll_s=0.1, first_delay_s=0.01, longest_delay_s=0.05)


class WorkProbe:
    """The work of a service `probe`."""

    def __init__(self, database: Database, nc: Client) -> None:
        self.database = database
        self.operations = Operations("probe", database, nc)

    def loop(self, *runs: Run | WorkHandler, options: WorkOptions = QUICK, **how: Any) -> WorkLoop:
        """Handles the kind `probe` by a function, or what is given as a handler."""
        handlers = [
            run if isinstance(run, WorkHandler) else handle("probe", TaskCreated, run, **how) for run in runs
        ]
        return WorkLoop(self.operations, handlers, options)

    async def enqueue(self, name: str = "", *, owner: str = "", lane: Lane = "bulk") -> UUID:
        """A row without an operation."""
        async with self.database.transaction() as tx:
            return await tx.enqueue(TaskCreated(name=name), kind="probe", owner=owner, lane=lane)

    async def ask(self, name: str = "") -> UUID:
        """A row with an operation; returns the operation's id."""
        async with self.database.transaction() as tx:
            operation_id = await self.operations.create(tx, kind="probe", target="tasks/1", owner="7")
            await tx.enqueue(TaskCreated(name=name), kind="probe", operation_id=operation_id)
            return operation_id

    async def cancel(self, operation_id: UUID) -> bool:
        """Asks for the end."""
        async with self.database.transaction() as tx:
            return await self.operations.cancel(tx, operation_id)

    async def operation(self, operation_id: UUID) -> Operation:
        """As it is now."""
        found = await self.operations.find(self.database, operation_id)
        assert found is not None
        return found

    async def ended(self, operation_id: UUID) -> Operation:
        """Once it is final."""

        async def final() -> Operation | None:
            found = await self.operation(operation_id)
            return found if found.is_final else None

        found = await eventually(final)
        assert found is not None
        return found

    async def states(self) -> list[str]:
        """Of all rows, in the order of queueing."""
        return [row["state"] for row in await self.database.fetch("SELECT state FROM work ORDER BY id")]

    async def all_ended(self) -> bool:
        """Whether nothing waits or runs."""
        return not {"queued", "running"} & set(await self.states())

    async def row(self) -> dict[str, Any]:
        """The only row."""
        (row,) = await self.database.fetch("SELECT * FROM work")
        return dict(row)


class Gate:
    """A handler that notes what it is given and goes on when told."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.may_go_on = asyncio.Event()
        self.names: list[str] = []
        self.was_cancelled = False

    async def __call__(self, work: TaskWork) -> None:
        self.names.append(work.message.name)
        self.begun.set()
        try:
            await self.may_go_on.wait()
        except asyncio.CancelledError:
            self.was_cancelled = True
            raise
