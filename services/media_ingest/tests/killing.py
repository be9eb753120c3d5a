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
from yard.testkit.process import Program

from services.media_ingest.tests.test_restarts import address_of, environment


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
    program = Program(["-m", "yard.media_ingest"], log=log, environment=environment(settings))
    try:
        address = await address_of(program, Path(settings.port_file))
        async with opened(SERVICE, settings) as runtime:
            yield Doomed(address=address, blobs=runtime.blobs, db=runtime.db)
            program.kill()
            # Nobody need wait here for the lease of the dead to run out.
            await runtime.db.execute("UPDATE work SET lease_until = now() - interval '1 second'")
    finally:
        program.kill()
