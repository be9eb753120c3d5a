"""An object that comes in parts over several calls, processes and days."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from minio import Minio
from minio.datatypes import Part

# ruff: noqa: SLF001 - the S3 client has no public calls for the parts of an upload

Run = Callable[[Callable[[], Any]], Awaitable[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPart:
    """A part as the store has it."""

    number: int
    tag: str
    size_bytes: int


class PartUpload:
    """Parts are safe as soon as `put` returns; the object becomes visible with `complete`, all at once.

    Every part but the last has 5 MiB or more; numbers are 1 to 10,000 and give the order. NotFound once the
    upload was completed or aborted.
    """

    def __init__(self, client: Minio, bucket: str, key: str, run: Run) -> None:
        self._client = client
        self._bucket = bucket
        self._key = key
        self._run = run

    async def begin(self, *, content_type: str = "application/octet-stream") -> str:
        """Id of a new upload, to be kept until `complete` or `abort`."""
        create = self._client._create_multipart_upload
        return str(await self._run(lambda: create(self._bucket, self._key, {"Content-Type": content_type})))

    async def put(self, upload: str, number: int, content: bytes | bytearray) -> str:
        """Stores one part and returns the tag that `complete` asks for."""
        body = cast("bytes", content)  # any bytes-like object works and spares a copy
        send = self._client._upload_part
        return str(await self._run(lambda: send(self._bucket, self._key, body, None, upload, number)))

    async def complete(self, upload: str, parts: Sequence[tuple[int, str]]) -> None:
        """Makes the object of these (number, tag), in order; parts that are not named are dropped."""
        named = [Part(number, tag) for number, tag in parts]
        finish = self._client._complete_multipart_upload
        await self._run(lambda: finish(self._bucket, self._key, upload, named))

    async def stored(self, upload: str, *, after: int = 0, page: int = 1000) -> AsyncIterator[StoredPart]:
        """Parts that the store has, by number, behind number `after`."""
        ask = self._client._list_parts
        last = str(after)
        while True:
            marker = last
            found = await self._run(
                lambda: ask(self._bucket, self._key, upload, page, marker)  # noqa: B023 - at once
            )
            for part in found.parts:
                yield StoredPart(number=part.part_number, tag=part.etag, size_bytes=part.size or 0)
            if not found.is_truncated or not found.parts:
                return
            last = str(found.parts[-1].part_number)

    async def abort(self, upload: str) -> None:
        """Frees all parts."""
        drop = self._client._abort_multipart_upload
        await self._run(lambda: drop(self._bucket, self._key, upload))
