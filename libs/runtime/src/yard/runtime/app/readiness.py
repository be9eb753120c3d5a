"""Whether this process should get calls: not while it drains, nor while database or broker are away."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from nats.aio.client import Client
from yard.runtime import errors, telemetry
from yard.runtime.db import Database

CHECK_S: Final = 2.0
TIMEOUT_S: Final = 2.0

_log = telemetry.log(__name__)


class Readiness:
    """Asks the database, the broker and our own engines every two seconds, and tells each change."""

    def __init__(
        self,
        db: Database,
        nc: Client,
        tell: Callable[[bool], Awaitable[None]],
        ailing: Callable[[], tuple[str, ...]],
    ) -> None:
        self._db = db
        self._nc = nc
        self._tell = tell
        self._ailing = ailing
        self._away: tuple[str, ...] = ("start",)
        self._is_draining = False

    @property
    def away(self) -> tuple[str, ...]:
        """What is missing; empty when ready."""
        return ("drain",) if self._is_draining else self._away

    async def run(self) -> None:
        """Checks for ever."""
        while True:
            await self.check()
            await asyncio.sleep(CHECK_S)

    async def check(self) -> None:
        """Asks once."""
        servers = (await self._database(), self._broker())
        away = (*(name for name, is_there in servers if not is_there), *self._ailing())
        if away == self._away or self._is_draining:
            return
        self._away = away
        _log.info("readiness_changed", away=list(away))
        await self._tell(not away)

    async def drain(self) -> None:
        """Not ready from now on."""
        self._is_draining = True
        await self._tell(False)

    async def _database(self) -> tuple[str, bool]:
        try:
            async with asyncio.timeout(TIMEOUT_S):
                await self._db.fetchval("SELECT 1")
        except (errors.Unavailable, TimeoutError):
            return "database", False
        return "database", True

    def _broker(self) -> tuple[str, bool]:
        return "broker", bool(self._nc.is_connected)
