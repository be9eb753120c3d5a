"""States of a job, found by walking back from the present one."""

import asyncio
from collections import deque
from collections.abc import Iterable, Set

from yard.annotations.defaults import Defaults
from yard.annotations.labels import Label, LabelSchema
from yard.runtime import errors
from yard.runtime.db import Record, Transaction
from yard.task.domain import history
from yard.task.domain.history import Object
from yard.task.domain.past import Key, Past, Present, keyed
from yard.task.domain.rows import Job
from yard.task.handlers.annotations.scopes import Scope
from yard.task.store import history as store
from yard.task.store import labels as label_store
from yard.task.store.annotations import reading
from yard.task.store.history import Step


class States:
    """States of the only job of a scope, read in the snapshot of the transaction."""

    def __init__(self, tx: Transaction, scope: Scope, labels: list[Label], present: Present) -> None:
        self._tx = tx
        self._scope = scope
        self._present = present
        self.labels = labels

    @classmethod
    async def of(cls, tx: Transaction, scope: Scope) -> "States":
        """With the labels that there are."""
        labels = await label_store.labels_of(tx, scope.task)
        successions = await store.successions_of(tx, scope.task.id)
        return cls(tx, scope, labels, Present(labels, successions))

    @property
    def job(self) -> Job:
        """The job."""
        return self._scope.jobs[0]

    @property
    def defaults(self) -> Defaults:
        """Of the labels."""
        return Defaults(LabelSchema(self.labels))

    async def past(self, after: int, until: int | None = None, asked: Set[Key] | None = None) -> Past:
        """What the saves after a revision, up to `until`, tell of its state."""
        past = Past(self._present, asked)
        until = self.job.revision if until is None else until
        async for steps in store.steps_after(self._tx, self.job.id, after, until):
            waiting = deque(steps)
            async for rows in store.parts_of(self._tx, self.job.id, steps):
                await asyncio.to_thread(_tell, past, waiting, rows)
            await asyncio.to_thread(_tell_rest, past, waiting)
        return past

    async def held(self, keys: Set[Key]) -> dict[Key, Object]:
        """Those of the objects that there are now, also where another job of the task has them by now."""
        wanted: dict[str, list[int]] = {"tag": [], "shape": [], "track": []}
        for table, id_ in keys:
            wanted[table].append(id_)
        found = await reading.objects_of(
            self._tx, self._scope.task.id, wanted["tag"], wanted["shape"], wanted["track"]
        )
        return dict(keyed(found))

    async def present(self, keys: Set[Key]) -> dict[Key, Object]:
        """Those that the job itself has."""
        held = await self.held(keys)
        return {key: item for key, item in held.items() if item.job_id == self.job.id}

    async def check_readable(self, revision: int, field: str = "revision") -> None:
        """Refuses states that never were, and those that are not kept."""
        if revision < 0:
            raise errors.invalid(field, f"must be 0 or more, got {revision}")
        if revision > self.job.revision:
            raise errors.NotFound("revision", revision)
        floor = await store.floor_of(self._tx, self.job.id)
        if revision < floor:
            raise errors.FailedPrecondition(
                f"revision {revision} is not kept any more, the oldest that can be read is {floor}",
                reason="REVISION_NOT_KEPT",
                metadata={"oldest": str(floor)},
            )


def _tell(past: Past, steps: deque[Step], rows: Iterable[Record]) -> None:
    """Tells the rows, and the ids of each save before its rows."""
    for row in rows:
        while steps and steps[0].number <= row["number"]:
            _tell_ids(past, steps)
        past.tell_part(history.unpacked_part(row["content"]), row["saved_at"])


def _tell_ids(past: Past, steps: deque[Step]) -> None:
    past.tell(history.unpacked_ids(steps.popleft().ids))


def _tell_rest(past: Past, steps: deque[Step]) -> None:
    while steps:
        _tell_ids(past, steps)
