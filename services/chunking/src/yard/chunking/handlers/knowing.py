"""Media and built chunks that this process has looked up a moment ago: reading them again costs no query."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar
from uuid import UUID

from yard.chunking.domain import Media, Rendition
from yard.chunking.store.chunks import READ_S, Built
from yard.chunking.store.media import media_of
from yard.runtime import clock
from yard.runtime.db import Database

MEDIA_CHANGED = "media"
"""The wake-up of those who wait for media to be told of."""

MEDIA_S = 2.0
"""Should a wake-up be lost, media that is deleted answers so much longer."""
BUILT_S = READ_S / 3
"""A use protects a chunk for longer than this, and uses so near to one another count as one."""
MOST = 2_000

K = TypeVar("K")
V = TypeVar("V")


class _Fresh(Generic[K, V]):
    """Values that are younger than a time to live; what was loaded before `clear` is not kept after it."""

    def __init__(self, ttl_s: float) -> None:
        self._ttl_s = ttl_s
        self._values: OrderedDict[K, tuple[float, V]] = OrderedDict()
        self._generation = 0

    def get(self, key: K) -> V | None:
        """The value, if there is one."""
        found = self._values.get(key)
        return found[1] if found is not None and found[0] > clock.monotonic() else None

    async def load(self, key: K, load: Callable[[], Awaitable[V | None]]) -> V | None:
        """The value, asked for if it is not there."""
        if (found := self.get(key)) is not None:
            return found
        generation, asked_at = self._generation, clock.monotonic()
        value = await load()
        if value is not None and generation == self._generation:
            self.put(key, value, asked_at)
        return value

    def put(self, key: K, value: V, since: float) -> None:
        """Keeps a value that was right at a time of the monotonic clock."""
        self._values[key] = since + self._ttl_s, value
        self._values.move_to_end(key)
        while len(self._values) > MOST:
            self._values.popitem(last=False)

    def drop(self, key: K) -> None:
        """Forgets one."""
        self._values.pop(key, None)

    def clear(self) -> None:
        """Forgets all."""
        self._generation += 1
        self._values.clear()


class Knowing:
    """What need not be asked again."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._media: _Fresh[UUID, Media] = _Fresh(MEDIA_S)
        self._built: _Fresh[Rendition, Built] = _Fresh(BUILT_S)

    async def media(self, media_id: UUID) -> Media | None:
        """The media, unless it is deleted."""
        return await self._media.load(media_id, lambda: media_of(self._db, media_id))

    def built(self, rendition: Rendition) -> Built | None:
        """What was used in this process so short a time ago that it cannot have been evicted."""
        return self._built.get(rendition)

    def used(self, rendition: Rendition, built: Built, since: float) -> None:
        """Its use was counted, and it is protected, from a time of the monotonic clock on."""
        self._built.put(rendition, built, since)

    def lost(self, rendition: Rendition) -> None:
        """It is not in the bucket."""
        self._built.drop(rendition)

    async def forget_for_ever(self) -> None:
        """Forgets what has changed, here or in another process."""
        async with self._db.signals.listening(MEDIA_CHANGED) as changed:
            while True:
                await changed.wait()
                changed.clear()
                self._media.clear()
                self._built.clear()
