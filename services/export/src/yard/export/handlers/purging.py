"""Archives go when their time is over."""

from frameyard.task.v1.task_events_pb2 import TaskPurged
from yard.export import store
from yard.export.handlers.context import Exporting, archive_key
from yard.export.store import restores
from yard.runtime import clock
from yard.runtime.bus import Event
from yard.runtime.db import Transaction

AT_ONCE = 200


async def purge(exporting: Exporting) -> int:
    """Deletes expired archives, then their rows; returns how many. Objects first: a row finds them again."""
    removed = 0
    await store.delete_imports(exporting.runtime.db, clock.now())
    await restores.delete_restores(exporting.runtime.db, clock.now())
    while True:
        now = clock.now()
        ids = await store.expired(exporting.runtime.db, now, limit=AT_ONCE)
        if not ids:
            return removed
        await exporting.runtime.blobs.delete(*map(archive_key, ids))
        await store.delete_exports(exporting.runtime.db, ids, now)
        removed += len(ids)


async def forget_task(tx: Transaction, event: Event[TaskPurged]) -> None:
    """Lets the archives of a purged task go."""
    await store.expire_task(tx, event.message.task_id, clock.now())
