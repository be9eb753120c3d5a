"""The limit on wrong passwords, by name."""

from datetime import datetime, timedelta

from yard.identity.domain import FAILURE_LIMIT, FAILURE_WINDOW_S
from yard.identity.store import Reader, login_failures
from yard.runtime import clock, errors
from yard.runtime.db import Database, Transaction


async def refuse_over_limit(reader: Reader, username_key: str) -> None:
    """ResourceExhausted, with the time to wait, once the name has failed ten times within 15 minutes."""
    failures = await login_failures.since(reader, username_key, _window_start())
    if len(failures) < FAILURE_LIMIT:
        return
    wait = failures[-FAILURE_LIMIT] - _window_start()
    raise errors.ResourceExhausted(
        f"{FAILURE_LIMIT} logins with this name have failed: wait",
        retry_after_s=max(1.0, wait.total_seconds()),
        reason="TOO_MANY_FAILED_LOGINS",
    )


async def settle(db: Database, username_key: str, *, is_right: bool) -> None:
    """Notes a failure; of verdicts at the same time, also right ones, no more come out than are allowed."""
    async with db.transaction() as tx:
        await login_failures.lock(tx, username_key)
        await refuse_over_limit(tx, username_key)
        if not is_right:
            await login_failures.insert(tx, username_key, clock.now())


async def purge(tx: Transaction) -> None:
    """Forgets the failures that count no more."""
    await login_failures.purge(tx, _window_start())


def _window_start() -> datetime:
    return clock.now() - timedelta(seconds=FAILURE_WINDOW_S)
