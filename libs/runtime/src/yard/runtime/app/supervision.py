"""Tasks that run as long as the service does: a crash is logged, and they are started again."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from yard.runtime import clock, errors, telemetry

FIRST_DELAY_S: Final = 0.5
LONGEST_DELAY_S: Final = 30.0
# Who ran that long before it failed begins again with the shortest delay.
STABLE_S: Final = 60.0

_log = telemetry.log(__name__)


class Supervised:
    """One task; `stop` asks `run` to return, without it the task is cancelled."""

    def __init__(
        self, name: str, run: Callable[[], Awaitable[None]], stop: Callable[[], None] | None = None
    ) -> None:
        self.name = name
        self._run = run
        self._stop = stop
        self._is_stopping = False
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins; the task ends by itself when `run` returns."""
        self._task = asyncio.create_task(self._keep_running(), name=self.name)

    def ask(self) -> None:
        """Asks it to end, and waits for nothing."""
        self._is_stopping = True
        if self._stop is not None:
            self._stop()
        elif self._task is not None:
            self._task.cancel()

    async def end(self, timeout_s: float) -> None:
        """Asks it to end, and cancels it if it has not after `timeout_s`."""
        self.ask()
        if self._task is None:
            return
        _, late = await asyncio.wait([self._task], timeout=timeout_s)
        if late:
            _log.warning("task_cancelled", task=self.name, after_s=timeout_s)
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _keep_running(self) -> None:
        delay_s = FIRST_DELAY_S
        while not self._is_stopping:
            started_at = clock.monotonic()
            if await self._attempt():
                return
            if clock.monotonic() - started_at > STABLE_S:
                delay_s = FIRST_DELAY_S
            await asyncio.sleep(random.uniform(delay_s / 2, delay_s))  # noqa: S311 - spreads load
            delay_s = min(2 * delay_s, LONGEST_DELAY_S)

    async def _attempt(self) -> bool:
        """True if `run` came to its end, False if it failed."""
        try:
            await self._run()
        except errors.LeaseLost:
            _log.info("lease_lost", task=self.name)
        except errors.Unavailable as fault:
            _log.warning("task_interrupted", task=self.name, reason=fault.reason, error=fault.message)
        except Exception as fault:  # noqa: BLE001 - the boundary of tasks that nobody awaits
            _log.error("task_crashed", task=self.name, exc_info=fault)
        else:
            return True
        return False


async def end_all(tasks: Sequence[Supervised], timeout_s: float) -> None:
    """Ends them all at the same time."""
    await asyncio.gather(*(task.end(timeout_s) for task in tasks))
