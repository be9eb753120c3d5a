"""Files of a share into the bucket: small ones one behind the other, all in parts that are kept."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from uuid import UUID

from yard.media_ingest.domain.files import GivenFile, Place
from yard.media_ingest.domain.uploads import MOST_PACKED_FILES, PACK_BYTES, PART_BYTES, part_bytes
from yard.media_ingest.handlers.batches import Indexing
from yard.media_ingest.handlers.context import Ingest, index_prefix, media_prefix
from yard.media_ingest.handlers.gathering import OneAtATime
from yard.media_ingest.handlers.places import source_of
from yard.runtime import errors
from yard.runtime.workers import RangeSource

COPIED = 0.5  # the share of copying in the whole progress
LARGE_BYTES = 16 * 1024 * 1024
"""From this length on a file has an object of its own."""


@dataclass(frozen=True, slots=True)
class _Pack:
    """Files that become one object, by their positions; `first` names it."""

    positions: Sequence[int]
    size_bytes: int

    @property
    def first(self) -> int:
        return self.positions[0]


async def copied(indexing: Indexing, files: Sequence[GivenFile]) -> list[GivenFile]:
    """The same files, none of them in a share any more; an attempt goes on where the one before ended."""
    prefix = f"{media_prefix(indexing.media.id)}packs/"
    there = {found.key async for found in indexing.ingest.blobs.list(prefix)}
    packs = [*_packs(files)]
    total = sum(pack.size_bytes for pack in packs)
    done = 0
    result = list(files)
    for pack in packs:
        key = f"{prefix}{pack.first}"
        some = [files[position] for position in pack.positions]
        if key not in there:
            await indexing.tell(COPIED * done / total, f"{done >> 20} of {total >> 20} MiB are copied")
            await _Copy(indexing, key, pack, some).run()
        done += pack.size_bytes
        offset = 0
        for position, file in zip(pack.positions, some, strict=True):
            place = Place(key=key, offset=offset, size_bytes=file.size_bytes)
            result[position] = replace(file, place=place)
            offset += file.size_bytes
    return result


async def end_copies(ingest: Ingest, media_id: UUID) -> None:
    """Frees the parts of objects that will not be completed."""
    marks = [mark.key async for mark in ingest.blobs.list(_marks(media_id))]
    for mark in marks:
        upload = (await ingest.blobs.get(mark)).decode()
        key = f"{media_prefix(media_id)}packs/{mark.rpartition('/')[2]}"
        with suppress(errors.NotFound):
            await ingest.blobs.in_parts(key).abort(upload)


def _marks(media_id: UUID) -> str:
    """Where lie the ids of uploads in parts, by the names of their objects."""
    return f"{index_prefix(media_id)}copy/"


def _packs(files: Sequence[GivenFile]) -> Iterator[_Pack]:
    """The same for equal files, so that all attempts agree."""
    positions: list[int] = []
    size_bytes = 0
    for position, file in enumerate(files):
        if not file.place.share:
            continue
        if file.size_bytes >= LARGE_BYTES:
            yield _Pack([position], file.size_bytes)
            continue
        positions.append(position)
        size_bytes += file.size_bytes
        if size_bytes >= PACK_BYTES or len(positions) == MOST_PACKED_FILES:
            yield _Pack(positions, size_bytes)
            positions, size_bytes = [], 0
    if positions:
        yield _Pack(positions, size_bytes)


class _Copy:
    """One object in the making; two parts are in memory at most."""

    def __init__(self, indexing: Indexing, key: str, pack: _Pack, files: Sequence[GivenFile]) -> None:
        ingest = indexing.ingest
        self._blobs = ingest.blobs
        self._key = key
        self._mark = f"{_marks(indexing.media.id)}{pack.first}"
        self._size = pack.size_bytes
        self._part_bytes = part_bytes(pack.size_bytes)
        self._sources: list[RangeSource] = [source_of(ingest, file.place) for file in files]
        self._tags: list[tuple[int, str]] = []

    async def run(self) -> None:
        """Short objects are written at once."""
        if self._size <= PART_BYTES:
            await self._blobs.put(self._key, await self._content(0, self._size))
            return
        parts = self._blobs.in_parts(self._key)
        upload = await self._resumed() or await self._begun()
        storing = OneAtATime()
        try:
            for number in range(len(self._tags) + 1, -(-self._size // self._part_bytes) + 1):
                start = (number - 1) * self._part_bytes
                content = await self._content(start, min(self._size, start + self._part_bytes))
                await storing.settle()
                storing.go(self._put(upload, number, content))
        finally:
            await storing.settle()
        await parts.complete(upload, self._tags)

    async def _begun(self) -> str:
        upload = await self._blobs.in_parts(self._key).begin()
        await self._blobs.put(self._mark, upload.encode())
        return upload

    async def _resumed(self) -> str | None:
        """The upload of an earlier attempt with the parts that it has stored in order."""
        try:
            upload = (await self._blobs.get(self._mark)).decode()
            stored = [part async for part in self._blobs.in_parts(self._key).stored(upload)]
        except errors.NotFound:
            return None
        for part in stored:
            if part.number != len(self._tags) + 1 or part.size_bytes != self._part_bytes:
                break
            self._tags.append((part.number, part.tag))
        return upload

    async def _put(self, upload: str, number: int, content: bytes) -> None:
        self._tags.append((number, await self._blobs.in_parts(self._key).put(upload, number, content)))

    async def _content(self, start: int, end: int) -> bytes:
        """A range over the files one behind the other."""
        reads = []
        place = 0
        for source in self._sources:
            first, last = max(start, place), min(end, place + source.size)
            if first < last:
                reads.append(source.read(first - place, last - first))
            place += source.size
        return b"".join(await asyncio.gather(*reads))
