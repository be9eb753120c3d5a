"""What this process reads from the bucket at present, protected from eviction."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from yard.chunking.domain import Rendition
from yard.chunking.store import chunks as store
from yard.runtime import errors, telemetry
from yard.runtime.db import Database

RENEW_EVERY_S = store.READ_S / 3

_log = telemetry.log(__name__)


class Reading:
    """A count of readers for each chunk, told to the database as long as they read."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._readers: Counter[Rendition] = Counter()

    @contextmanager
    def of(self, rendition: Rendition) -> Iterator[None]:
        """The block reads it; `store.use` has protected its beginning."""
        self._readers[rendition] += 1
        try:
            yield
        finally:
            self._readers[rendition] -= 1
            if not self._readers[rendition]:
                del self._readers[rendition]

    async def renew_for_ever(self) -> None:
        """Keeps the protection up."""
        while True:
            await asyncio.sleep(RENEW_EVERY_S)
            try:
                if self._readers:
                    await store.keep_reading(self._db, list(self._readers))
            except (errors.Unavailable, errors.Conflict) as fault:
                _log.warning("readers_not_renewed", readers=len(self._readers), error=fault.message)
