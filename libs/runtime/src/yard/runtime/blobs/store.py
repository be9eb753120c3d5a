"""The store itself: a synchronous S3 client behind a bounded pool of threads."""

import asyncio
import hashlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, suppress
from datetime import timedelta
from itertools import islice
from typing import TypeVar

import urllib3
from minio import Minio
from minio.datatypes import Object
from minio.deleteobjects import DeleteObject
from yard.runtime import errors
from yard.runtime.blobs.faults import mapped
from yard.runtime.blobs.parts import PartUpload
from yard.runtime.blobs.transfer import Download, Headers, MultipartUpload
from yard.runtime.blobs.values import BlobRef, BlobStat, check_key
from yard.runtime.settings import ProcessSettings

MIB = 1024 * 1024
THREADS = 16
CONNECT_TIMEOUT_S = 5.0
READ_TIMEOUT_S = 30.0
_LIST_PAGE = 1000
_DEFAULT_TYPE = "application/octet-stream"

T = TypeVar("T")


class Blobs:
    """The objects of one bucket; keys are ids and hashes (`check_key`), other keys raise ValueError."""

    def __init__(self, client: Minio, pool: urllib3.PoolManager, bucket: str) -> None:
        self._client = client
        self._pool = pool
        self._bucket = bucket
        self._executor = ThreadPoolExecutor(THREADS, thread_name_prefix="blobs")

    @classmethod
    def connect(cls, settings: ProcessSettings) -> "Blobs":
        """A store for the S3 settings; opens no connection yet."""
        client, pool = s3_client(settings)
        return cls(client, pool, settings.s3_bucket)

    async def ensure_bucket(self) -> None:
        """Makes the bucket unless it exists."""
        if not await self._run("", lambda: self._client.bucket_exists(self._bucket)):
            with suppress(errors.AlreadyExists):  # another process was faster
                await self._run("", lambda: self._client.make_bucket(self._bucket))

    async def close(self) -> None:
        """Waits for running calls, then closes all connections."""
        await asyncio.to_thread(self._executor.shutdown)
        self._pool.clear()

    async def put(
        self, key: str, data: bytes, *, content_type: str = _DEFAULT_TYPE, if_absent: bool = False
    ) -> BlobRef:
        """Writes an object in one call; with `if_absent` raises AlreadyExists instead of replacing one."""
        check_key(key)
        return await self._run(key, lambda: self._put(key, data, content_type, if_absent=if_absent))

    async def put_stream(
        self,
        key: str,
        chunks: AsyncIterator[bytes],
        *,
        content_type: str = _DEFAULT_TYPE,
        part_size: int = 8 * MIB,
    ) -> BlobRef:
        """Writes an object of unknown length with about two parts (>= 5 MiB each) in memory.

        Nothing becomes visible unless all of it does: on any error the upload is aborted. Objects longer than
        a part carry no checksum in the store: keep the returned BlobRef.
        """
        check_key(key)
        async with aclosing(_parts(chunks, part_size)) as parts:
            first = await anext(parts, bytearray())
            if len(first) < part_size:
                return await self.put(key, bytes(first), content_type=content_type)
            return await self._put_parts(key, first, parts, content_type)

    def in_parts(self, key: str) -> PartUpload:
        """The way to write an object whose bytes come over several calls."""
        check_key(key)
        return PartUpload(self._client, self._bucket, key, lambda function: self._run(key, function))

    async def abort_parts(self, prefix: str) -> None:
        """Frees what unfinished uploads in parts hold of objects whose key begins with `prefix`."""
        lists = self._client._list_multipart_uploads  # noqa: SLF001 - as in `parts`
        is_more = True
        while is_more:
            found = await self._run(prefix, lambda: lists(self._bucket, prefix=prefix))
            for upload in found.uploads:
                with suppress(errors.NotFound):
                    await self.in_parts(str(upload.object_name)).abort(str(upload.upload_id))
            is_more = found.is_truncated

    async def get(self, key: str, *, offset: int = 0, length: int | None = None) -> bytes:
        """The bytes of an object or of a range of it, which may end past the object's end."""
        blocks = [block async for block in self.stream(key, offset=offset, length=length, chunk=64 * MIB)]
        return blocks[0] if len(blocks) == 1 else b"".join(blocks)

    async def stream(
        self, key: str, *, offset: int = 0, length: int | None = None, chunk: int = MIB
    ) -> AsyncIterator[bytes]:
        """The bytes in pieces of `chunk`; a whole object that is not what was written ends in DataLoss."""
        check_key(key)
        if length == 0:
            return
        download = await self._open(key, offset, length)
        try:
            while not download.is_done:
                yield await download.read(chunk)
            if offset == 0 and length is None and not download.is_intact:
                raise errors.DataLoss(f"blob {key} is damaged", metadata={"key": key})
        finally:
            download.close()

    async def stat(self, key: str) -> BlobStat:
        """Size, etag and, if it was written in one part, checksum."""
        check_key(key)
        return _stat(await self._run(key, lambda: self._client.stat_object(self._bucket, key)))

    async def exists(self, key: str) -> bool:
        """Whether the object is there."""
        try:
            await self.stat(key)
        except errors.NotFound:
            return False
        return True

    async def delete(self, *keys: str) -> None:
        """Removes objects, any number; absent ones are no error."""
        for key in keys:
            check_key(key)
        if len(keys) == 1:
            await self._run(keys[0], lambda: self._client.remove_object(self._bucket, keys[0]))
        elif keys:
            await self._run("", lambda: self._delete(keys))

    async def list(self, prefix: str) -> AsyncIterator[BlobStat]:
        """All objects whose key begins with `prefix`, in order of keys, a page at a time."""
        found = self._client.list_objects(self._bucket, prefix=prefix, recursive=True)
        while page := await self._run(prefix, lambda: tuple(islice(found, _LIST_PAGE))):
            for item in page:
                yield _stat(item)

    async def presign_get(self, key: str, ttl_s: int = 900) -> str:
        """A URL that reads this object until `ttl_s` from now. It is a secret: never log it."""
        check_key(key)
        return self._client.presigned_get_object(self._bucket, key, timedelta(seconds=ttl_s))

    async def presign_put(self, key: str, ttl_s: int = 900) -> str:
        """A URL that writes this object until `ttl_s` from now. It is a secret: never log it."""
        check_key(key)
        return self._client.presigned_put_object(self._bucket, key, timedelta(seconds=ttl_s))

    def _put(self, key: str, data: bytes, content_type: str, *, if_absent: bool) -> BlobRef:
        sha256 = hashlib.sha256(data).hexdigest()
        headers: Headers = {"Content-Type": content_type, "x-amz-meta-sha256": sha256}
        if if_absent:
            headers["If-None-Match"] = "*"
        # The public put_object takes no headers, and would turn this one into metadata and overwrite.
        self._client._put_object(self._bucket, key, data, headers)  # noqa: SLF001
        return BlobRef(key=key, size_bytes=len(data), sha256=sha256)

    async def _put_parts(
        self, key: str, first: bytearray, parts: AsyncIterator[bytearray], content_type: str
    ) -> BlobRef:
        upload = MultipartUpload(self._client, self._executor, self._bucket, key)
        await upload.start(content_type)
        try:
            await upload.send(first)
            async for part in parts:
                await upload.send(part)
            sha256 = await upload.complete()
        except BaseException:
            await asyncio.shield(upload.abort())
            raise
        return BlobRef(key=key, size_bytes=upload.size_bytes, sha256=sha256)

    async def _open(self, key: str, offset: int, length: int | None) -> Download:
        is_range = offset > 0 or length is not None
        response = await self._run(
            key, lambda: self._client.get_object(self._bucket, key, offset, length or 0)
        )
        download = Download(response, self._executor, key, is_range=is_range)
        if is_range and response.status != 206:
            download.close()
            raise errors.Internal("the object store ignores ranges")
        return download

    def _delete(self, keys: tuple[str, ...]) -> None:
        objects = map(DeleteObject, keys)
        failed = tuple(self._client.remove_objects(self._bucket, objects))
        if failed:
            raise errors.Unavailable(f"{len(failed)} of {len(keys)} blobs could not be deleted")

    async def _run(self, key: str, function: Callable[[], T]) -> T:
        with mapped(key):
            return await asyncio.get_running_loop().run_in_executor(self._executor, function)


async def _parts(chunks: AsyncIterator[bytes], size: int) -> AsyncGenerator[bytearray]:
    """Gathers chunks of any length into buffers of exactly `size`, the last one shorter and never empty."""
    part = bytearray()
    async for chunk in chunks:
        view = memoryview(chunk)
        while view:
            taken = size - len(part)
            part += view[:taken]
            view = view[taken:]
            if len(part) == size:
                yield part
                part = bytearray()
    if part:
        yield part


def _stat(found: Object) -> BlobStat:
    return BlobStat(
        key=found.object_name or "",
        size=found.size or 0,
        etag=found.etag or "",
        sha256=(found.metadata or {}).get("x-amz-meta-sha256", ""),
        modified=found.last_modified,
    )


def s3_client(settings: ProcessSettings) -> tuple[Minio, urllib3.PoolManager]:
    """A client for the S3 settings, and the connections that it keeps."""
    pool = _connection_pool()
    client = Minio(
        settings.s3_endpoint,
        access_key=settings.s3_access_key,
        secret_key=settings.s3_secret_key,
        secure=settings.s3_secure,
        region=settings.s3_region,
        http_client=pool,
    )
    return client, pool


def _connection_pool() -> urllib3.PoolManager:
    """Tries connecting and what is idempotent again, within about two seconds of waiting."""
    retries = urllib3.Retry(
        total=3,
        backoff_factor=0.2,
        status_forcelist=(500, 502, 503, 504),
        allowed_methods=("GET", "HEAD", "PUT", "DELETE"),
        raise_on_status=False,
    )
    timeout = urllib3.Timeout(connect=CONNECT_TIMEOUT_S, read=READ_TIMEOUT_S)
    return urllib3.PoolManager(num_pools=2, maxsize=2 * THREADS, timeout=timeout, retries=retries)
