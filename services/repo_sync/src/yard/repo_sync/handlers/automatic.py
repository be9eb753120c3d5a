"""Pushes that nobody asks for: the one place that decides when."""

import asyncio
from datetime import timedelta
from typing import Final

from yard.repo_sync.domain.rows import KEPT
from yard.repo_sync.handlers.asking import begin_push
from yard.repo_sync.handlers.context import DUE, Syncing
from yard.repo_sync.store import people, pushes, repositories
from yard.runtime import clock, errors, telemetry
from yard.runtime.pauses import until_any

AT_ONCE: Final = 20
LOOK_AGAIN_S: Final = 2.0
PURGE_EVERY_S: Final = 3600.0
PURGED_AT_ONCE: Final = 1_000

_log = telemetry.log(__name__)


async def push_what_is_due(syncing: Syncing) -> None:
    """For ever; every replica looks, and leaves to others what they have in hand."""
    async with syncing.db.signals.listening(DUE) as woken:
        while True:
            woken.clear()
            try:
                while await begin_due(syncing) == AT_ONCE:
                    pass
            except (errors.Unavailable, errors.Conflict) as fault:
                _log.warning("due_pushes_not_begun", reason=fault.reason)
            await until_any(woken, timeout_s=LOOK_AGAIN_S)


async def begin_due(syncing: Syncing) -> int:
    """Queues some of the pushes that are due; returns how many."""
    async with syncing.db.transaction() as tx:
        due = await repositories.take_due(tx, clock.now(), AT_ONCE)
        for repository in due:
            author = await people.person_of(tx, repository.automatic_author_id)
            await begin_push(syncing, tx, repository, author, is_automatic=True)
    return len(due)


async def purge_for_ever(syncing: Syncing) -> None:
    """Removes what is told of pushes that are long over."""
    while True:
        try:
            await purge(syncing, KEPT)
        except errors.Unavailable as fault:
            _log.warning("purge_failed", reason=fault.reason)
        await asyncio.sleep(PURGE_EVERY_S)


async def purge(syncing: Syncing, kept: timedelta) -> int:
    """Removes pushes that ended so long ago; returns how many."""
    total, before = 0, clock.now() - kept
    while removed := await pushes.purge(syncing.db, before, PURGED_AT_ONCE):
        total += removed
    return total
