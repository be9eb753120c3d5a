"""The two transfers that take more than one call: an upload in parts and a streamed download."""

import asyncio
import hashlib
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar, cast

from minio import Minio
from minio.datatypes import Part
from urllib3 import BaseHTTPResponse
from urllib3.exceptions import IncompleteRead
from yard.runtime.blobs.faults import mapped

# ruff: noqa: SLF001 - the S3 client has no public calls for the parts of an upload

Headers = dict[str, str | list[str] | tuple[str]]
T = TypeVar("T")


class MultipartUpload:
    """One upload in parts, in order; at most one part is on its way while the next is being filled."""

    def __init__(self, client: Minio, executor: ThreadPoolExecutor, bucket: str, key: str) -> None:
        self._client = client
        self._executor = executor
        self._bucket = bucket
        self._key = key
        self._upload_id = ""
        self._parts: list[Part] = []
        self._running: asyncio.Task[None] | None = None
        self._hash = hashlib.sha256()
        self.size_bytes = 0

    async def start(self, content_type: str) -> None:
        """Opens the upload; from here on either `complete` or `abort` must follow."""
        headers: Headers = {"Content-Type": content_type}
        self._upload_id = await self._call(
            lambda: self._client._create_multipart_upload(self._bucket, self._key, headers)
        )

    async def send(self, part: bytearray) -> None:
        """Starts sending a part (>= 5 MiB unless it is the last) after the one before has arrived."""
        await self._settle()
        self.size_bytes += len(part)
        self._running = asyncio.create_task(self._call(lambda: self._send(part)))

    async def complete(self) -> str:
        """Makes the object visible and returns its SHA-256 in hex."""
        await self._settle()
        await self._call(
            lambda: self._client._complete_multipart_upload(
                self._bucket, self._key, self._upload_id, self._parts
            )
        )
        return self._hash.hexdigest()

    async def abort(self) -> None:
        """Waits for the part that is on its way, then frees all parts."""
        if self._running is not None:
            await asyncio.wait([self._running])
        await self._call(
            lambda: self._client._abort_multipart_upload(self._bucket, self._key, self._upload_id)
        )

    async def _settle(self) -> None:
        if self._running is not None:
            await self._running
        self._running = None

    def _send(self, part: bytearray) -> None:
        self._hash.update(part)
        number = len(self._parts) + 1
        body = cast("bytes", part)  # any bytes-like object works and spares a copy
        etag = self._client._upload_part(self._bucket, self._key, body, None, self._upload_id, number)
        self._parts.append(Part(number, etag))

    async def _call(self, function: Callable[[], T]) -> T:
        with mapped(self._key):
            return await asyncio.get_running_loop().run_in_executor(self._executor, function)


class Download:
    """An open response whose reads run in the pool; safe to close while a cancelled read still runs.

    Of a range nothing can be checked, so it is not hashed either.
    """

    def __init__(
        self, response: BaseHTTPResponse, executor: ThreadPoolExecutor, key: str, *, is_range: bool
    ) -> None:
        self._response = response
        self._executor = executor
        self._key = key
        self._reading: Future[bytes] | None = None
        self._hash = hashlib.sha256()
        self._left = int(response.headers["content-length"])
        self._sha256_stored = "" if is_range else response.headers.get("x-amz-meta-sha256", "")

    async def read(self, size: int) -> bytes:
        """The next `size` bytes, fewer only at the end."""
        self._reading = self._executor.submit(self._read, size)
        with mapped(self._key):
            return await asyncio.wrap_future(self._reading)

    @property
    def is_done(self) -> bool:
        """Whether all bytes of the response were read."""
        return self._left == 0

    @property
    def is_intact(self) -> bool:
        """Whether what was read so far is what the writer wrote, as far as the store knows."""
        return self._sha256_stored in ("", self._hash.hexdigest())

    def close(self) -> None:
        """Gives the connection back once no read uses it."""
        if self._reading is None:
            self._release()
        else:
            self._reading.add_done_callback(lambda _: self._release())

    def _read(self, size: int) -> bytes:
        block = self._response.read(size, decode_content=False)
        self._left -= len(block)
        if self._sha256_stored:
            self._hash.update(block)
        if not block:
            raise IncompleteRead(0, self._left)
        return block

    def _release(self) -> None:
        self._response.close()
        self._response.release_conn()
