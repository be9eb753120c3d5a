"""The writer of one file: parts go into a multipart upload of its object, a short rest waits beside it."""

import asyncio
import hashlib
from uuid import UUID

from yard.media.sniff import HEAD_BYTES, sniff
from yard.media_ingest.domain.uploads import LEAST_PART_BYTES, SHA256_OF_NOTHING, may_be_part, part_bytes
from yard.media_ingest.handlers.context import Ingest
from yard.media_ingest.handlers.gathering import Gathering
from yard.media_ingest.handlers.ordering import InOrder
from yard.media_ingest.handlers.quota import check_quota
from yard.media_ingest.handlers.storing import to_the_end
from yard.media_ingest.store import receiving as store
from yard.media_ingest.store.receiving import ReceivedFile
from yard.runtime import auth, errors, ids
from yard.runtime.blobs import PartUpload

RESCUE_TIMEOUT_S = 30.0


class Receiver:
    """The writer of a file from `received_bytes` on; holds four parts, of which two are being stored.

    A part is cut off only when what is left can be a part too, should the stream end there.
    """

    def __init__(self, ingest: Ingest, file: ReceivedFile, writer: UUID, tail: bytes) -> None:
        self._ingest = ingest
        self._file = file
        self._writer = writer
        self._key = file.blob_key or new_key(file)
        self._most = ingest.settings.upload_max_bytes if file.size_unknown else file.size_bytes
        self._part_bytes = part_bytes(self._most)
        self._gathering = Gathering()
        if tail:
            self._gathering.add(tail)
        self._handed = file.received_bytes - len(tail)  # bytes in parts, stored or on their way
        self._charged = file.received_bytes  # counted for the quota, if the length is not known
        self._tail_key = file.tail_key
        self._multipart_id = file.multipart_id
        self._next_part_at_least = file.next_part
        self._hash = self._hash_so_far()
        self._hashing = asyncio.Lock()  # fair, so that parts are hashed in their order
        self._parts: InOrder[tuple[int, str]] = InOrder()

    @property
    def received(self) -> int:
        """Bytes of the file that are here, stored or not."""
        return self._handed + self._gathering.size_bytes

    @property
    def has_part(self) -> bool:
        """Whether a part is here that is not the last one, as far as is known."""
        is_last = self.received == self._file.size_bytes and not self._file.size_unknown
        return self._gathering.size_bytes >= self._part_bytes + LEAST_PART_BYTES and not is_last

    def take(self, content: bytes) -> None:
        """The next bytes; InvalidArgument if they are more than were declared, or than a file may have."""
        if self.received + len(content) > self._most:
            bound = "may have at most" if self._file.size_unknown else "was declared with"
            raise errors.invalid("content", f"{self._file.name} {bound} {self._most} bytes, more have come")
        self._gathering.add(content)

    async def store_part(self) -> None:
        """Begins to store a part of what has come, once there is room."""
        await self._parts.room()
        await self._check_quota()
        await self._begin_part(self._part_bytes)

    async def _begin_part(self, size_bytes: int) -> None:
        number = await to_the_end(self._number_of_part())
        part, start = self._gathering.take_first(size_bytes), self._handed
        self._handed = end = start + len(part)

        async def note(stored: tuple[int, str]) -> None:
            await self._note(stored, start, end)

        self._parts.go(self._store(number, part, start), note)

    async def finish(self, end: int | None) -> ReceivedFile:
        """The stream has ended: the file is complete, or goes on another time. Returns it as it is now.

        `end` is the length of the file if the stream has told it; else it may have been cut.
        """
        await self._parts.settle()
        self._check_end(end)
        await self._check_quota()
        is_whole = end is not None if self._file.size_unknown else self.received == self._file.size_bytes
        if is_whole and not self._file.is_complete:
            await self._complete()
        elif self.received > self._file.received_bytes:
            await self._keep_rest()
        caller = auth.current().subject
        found = await store.find(self._ingest.db, self._file.upload_id, self._file.number, caller)
        if found is None:
            raise errors.NotFound("upload", self._file.upload_id)
        return found[0]

    async def rescue(self) -> None:
        """The connection is gone: keeps the rest, for it may take long to come again."""
        async with asyncio.timeout(RESCUE_TIMEOUT_S):
            await self._parts.settle()
            await self._keep_tail()
            self._keep_digest()

    def _hash_so_far(self) -> "hashlib._Hash | None":
        if self._handed == 0:
            return hashlib.sha256()
        multipart_id = self._multipart_id
        return None if multipart_id is None else self._ingest.digests.take(multipart_id, self._handed)

    def _keep_digest(self) -> None:
        """For the next stream, if that comes to this process; all parts are noted."""
        if self._hash is not None and self._multipart_id is not None:
            self._ingest.digests.keep(self._multipart_id, self._handed, self._hash)

    def _check_end(self, end: int | None) -> None:
        size = self.received if self._file.size_unknown else self._file.size_bytes
        if end is not None and not end == size == self.received:
            description = f"{self._file.name}: {end} bytes are told, {self.received} of {size} have come"
            raise errors.invalid("end.size_bytes", description)

    async def _check_quota(self) -> None:
        """Of what was not declared; streams at the same time may exceed it by a part each."""
        if self._file.size_unknown:
            await check_quota(
                self._ingest, self._ingest.db, auth.current().subject, self.received - self._charged
            )

    def _growth(self, received: int) -> store.Growth:
        charge = received - self._charged if self._file.size_unknown else 0
        self._charged = received
        return store.Growth(received=received, charge=charge, expires_at=self._ingest.expiry())

    async def _store(self, number: int, part: bytes, start: int) -> tuple[int, str]:
        # The digest waits for nothing else: a part that comes later must not be hashed before this one.
        tag, _, _ = await asyncio.gather(
            self._put(number, part), self._digest(part), self._note_kind(part, start)
        )
        return number, tag

    async def _note(self, stored: tuple[int, str], start: int, end: int) -> None:
        number, tag = stored
        self._fence(
            await store.add_part(
                self._ingest.db,
                self._file,
                self._writer,
                (number, end - start, tag),
                self._growth(end),
            )
        )
        await self._drop_tail()

    async def _number_of_part(self) -> int:
        """A part number that nobody else gets, of a multipart upload that has begun."""
        if self._multipart_id is None:
            self._multipart_id = await self._begin_parts(self._ingest.blobs.in_parts(self._key))
        number = await store.next_part(self._ingest.db, self._file, self._writer)
        if number is None:
            raise replaced(self._file)
        self._next_part_at_least = number + 1
        return number

    async def _put(self, number: int, part: bytes) -> str:
        assert self._multipart_id is not None
        return await self._ingest.blobs.in_parts(self._key).put(self._multipart_id, number, part)

    async def _begin_parts(self, parts: PartUpload) -> str:
        multipart_id = await parts.begin()
        if not await store.begin_parts(self._ingest.db, self._file, self._writer, self._key, multipart_id):
            await parts.abort(multipart_id)
            raise replaced(self._file)
        return multipart_id

    async def _keep_rest(self) -> None:
        """Stores what lies behind the last part, as another one or beside it."""
        size, left = self._gathering.size_bytes, self._most - self.received
        if may_be_part(size, self._next_part_at_least, left, self._most):
            await self._begin_part(size)
            await self._parts.settle()
        else:
            await self._keep_tail()
        self._keep_digest()

    async def _keep_tail(self) -> None:
        """Stores what lies behind the last part."""
        start, received, tail = self._handed, self.received, self._gathering.take()
        if not tail:
            return
        if start == 0:
            await self._note_kind(tail)
        key = new_key(self._file)
        await self._ingest.blobs.put(key, tail)
        is_kept = await store.keep_tail(
            self._ingest.db,
            self._file,
            self._writer,
            key,
            self._growth(received),
        )
        if is_kept:
            await self._drop_tail()
        else:
            await self._ingest.blobs.delete(key)
        self._fence(is_kept)

    async def _drop_tail(self) -> None:
        """What an earlier stream has left behind the last part is stored in another place now."""
        if self._tail_key is not None:
            key, self._tail_key = self._tail_key, None
            await self._ingest.blobs.delete(key)

    async def _complete(self) -> None:
        size = self.received
        key, sha256 = await self._put_all(size)
        if self._file.declared_sha256 not in ("", sha256):
            await self._start_again()
            description = f"{self._file.name}: expected {self._file.declared_sha256}, got {sha256}"
            raise errors.invalid(f"files[{self._file.number}].sha256", description)
        is_ours = await store.complete(
            self._ingest.db,
            self._file,
            self._writer,
            key,
            sha256,
            self._growth(size),
        )
        if not is_ours and self._multipart_id is None and key is not None:
            await self._ingest.blobs.delete(key)  # nobody else knows of it
        self._fence(is_ours)
        await self._drop_tail()

    async def _put_all(self, size: int) -> tuple[str | None, str]:
        """Makes the object; returns its key, which a file without bytes has none of, and the digest."""
        if size == 0:
            return None, SHA256_OF_NOTHING
        if self._multipart_id is not None:
            return self._key, await self._complete_parts(size)
        content = self._gathering.take()
        await self._note_kind(content)
        return self._key, (await self._ingest.blobs.put(self._key, content)).sha256

    async def _complete_parts(self, size: int) -> str:
        """Puts the last part and joins all; a crash may have left the object done and the row behind."""
        assert self._multipart_id is not None
        last = self._gathering.take()
        try:
            parts = await store.parts(self._ingest.db, self._file)
            if last:
                parts.append(await self._store(await self._number_of_part(), last, self._handed))
            await self._ingest.blobs.in_parts(self._key).complete(self._multipart_id, parts)
        except errors.NotFound:
            return await self._adopt(size)
        return self._hash.hexdigest() if self._hash else await self._read_digest()

    async def _adopt(self, size: int) -> str:
        """The multipart upload has ended already: by our own completion, or by a store that cleans up."""
        if await self._ingest.blobs.exists(self._key):
            found = await self._ingest.blobs.stat(self._key)
            if found.size == size:
                return await self._read_digest()
        await self._start_again()
        raise errors.Conflict(f"{self._file.name}: the stored parts are gone, it starts from 0 again")

    async def _start_again(self) -> None:
        await store.start_again(self._ingest.db, self._file, self._writer)
        await self._ingest.blobs.delete(self._key)
        await self._drop_tail()

    async def _note_kind(self, head: bytes, start: int = 0) -> None:
        """What the first part says; later ones say nothing."""
        if start:
            return
        kind = sniff(head[:HEAD_BYTES])
        family, form = (kind.family, kind.name) if kind else ("", "")
        await store.note_kind(self._ingest.db, self._file, self._writer, family, form)

    async def _digest(self, part: bytes) -> None:
        if self._hash is not None:
            async with self._hashing:
                await asyncio.to_thread(self._hash.update, part)

    async def _read_digest(self) -> str:
        """A file that came in several streams is read once more, for the state of a hash cannot be kept."""
        digest = hashlib.sha256()
        async for chunk in self._ingest.blobs.stream(self._key):
            await asyncio.to_thread(digest.update, chunk)
        return digest.hexdigest()

    def _fence(self, is_ours: bool) -> None:
        if not is_ours:
            raise replaced(self._file)


def replaced(file: ReceivedFile) -> errors.Conflict:
    """Lost to a stream that came later."""
    return errors.Conflict(
        f"{file.name}: another stream writes this file",
        reason="UPLOAD_REPLACED",
        metadata={"file": file.name},
    )


def new_key(file: ReceivedFile) -> str:
    """A key of its own for each try, so that streams cannot write over each other."""
    return f"uploads/{file.upload_id}/{file.number}-{ids.uuid7().hex}"
