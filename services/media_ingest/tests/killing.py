"""The service as a process that is killed in the middle of what it does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from yard.media_ingest.service import SERVICE
from yard.media_ingest.settings import Settings
from yard.runtime.app.lifecycle import opened
from yard.runtime.blobs import Blobs
from yard.runtime.db import Database
from yard.testkit.service_program import ServiceProgram, end_leases_of_work


@dataclass(frozen=True, slots=True, kw_only=True)
class Doomed:
    """The running process, and what it writes to."""

    address: str
    blobs: Blobs
    db: Database


@asynccontextmanager
async def killed(settings: Settings, folder: Path) -> AsyncIterator[Doomed]:
    """Runs until the end of the block, and then dies at once with its children."""
    log = folder / "killed.log"
    program = ServiceProgram(settings, log=log)
    try:
        address = await program.address()
        async with opened(SERVICE, settings) as runtime:
            yield Doomed(address=address, blobs=runtime.blobs, db=runtime.db)
            program.kill()
            await end_leases_of_work(runtime.db)
    finally:
        program.kill()
