"""Files of a share into the bucket: small ones one behind the other, all in parts that are kept."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from uuid import UUID

from yard.media_ingest.domain.files import GivenFile
from yard.media_ingest.domain.packed import CopiedFiles, SharePack, share_packs
from yard.media_ingest.domain.uploads import PART_BYTES, part_bytes
from yard.media_ingest.handlers.batches import Indexing
from yard.media_ingest.handlers.context import Ingest, index_prefix, packs_prefix
from yard.media_ingest.handlers.gathering import OneAtATime
from yard.media_ingest.handlers.places import Joined, source_of
from yard.runtime import errors

COPIED = 0.5  # the share of copying in the whole progress


async def copied(indexing: Indexing, files: Sequence[GivenFile]) -> Sequence[GivenFile]:
    """The same files, none of them in a share any more; an attempt goes on where the one before ended."""
    prefix = packs_prefix(indexing.media.id)
    there = {found.key async for found in indexing.ingest.blobs.list(prefix)}
    total = await asyncio.to_thread(lambda: sum(file.size_bytes for file in files if file.place.share))
    done = 0
    result = CopiedFiles(files, prefix)
    for pack in share_packs(files):
        key = f"{prefix}{pack.first}"
        if key not in there:
            await indexing.tell(COPIED * done / total, f"{done >> 20} of {total >> 20} MiB are copied")
            await _Copy(indexing, key, pack, [files[position] for position in pack.positions]).run()
        done += pack.size_bytes
        result.add(pack)
    if done:
        indexing.share.add(COPIED)
    return result


async def end_copies(ingest: Ingest, media_id: UUID) -> None:
    """Frees the parts of objects that will not be completed."""
    marks = [mark.key async for mark in ingest.blobs.list(_marks(media_id))]
    for mark in marks:
        upload = (await ingest.blobs.get(mark)).decode()
        key = f"{packs_prefix(media_id)}{mark.rpartition('/')[2]}"
        with suppress(errors.NotFound):
            await ingest.blobs.in_parts(key).abort(upload)


def _marks(media_id: UUID) -> str:
    """Where lie the ids of uploads in parts, by the names of their objects."""
    return f"{index_prefix(media_id)}copy/"


class _Copy:
    """One object in the making; two parts are in memory at most."""

    def __init__(self, indexing: Indexing, key: str, pack: SharePack, files: Sequence[GivenFile]) -> None:
        ingest = indexing.ingest
        self._blobs = ingest.blobs
        self._key = key
        self._mark = f"{_marks(indexing.media.id)}{pack.first}"
        self._size = pack.size_bytes
        self._part_bytes = part_bytes(pack.size_bytes)
        self._content = Joined([source_of(ingest, file.place) for file in files])
        self._tags: list[tuple[int, str]] = []

    async def run(self) -> None:
        """Short objects are written at once."""
        if self._size <= PART_BYTES:
            await self._blobs.put(self._key, await self._content.read(0, self._size))
            return
        parts = self._blobs.in_parts(self._key)
        upload = await self._resumed() or await self._begun()
        storing = OneAtATime()
        try:
            for number in range(len(self._tags) + 1, -(-self._size // self._part_bytes) + 1):
                start = (number - 1) * self._part_bytes
                content = await self._content.read(start, min(self._part_bytes, self._size - start))
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
