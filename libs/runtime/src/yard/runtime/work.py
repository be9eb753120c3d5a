"""Long work: what a handler of it gets, and how a service says which handlers it has."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar
from uuid import UUID

from google.protobuf.message import DecodeError, Message
from yard.runtime import errors, work_rows
from yard.runtime.db import Transaction
from yard.runtime.operations import Operations
from yard.runtime.work_rows import Claim

M = TypeVar("M", bound=Message)

MAX_ATTEMPTS: Final = 8


class Work(Generic[M]):
    """One claimed row. What it writes outside of `transaction` and `finish` must bear to be written twice.

    `attempt` counts the claims, from 1. Cancelled or LeaseLost come from every method once the row is not
    ours; the handler's task is cancelled at the same time.
    """

    def __init__(self, claim: Claim, message: M, operations: Operations) -> None:
        self.id = claim.id
        self.message = message
        self.kind = claim.kind
        self.attempt = claim.attempt
        self.operation_id: UUID | None = claim.operation_id
        self.owner = claim.owner
        self._claim = claim
        self._operations = operations
        self._verdict: errors.YardError | None = None
        self._is_finished = False

    async def progress(self, fraction: float, message: str = "") -> None:
        """Tell the operation's watchers how far it is, 0 to 1; thinned to 4 a second."""
        self._check()
        if self.operation_id is not None:
            name = self._operations.name(self.operation_id)
            await self._operations.publish_progress(name, fraction, message)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """A transaction that no other claim can come between; Cancelled or LeaseLost instead of it."""
        self._check()
        async with self._operations.database.transaction() as tx:
            if await work_rows.lock(tx, self._claim):
                raise errors.Cancelled(f"operation {self.operation_id} was cancelled")
            yield tx

    @asynccontextmanager
    async def finish(self, result: Message | None = None) -> AsyncIterator[Transaction]:
        """The last transaction: with its commit the work is done and the operation SUCCEEDED with `result`.

        A handler that returns without it has finished without a result.
        """
        async with self.transaction() as tx:
            yield tx
            await work_rows.finish(tx, self._claim, "done")
            if self.operation_id is not None:
                await self._operations.complete(tx, self.operation_id, result)
        self._is_finished = True

    @property
    def is_finished(self) -> bool:
        """Whether `finish` has committed."""
        return self._is_finished

    @property
    def verdict(self) -> errors.YardError | None:
        """Why the row is not ours any more, if it is not."""
        return self._verdict

    def end(self, verdict: errors.YardError) -> None:
        """The row is not ours any more: every further method raises `verdict`; called by the loop."""
        self._verdict = verdict

    def _check(self) -> None:
        if self._verdict is not None:
            raise self._verdict


Run = Callable[[Work[M]], Awaitable[None]]
OnFailed = Callable[[Transaction, Work[M], errors.YardError], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkHandler:
    """How one kind of work is done in this process, `concurrency` rows at a time."""

    kind: str
    message_type: type[Message]
    run: Callable[[Work[Any]], Awaitable[None]]
    on_failed: Callable[[Transaction, Work[Any], errors.YardError], Awaitable[None]] | None
    concurrency: int
    timeout_s: float
    max_attempts: int

    def open(self, claim: Claim, operations: Operations) -> Work[Any]:
        """Poison if the payload is not a message of our type."""
        try:
            message = self.message_type.FromString(claim.payload)
        except DecodeError as fault:
            raise errors.Poison(
                f"work {claim.id} is not a {self.message_type.DESCRIPTOR.full_name}"
            ) from fault
        return Work(claim, message, operations)


def handle(
    kind: str,
    message_type: type[M],
    run: Run[M],
    *,
    on_failed: OnFailed[M] | None = None,
    concurrency: int = 1,
    timeout_s: float = 3600,
    max_attempts: int = MAX_ATTEMPTS,
) -> WorkHandler:
    """Work of this kind is done by `run`.

    Errors that a repeat cannot help end it at once: the operation is FAILED with their status, and
    `on_failed` runs in the same transaction. Others are tried again later, up to `max_attempts` times; then a
    dead letter is written besides. Unavailable is not counted. `timeout_s` limits one attempt.
    """
    return WorkHandler(
        kind=kind,
        message_type=message_type,
        run=run,
        on_failed=on_failed,
        concurrency=concurrency,
        timeout_s=timeout_s,
        max_attempts=max_attempts,
    )
