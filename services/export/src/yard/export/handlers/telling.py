"""Progress of a writing, told to all exports that wait for it."""

from typing import Any
from uuid import UUID

from yard.export.handlers.context import Exporting, operation_name
from yard.export.store import shared_archives
from yard.runtime import clock
from yard.runtime.work import Work

LOOK_AGAIN_S = 2.0


class Telling:
    """Passes progress on; who waits is looked up every few seconds."""

    def __init__(self, exporting: Exporting, work: Work[Any]) -> None:
        self._exporting = exporting
        self._work = work
        self._others: list[UUID] = []
        self._looks_at = clock.monotonic() + LOOK_AGAIN_S

    async def progress(self, share: float, message: str) -> None:
        """How far it is, 0 to 1; raises what Work.progress does once the work is not ours any more."""
        await self._work.progress(share, message)
        runtime = self._exporting.runtime
        if clock.monotonic() >= self._looks_at and self._work.operation_id is not None:
            found = await shared_archives.followers(runtime.db, self._work.operation_id)
            self._others = [follower.id for follower in found]
            self._looks_at = clock.monotonic() + LOOK_AGAIN_S
        for other in self._others:
            await runtime.operations.publish_progress(operation_name(other), share, message)
