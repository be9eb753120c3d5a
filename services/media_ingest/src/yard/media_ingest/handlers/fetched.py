"""The bytes of one URL on their way into the bucket: whole parts are kept, and outlive this process."""

import asyncio
import hashlib
from dataclasses import dataclass, replace
from uuid import UUID

from yard.media.sniff import HEAD_BYTES, sniff
from yard.media_ingest.domain.remote import is_page
from yard.media_ingest.domain.uploads import part_bytes
from yard.media_ingest.handlers.batches import Indexing
from yard.media_ingest.handlers.context import source_prefix
from yard.media_ingest.handlers.counting import received_from_remote
from yard.media_ingest.handlers.gathering import Gathering, OneAtATime
from yard.media_ingest.handlers.remote_packs import RemotePacks
from yard.media_ingest.store import remote as store
from yard.media_ingest.store.remote import RemoteFile
from yard.runtime import errors, ids
from yard.runtime.blobs import Blobs
from yard.runtime.egress import Cut, Refused


@dataclass(slots=True)
class Budget:
    """Bytes that all remote files of media may have."""

    limit: int
    used: int = 0

    def take(self, size: int) -> None:
        """InvalidArgument if it is too much."""
        self.used += size
        if self.used > self.limit:
            raise errors.invalid("data.sources", f"have remote files of more than {self.limit} bytes")


class Fetched:
    """The file of one URL; holds at most two parts in memory. Every row is fenced by the work."""

    def __init__(self, indexing: Indexing, file: RemoteFile, packs: RemotePacks, budget: Budget) -> None:
        self._indexing = indexing
        self._settings = indexing.ingest.settings
        self._file = file
        self._packs = packs
        self._budget = budget
        self._part_bytes = part_bytes(self._settings.remote_max_bytes)
        self._gathering = Gathering()
        self._storing = OneAtATime()
        self._parts: list[tuple[int, str]] = []
        self._head = b""
        self._content_type = ""
        self._hash = None if file.received_bytes else hashlib.sha256()
        self.received = file.received_bytes

    @classmethod
    async def opened(
        cls, indexing: Indexing, digest: bytes, known: RemoteFile | None, packs: RemotePacks, budget: Budget
    ) -> "Fetched":
        """Goes on where an earlier process has ended."""
        fetched = cls(indexing, known or RemoteFile(digest=digest, name=""), packs, budget)
        if known is not None:
            fetched._parts = await store.parts_of(indexing.ingest.db, indexing.media.id, digest)
        return fetched

    @property
    def total(self) -> int | None:
        """Length as the server has said."""
        return self._file.total_bytes

    @property
    def validator(self) -> str:
        """What the server must know the file by, to go on with it."""
        return self._file.validator

    @property
    def is_whole(self) -> bool:
        """Whether all bytes are here."""
        return self.received > 0 and self.received == self.total

    @property
    def fraction(self) -> float:
        """How much is here, 0 to 1; 0 while the length is unknown."""
        return min(1.0, self.received / self.total) if self.total else 0.0

    def begin(self, *, name: str, total: int | None, validator: str, content_type: str) -> None:
        """What an answer says before its first byte."""
        self._file = replace(self._file, name=name, total_bytes=total, validator=validator)
        self._content_type = content_type

    async def take(self, block: bytes) -> None:
        """The next bytes; Refused if they are too many, or a page instead of a file."""
        self._budget.take(len(block))
        received_from_remote.inc(len(block))
        self.received += len(block)
        if self.received > self._settings.remote_max_bytes:
            raise Refused(f"is longer than {self._settings.remote_max_bytes} bytes")
        if len(self._head) < HEAD_BYTES and self._hash is not None:
            self._head += block[: HEAD_BYTES - len(self._head)]
        if self._hash is not None:
            self._hash.update(block)
        self._gathering.add(block)
        if self._gathering.size_bytes >= self._part_bytes:
            await self._storing.settle()
            self._note_kind()
            self._storing.go(self._put_part(self._gathering.take()))

    async def finish(self) -> None:
        """All bytes have come."""
        await self._storing.settle()
        self._note_kind()
        if self._parts:
            await self._join()
        else:
            await self._finish_short()

    async def _finish_short(self) -> None:
        """Images go into packs, other files become objects of their own."""
        self._file = replace(self._file, total_bytes=self.received, received_bytes=self.received)
        if self._file.family == "image":
            content = self._gathering.take()
            sha256 = hashlib.sha256(content).hexdigest()
            await self._packs.add(replace(self._file, sha256=sha256, is_complete=True), content)
        else:
            self._storing.go(self._put_whole())
            await self._storing.settle()

    async def refuse(self, fault: str) -> None:
        """Notes why the file cannot be had, and frees what is stored of it."""
        await self.close()
        self._give_back()
        await self._drop_parts()
        async with self._indexing.work.transaction() as tx:
            await store.forget(tx, self._media_id, self._file.digest)
            refused = RemoteFile(digest=self._file.digest, name=self._file.name, fault=fault)
            await store.keep(tx, self._media_id, [refused])

    async def start_again(self) -> None:
        """Forgets all bytes."""
        await self._storing.settle()
        await self._drop_parts()
        async with self._indexing.work.transaction() as tx:
            await store.forget(tx, self._media_id, self._file.digest)
        self._give_back()
        self._file = RemoteFile(digest=self._file.digest, name=self._file.name)
        self._gathering, self._storing = Gathering(), OneAtATime()
        self._parts, self._head, self._hash = [], b"", hashlib.sha256()

    async def close(self) -> None:
        """Waits for the part that is on its way, whatever becomes of it."""
        await self._storing.ended()

    @property
    def _media_id(self) -> UUID:
        return self._indexing.media.id

    def _give_back(self) -> None:
        self._budget.take(-self.received)
        self.received = 0

    async def _join(self) -> None:
        self._storing.go(self._complete_parts())
        await self._storing.settle()
        if not self._file.is_complete:
            await self.start_again()
            raise Cut("has lost its stored parts")

    def _note_kind(self) -> None:
        """What the first bytes say; what an earlier process has noted stays."""
        if self._hash is None or self._file.family:
            return
        kind = sniff(self._head)
        if kind is not None:
            self._file = replace(self._file, family=kind.family, format=kind.name)
        elif is_page(self._content_type, self._head):
            raise Refused("answers with a web page, not with a file")

    async def _put_part(self, content: bytes) -> None:
        parts = self._indexing.ingest.blobs.in_parts(await self._begun())
        multipart_id = self._multipart_id
        number = len(self._parts) + 1
        part = (number, await parts.put(multipart_id, number, content))
        received = self._file.received_bytes + len(content)
        async with self._indexing.work.transaction() as tx:
            await store.add_part(tx, self._media_id, self._file.digest, part, received=received)
        self._parts.append(part)
        self._file = replace(self._file, received_bytes=received)

    async def _begun(self) -> str:
        """The key of the object; notes its multipart upload before the first part."""
        if self._file.multipart_id is None:
            key = self._new_key()
            multipart_id = await self._indexing.ingest.blobs.in_parts(key).begin()
            self._file = replace(self._file, blob_key=key, multipart_id=multipart_id)
            async with self._indexing.work.transaction() as tx:
                await store.keep(tx, self._media_id, [self._file])
        return self._file.blob_key

    @property
    def _multipart_id(self) -> str:
        assert self._file.multipart_id is not None
        return self._file.multipart_id

    async def _complete_parts(self) -> None:
        """Puts the last part and joins all; a crash may have left the object done and the row behind.

        Completes nothing if the parts are gone: by a store that cleans up.
        """
        blobs, key = self._indexing.ingest.blobs, self._file.blob_key
        parts, named, last = blobs.in_parts(key), list(self._parts), self._gathering.take()
        try:
            if last:
                number = len(named) + 1
                named.append((number, await parts.put(self._multipart_id, number, last)))
            await parts.complete(self._multipart_id, named)
        except errors.NotFound:
            if not await blobs.exists(key) or (await blobs.stat(key)).size != self.received:
                return
        sha256 = self._hash.hexdigest() if self._hash else await self._read_digest()
        await self._keep(replace(self._file, sha256=sha256, received_bytes=self.received, multipart_id=None))

    async def _put_whole(self) -> None:
        """A short file that is no image; one without bytes has no object."""
        file, content = self._file, self._gathering.take()
        if content:
            stored = await self._indexing.ingest.blobs.put(self._new_key(), content)
            file = replace(file, blob_key=stored.key, sha256=stored.sha256)
        await self._keep(file)

    async def _keep(self, file: RemoteFile) -> None:
        self._file = replace(file, is_complete=True)
        async with self._indexing.work.transaction() as tx:
            await store.keep(tx, self._media_id, [self._file])

    async def _read_digest(self) -> str:
        """A file that came to several processes is read once more: the state of a hash cannot be kept."""
        digest = hashlib.sha256()
        async for chunk in self._indexing.ingest.blobs.stream(self._file.blob_key):
            await asyncio.to_thread(digest.update, chunk)
        return digest.hexdigest()

    async def _drop_parts(self) -> None:
        if self._file.multipart_id is not None:
            await free_parts(self._indexing.ingest.blobs, self._file.blob_key, self._file.multipart_id)

    def _new_key(self) -> str:
        """A key of its own for each try, so that processes cannot write over each other."""
        return f"{source_prefix(self._media_id)}{self._file.digest.hex()[:16]}-{ids.uuid7().hex}"


async def free_parts(blobs: Blobs, key: str, multipart_id: str) -> None:
    """Frees the parts of a file that will not be completed, or the object that they have become."""
    try:
        await blobs.in_parts(key).abort(multipart_id)
    except errors.NotFound:
        await blobs.delete(key)
