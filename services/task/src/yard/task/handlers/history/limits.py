"""How much of the past is kept, and the end of what is too much."""

from datetime import timedelta
from typing import Final

from yard.runtime import clock
from yard.runtime.db import Database
from yard.task.settings import Settings
from yard.task.store import history as store
from yard.task.store import jobs as job_store
from yard.task.store.history import Limits

_AT_ONCE: Final = 1_000


def limits_of(settings: Settings) -> Limits:
    """What the operator allows a job."""
    return Limits(most_revisions=settings.history_max_revisions, most_bytes=settings.history_max_bytes)


async def prune(db: Database, settings: Settings) -> int:
    """Forgets saves that are too old or over lowered limits; returns of how many jobs.

    Saves keep within the limits by themselves.
    """
    return await _prune_old(db, settings) + await _prune_many(db, limits_of(settings))


async def _prune_old(db: Database, settings: Settings) -> int:
    if not settings.history_days:
        return 0
    before = clock.now() - timedelta(days=settings.history_days)
    count = 0
    while found := await store.older_than(db, before, _AT_ONCE):
        for job_id, number in found.items():
            async with db.transaction() as tx:
                await job_store.job_of(tx, job_id, lock=True)
                await store.forget_until(tx, job_id, number)
        count += len(found)
    return count


async def _prune_many(db: Database, limits: Limits) -> int:
    """Some jobs each time: these are only those that nobody has saved since the limits were lowered."""
    found = await store.over_limits(db, limits, _AT_ONCE)
    for job_id, revision in found:
        async with db.transaction() as tx:
            await job_store.job_of(tx, job_id, lock=True)
            if limits.most_revisions:
                await store.forget_until(tx, job_id, max(0, revision - limits.most_revisions))
            if limits.most_bytes:
                await store.forget_bytes(tx, job_id, limits.most_bytes)
    return len(found)
