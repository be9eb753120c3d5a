"""The writer of packs: small files one behind the other, complete once their pack is stored."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import suppress
from uuid import UUID

from yard.media.sniff import HEAD_BYTES, sniff
from yard.media_ingest.domain.uploads import MOST_PACKED_FILES, PACK_BYTES, PART_BYTES
from yard.media_ingest.handlers.context import Ingest
from yard.media_ingest.handlers.gathering import Gathering, OneAtATime
from yard.media_ingest.handlers.storing import to_the_end
from yard.media_ingest.store import packs as store
from yard.media_ingest.store.packs import AwaitedFile, PackedFile
from yard.runtime import errors, ids

RESCUE_TIMEOUT_S = 30.0
_LARGEST_INLINE = 64 * 1024  # a longer piece is hashed by a thread


class Packer:
    """Packs of one stream; holds at most two parts in memory, and a row for each file of the present pack."""

    def __init__(self, ingest: Ingest, upload_id: UUID) -> None:
        self._ingest = ingest
        self._upload_id = upload_id
        self._pack = _Pack(ingest, upload_id)

    async def add(self, file: AwaitedFile, pieces: AsyncIterator[bytes]) -> None:
        """Appends a whole file; InvalidArgument if it is not what was declared."""
        offset, head, digest = self._pack.size_bytes, b"", hashlib.sha256()
        async for piece in pieces:
            head = head if len(head) >= HEAD_BYTES else head + piece[:HEAD_BYTES]
            await _digest(digest, piece)
            await self._pack.add(piece)
        sha256 = digest.hexdigest()
        _check_digest(file, sha256)
        kind = sniff(head[:HEAD_BYTES])
        family, form = (kind.family, kind.name) if kind else ("", "")
        self._pack.note(
            PackedFile(
                number=file.number,
                generation=file.generation,
                offset=offset,
                sha256=sha256,
                family=family,
                format=form,
            )
        )
        if self._pack.is_full:
            await to_the_end(self.flush())

    async def flush(self) -> None:
        """Stores the present pack with its files; Conflict if one of them is written by another stream."""
        pack, self._pack = self._pack, _Pack(self._ingest, self._upload_id)
        try:
            is_stored = await pack.store()
        except BaseException:
            await pack.drop()
            raise
        if is_stored:
            await self._complete(pack)

    async def rescue(self) -> None:
        """The connection is gone: keeps the files that are whole, for it may take long to come again."""
        async with asyncio.timeout(RESCUE_TIMEOUT_S):
            await self.flush()

    async def _complete(self, pack: "_Pack") -> None:
        """The files are complete now; of those that others have completed the bytes lie here in vain."""
        numbers = [file.number for file in pack.files]
        async with self._ingest.db.transaction() as tx:
            # Files before their upload, as all who write both: nobody waits for each other.
            taken = await store.complete_files(tx, self._upload_id, pack.key, pack.files)
            is_open = await store.is_open_for(tx, self._upload_id, self._ingest.expiry())
            lost = (
                None if taken >= set(numbers) else await store.first_incomplete(tx, self._upload_id, numbers)
            )
            await store.end_pack(tx, pack.key)
        if not taken or not is_open:
            await self._ingest.blobs.delete(pack.key)
        if not is_open:
            raise errors.NotFound("upload", self._upload_id)
        if lost is not None:
            raise replaced(lost)


class _Pack:
    """One object in the making: a short one is written in one piece, a longer one in parts."""

    def __init__(self, ingest: Ingest, upload_id: UUID) -> None:
        self._ingest = ingest
        self._upload_id = upload_id
        self.key = f"uploads/{upload_id}/pack-{ids.uuid7().hex}"
        self.files: list[PackedFile] = []
        self.size_bytes = 0
        self._whole_bytes = 0  # up to the end of the last whole file
        self._gathering = Gathering()
        self._multipart_id: str | None = None
        self._tags: list[tuple[int, str]] = []
        self._parts = OneAtATime()

    @property
    def is_full(self) -> bool:
        """Whether the next file belongs into another pack."""
        return self.size_bytes >= PACK_BYTES or len(self.files) >= MOST_PACKED_FILES

    async def add(self, piece: bytes) -> None:
        """The next bytes; waits while two parts are in memory."""
        self._gathering.add(piece)
        self.size_bytes += len(piece)
        if self._gathering.size_bytes >= PART_BYTES:
            await self._parts.settle()
            self._parts.go(self._put(self._gathering.take()))

    def note(self, file: PackedFile) -> None:
        """The bytes since `file.offset` are a whole file."""
        self.files.append(file)
        self._whole_bytes = self.size_bytes

    async def store(self) -> bool:
        """Makes the object; False if there is no whole file in it, and so no object."""
        await self._parts.settle()
        if not self.files:
            await self.drop()
            return False
        begun = self._gathering.size_bytes - (self.size_bytes - self._whole_bytes)
        rest = self._gathering.take()[: max(0, begun)]
        if self._multipart_id is None:
            await self._ingest.blobs.put(self.key, rest)
            return True
        if rest:
            await self._put(rest)
        await self._ingest.blobs.in_parts(self.key).complete(self._multipart_id, self._tags)
        return True

    async def drop(self) -> None:
        """Frees what is stored of it; what cannot be freed now, the collector will."""
        if self._multipart_id is not None:
            with suppress(errors.YardError):
                await free_pack(self._ingest, self.key, self._multipart_id)

    async def _put(self, part: bytes) -> None:
        parts = self._ingest.blobs.in_parts(self.key)
        if self._multipart_id is None:
            multipart_id = await parts.begin()
            if not await store.begin_pack(self._ingest.db, self._upload_id, self.key, multipart_id):
                await parts.abort(multipart_id)
                raise errors.NotFound("upload", self._upload_id)
            self._multipart_id = multipart_id
        number = len(self._tags) + 1
        self._tags.append((number, await parts.put(self._multipart_id, number, part)))


async def free_pack(ingest: Ingest, key: str, multipart_id: str) -> None:
    """Frees the parts of a pack that will not be completed, or the object that nobody has noted."""
    with suppress(errors.NotFound):
        await ingest.blobs.in_parts(key).abort(multipart_id)
    await ingest.blobs.delete(key)
    await store.end_pack(ingest.db, key)


def replaced(name: str) -> errors.Conflict:
    """Lost to a stream that came later."""
    return errors.Conflict(
        f"{name}: another stream writes this file", reason="UPLOAD_REPLACED", metadata={"file": name}
    )


async def _digest(digest: "hashlib._Hash", piece: bytes) -> None:
    if len(piece) <= _LARGEST_INLINE:
        digest.update(piece)
    else:
        await asyncio.to_thread(digest.update, piece)


def _check_digest(file: AwaitedFile, sha256: str) -> None:
    if file.declared_sha256 not in ("", sha256):
        description = f"{file.name}: expected {file.declared_sha256}, got {sha256}"
        raise errors.invalid(f"files[{file.number}].sha256", description)
