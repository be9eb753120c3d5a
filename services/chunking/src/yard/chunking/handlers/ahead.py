"""Chunks made on demand are made ahead of who reads them, in the direction of reading."""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import UUID

from yard.chunking.build.builder import Builder
from yard.chunking.domain import Form, Media, Quality, Rendition
from yard.chunking.handlers import counting
from yard.runtime import errors, telemetry
from yard.runtime.app import Runtime

if TYPE_CHECKING:
    from yard.chunking.handlers.access import Visible
    from yard.chunking.settings import Settings

MOST_READERS = 1_000
"""Readers that are remembered; one that is forgotten reads forward from where it asks next."""
MOST_AT_ONCE = 16
"""Readers that chunks are being made for, in this process."""

_Key = tuple[str, UUID, Quality, Form]

_log = telemetry.log(__name__)


@dataclass(slots=True, kw_only=True, eq=False)
class _Reader:
    number: int
    wanted: list[Rendition] = field(default_factory=list)
    """What is not begun yet, nearest first."""
    task: "asyncio.Task[None] | None" = None


class ReadAhead:
    """Follows the readers of this process."""

    def __init__(self, runtime: "Runtime[Settings]", builder: Builder) -> None:
        self._runtime = runtime
        self._builder = builder
        self._readers: OrderedDict[_Key, _Reader] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()

    def asked(self, found: "Visible", rendition: Rendition) -> None:
        """Somebody reads a chunk: the next ones are made behind everything that anybody waits for."""
        media = found.media
        distance = self._runtime.settings.read_ahead
        if not distance or media.keeps(rendition) or not media.is_chunk(rendition.frames):
            return
        key = (found.reader, media.id, rendition.quality, rendition.form)
        number = rendition.frames.first // media.chunk_size
        reader = self._readers.get(key)
        step = 1 if reader is None or number >= reader.number else -1
        if reader is None:
            reader = self._readers[key] = _Reader(number=number)
        self._readers.move_to_end(key)
        while len(self._readers) > MOST_READERS:
            self._readers.popitem(last=False)
        reader.number = number
        numbers = range(number + step, number + step * (distance + 1), step)
        self._want(reader, found, [self._at(media, rendition, each) for each in numbers])

    async def close(self) -> None:
        """Begins no more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _want(self, reader: _Reader, found: "Visible", renditions: list[Rendition | None]) -> None:
        wanted = [each for each in renditions if each is not None and found.covers(each.frames)]
        counting.ahead.labels("given_up").inc(len(set(reader.wanted) - set(wanted)))
        reader.wanted = wanted
        if wanted and reader.task is None and len(self._tasks) < MOST_AT_ONCE:
            reader.task = task = asyncio.create_task(self._make(reader, found.media))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _make(self, reader: _Reader, media: Media) -> None:
        """One after the other, as long as nobody waits for a process."""
        try:
            while reader.wanted:
                if self._runtime.workers_waiting:
                    counting.ahead.labels("given_up").inc(len(reader.wanted))
                    reader.wanted = []
                    return
                rendition = reader.wanted.pop(0)
                await self._builder.ensure_run(media, [rendition])
                counting.ahead.labels("made").inc()
        except errors.YardError as fault:  # who asks for that chunk is told
            reader.wanted = []
            _log.info("not_made_ahead", media=str(media.id), reason=fault.reason)
        finally:
            reader.task = None

    @staticmethod
    def _at(media: Media, rendition: Rendition, number: int) -> Rendition | None:
        if not 0 <= number < media.chunk_count:
            return None
        return Rendition(
            media_id=media.id,
            quality=rendition.quality,
            form=rendition.form,
            frames=media.chunk(number),
        )
