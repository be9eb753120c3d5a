"""Small images from remote addresses, one behind the other in objects of about a part."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from yard.media_ingest.domain.uploads import PART_BYTES
from yard.media_ingest.handlers.batches import Indexing
from yard.media_ingest.handlers.context import packs_prefix
from yard.media_ingest.handlers.gathering import Gathering, OneAtATime
from yard.media_ingest.store import remote as store
from yard.media_ingest.store.remote import RemoteFile
from yard.runtime import ids


class RemotePacks:
    """Holds one pack in memory; its files have rows once it is stored, so a kill costs one pack at most."""

    def __init__(self, indexing: Indexing) -> None:
        self._indexing = indexing
        self._gathering = Gathering()
        self._files: list[RemoteFile] = []
        self._flushing = asyncio.Lock()
        self._storing = OneAtATime()

    async def add(self, file: RemoteFile, content: bytes) -> None:
        """Appends a complete file."""
        self._files.append(replace(file, blob_offset=self._gathering.size_bytes))
        self._gathering.add(content)
        if self._gathering.size_bytes >= PART_BYTES:
            await self.flush()

    async def flush(self) -> None:
        """Stores what has come; returns when that and all that came before is stored."""
        async with self._flushing:
            await self._storing.settle()  # whoever began it may have been cancelled meanwhile
            if self._files:
                files, self._files = self._files, []
                self._storing.go(self._store(files, self._gathering.take()))
                await self._storing.settle()

    async def close(self) -> None:
        """Waits for the pack that is on its way, whatever becomes of it."""
        await self._storing.ended()

    async def _store(self, files: Sequence[RemoteFile], content: bytes) -> None:
        """Object first, rows second: a row promises that the object is there."""
        media_id = self._indexing.media.id
        key = f"{packs_prefix(media_id)}{ids.uuid7().hex}"
        await self._indexing.ingest.blobs.put(key, content)
        async with self._indexing.work.transaction() as tx:
            await store.keep(tx, media_id, [replace(file, blob_key=key) for file in files])
