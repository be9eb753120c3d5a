"""One place for a child: warms it, replaces it, and never holds two."""

import asyncio
from collections.abc import Callable

from yard.runtime import errors
from yard.runtime.workers.process import ChildProcess, ChildSpec


class Slot:
    """Holds a child, or the task that starts one."""

    def __init__(self, spec: ChildSpec, idle_s: float, is_needed_warm: Callable[[], bool]) -> None:
        self._spec = spec
        self._idle_s = idle_s
        self._is_needed_warm = is_needed_warm
        self._retirement: asyncio.TimerHandle | None = None
        self._child: ChildProcess | None = None
        self._warming: asyncio.Task[ChildProcess] | None = None
        self._burial: asyncio.Task[ChildProcess] | None = None
        self._is_closed = False

    @property
    def is_warm(self) -> bool:
        """Whether there is a child, or one is being started."""
        return self._child is not None or self._warming is not None

    async def child(self) -> ChildProcess:
        """A warm, living child; waits for one that is being started."""
        self._stay()
        if self._child is not None and not self._child.is_alive:
            self.replace()
        if self._child is None:
            warming = self._warm()
            child = await self._started(warming)
            if self._is_closed:
                raise _closed()
            self._child = child
        return self._child

    def replace(self) -> None:
        """Kills the child at once; a new one starts in the background."""
        if self._child is None:
            return
        child, self._child = self._child, None
        self._end(child)
        if not self._is_closed:
            self._warm()

    def rest(self) -> None:
        """No call uses the slot now: its child ends unless `child` is asked for within the idle time."""
        self._stay()
        if not self._is_closed:
            self._retirement = asyncio.get_running_loop().call_later(self._idle_s, self._retire)

    async def burial(self) -> ChildProcess:
        """The child replaced last, once it is dead and its last words are known."""
        assert self._burial is not None
        return await asyncio.shield(self._burial)

    async def close(self) -> None:
        """Ends the child, or the start of one."""
        self._is_closed = True
        self._stay()
        self.replace()
        if self._warming is not None:
            self._warming.cancel()
            started = await asyncio.gather(self._warming, return_exceptions=True)
            for child in started:
                if isinstance(child, ChildProcess):
                    await child.end()
        if self._burial is not None:
            await self._burial

    def _stay(self) -> None:
        if self._retirement is not None:
            self._retirement.cancel()
            self._retirement = None

    def _retire(self) -> None:
        self._retirement = None
        if self._warming is not None and not self._warming.done():
            self.rest()
            return
        has_failed = self._warming is not None and _has_failed(self._warming)
        if not has_failed and self._is_needed_warm():
            self._refresh()
            return
        child, self._child = self._child, None
        warming, self._warming = self._warming, None
        if warming is not None and not has_failed:
            child = warming.result()
        if child is not None:
            self._end(child)

    def _refresh(self) -> None:
        """A child that has worked may hold much memory: a fresh one waits for the next call."""
        if self._child is not None and (self._child.calls or not self._child.is_alive):
            self.replace()
        self.rest()

    def _end(self, child: ChildProcess) -> None:
        child.kill()
        self._burial = asyncio.create_task(_bury(child))

    async def _started(self, warming: asyncio.Task[ChildProcess]) -> ChildProcess:
        try:
            return await asyncio.shield(warming)
        except asyncio.CancelledError:
            if warming.cancelled():
                raise _closed() from None
            raise
        finally:
            if warming.done() and not self._is_closed:
                self._warming = None

    def _warm(self) -> asyncio.Task[ChildProcess]:
        if self._is_closed:
            raise _closed()
        if self._warming is None:
            self._warming = asyncio.create_task(self._start(self._burial))
            self._warming.add_done_callback(_retrieve)
        return self._warming

    async def _start(self, burial: asyncio.Task[ChildProcess] | None) -> ChildProcess:
        if burial is not None:
            await asyncio.shield(burial)
        return await ChildProcess.start(self._spec)


def _closed() -> errors.Unavailable:
    return errors.Unavailable("the worker pool is closed")


async def _bury(child: ChildProcess) -> ChildProcess:
    await child.end()
    return child


def _has_failed(start: asyncio.Task[ChildProcess]) -> bool:
    return start.cancelled() or start.exception() is not None


def _retrieve(task: asyncio.Task[ChildProcess]) -> None:
    """A start that fails is told to the call that waits for it; without one, the next call tries again."""
    if not task.cancelled():
        task.exception()
