"""Keeps one process running: starts it, notices its end, starts it again."""

import asyncio
import signal
import subprocess
import time
from collections.abc import Callable
from typing import Literal

from yard.embedded.servers.server import POLL_S, Server, ServerError

State = Literal["waiting", "starting", "ready", "restarting", "stopping", "stopped"]

_WATCH_S = 0.1
_FIRST_DELAY_S = 1.0
_LONGEST_DELAY_S = 30.0
_STEADY_S = 60.0


class Keeper:
    """One process under supervision; `changed` is called at each change of its state."""

    def __init__(self, server: Server, announce: Callable[[str], None], changed: Callable[[], None]) -> None:
        self.server = server
        self.state: State = "waiting"
        self.restarts = 0
        self._announce = announce
        self._changed = changed
        self._delay_s = _FIRST_DELAY_S
        self._ready_at = 0.0
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """First start: raises ServerError; from then on the process is watched."""
        began = time.monotonic()
        await self._start("starting")
        self._announce(
            f"{self.server.name} is ready on {self.server.address} ({time.monotonic() - began:.1f} s)"
        )
        self._task = asyncio.create_task(self._keep(), name=f"keep {self.server.name}")

    async def stop(self) -> None:
        """Ordered end; a restart in progress is given up."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._enter("stopping")
        for _ in self.server.stopping():
            await asyncio.sleep(POLL_S)
        self._enter("stopped")

    async def _start(self, state: State) -> None:
        self._enter(state)
        for _ in self.server.starting():
            await asyncio.sleep(POLL_S)
        self._ready_at = time.monotonic()
        self._enter("ready")

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(_WATCH_S)
            if not self.server.is_running:
                await self._restart()

    async def _restart(self) -> None:
        if time.monotonic() - self._ready_at > _STEADY_S:
            self._delay_s = _FIRST_DELAY_S
        self.restarts += 1
        self._enter("restarting")
        how = _describe(self.server.child.exit_status)
        self._announce(f"{self.server.name} {how}: starting it again in {self._delay_s:.0f} s")
        await asyncio.sleep(self._delay_s)
        self._delay_s = min(self._delay_s * 2, _LONGEST_DELAY_S)
        try:
            await self._start("restarting")
        except (ServerError, OSError, subprocess.SubprocessError) as error:
            self._announce(str(error))
        else:
            self._announce(f"{self.server.name} is ready again on {self.server.address}")

    def _enter(self, state: State) -> None:
        self.state = state
        self._changed()


def _describe(exit_status: int | None) -> str:
    if exit_status is not None and exit_status < 0:
        return f"was ended by {signal.Signals(-exit_status).name}"
    return f"ended with exit status {exit_status}"
