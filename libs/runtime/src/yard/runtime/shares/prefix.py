"""Objects below a prefix of a bucket as a share: slashes in their keys make directories."""

import heapq
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from typing import TypeVar

from minio import Minio
from minio.datatypes import Object
from urllib3 import BaseHTTPResponse
from yard.runtime import errors
from yard.runtime.blobs.faults import mapped
from yard.runtime.shares.values import (
    Children,
    Entry,
    Key,
    Page,
    Piece,
    Wanted,
    absent,
    is_plain,
    joined,
    stamp_of,
)

T = TypeVar("T")


class Prefix:
    """`prefix` is empty or ends in "/": "a/" never shows what lies in "ab/". Only reads are ever sent."""

    def __init__(self, client: Minio, bucket: str, prefix: str) -> None:
        self._client = client
        self._bucket = bucket
        self._prefix = prefix

    def page(self, directory: str, wanted: Wanted, after: Key | None, limit: int) -> Page:
        """The entries that follow the key `after`; to find all directories it goes through all objects."""
        found: list[Entry] = []
        if wanted.directories and (after is None or after[0] == 0):
            found = self._directories(directory, wanted, after, limit + 1)
        if wanted.files and len(found) <= limit:
            last = after[1] if after is not None and after[0] == 1 else ""
            found += self._files(directory, wanted, last, limit + 1 - len(found))
        if not found and after is None:
            self._refuse_absent(directory)
        rest = found[limit - 1].key if len(found) > limit else None
        return Page(entries=tuple(found[:limit]), rest=rest)

    def children(self, directory: str) -> Children:
        """All entries; objects whose keys cannot be paths are not usable."""
        children = Children()
        for item in self._listed(directory):
            name = self._name(item, directory)
            if not is_plain(name.removesuffix("/")):
                children.leave(name.replace("\0", "?").strip("/"), "has a name that cannot be a path")
            elif item.is_dir:
                children.add(name)
            else:
                modified_ns = _nanoseconds(item.last_modified)
                children.add(name, item.size or 0, modified_ns, stamp_of(_bare(item.etag)))
        if not len(children):
            self._refuse_absent(directory)
        return children

    def stat(self, path: str) -> Entry:
        """A file or directory; NotFound for everything else."""
        if path:
            try:
                found = self._run(path, lambda: self._client.stat_object(self._bucket, self._prefix + path))
            except errors.NotFound:
                pass
            else:
                return self._entry(found, path)
        self._refuse_absent(path)
        return Entry(path=path, is_directory=True)

    def read(self, path: str, offset: int, length: int) -> Piece:
        """A range, shorter only at the end of the file."""

        def read() -> Piece:
            response = self._client.get_object(self._bucket, self._prefix + path, offset, length)
            with closing(response):
                content = response.read()
                response.release_conn()
            version = response.headers.get("etag", "")
            size_bytes, stamp = _whole_size(response), stamp_of(_bare(version))
            return Piece(content=content, size_bytes=size_bytes, version=version, stamp=stamp)

        try:
            return self._run(path, read)
        except errors.OutOfRange:
            entry = self.stat(path)
            return Piece(content=b"", size_bytes=entry.size_bytes, version="")

    def _directories(self, directory: str, wanted: Wanted, after: Key | None, limit: int) -> list[Entry]:
        """In order of their names, which is not that of their keys: "a-b/" comes before "a/" in a bucket."""
        names = (
            self._name(item, directory).removesuffix("/")
            for item in self._listed(directory, wanted.name_prefix)
            if item.is_dir
        )
        found = heapq.nsmallest(
            limit, (name for name in names if is_plain(name) and (after is None or name > after[1]))
        )
        return [Entry(path=joined(directory, name), is_directory=True) for name in found]

    def _files(self, directory: str, wanted: Wanted, last: str, limit: int) -> list[Entry]:
        found: list[Entry] = []
        for item in self._listed(directory, wanted.name_prefix, last):
            name = self._name(item, directory)
            if item.is_dir or not is_plain(name) or name <= last:
                continue
            if wanted.takes_name(name, is_directory=False) and wanted.takes_length(item.size or 0):
                found.append(self._entry(item, joined(directory, name)))
            if len(found) == limit:
                break
        return found

    def _listed(self, directory: str, name_prefix: str = "", last: str = "") -> Iterator[Object]:
        """Objects and directories right below a directory, but for the mark that makes it one."""
        base = self._base(directory)
        found = self._client.list_objects(
            self._bucket, prefix=base + name_prefix, start_after=base + last if last else None
        )
        with _told(directory):
            for item in found:
                if item.object_name != base:
                    yield item

    def _refuse_absent(self, directory: str) -> None:
        """A directory is there if anything lies below it; the root of the share always is."""
        found = self._client.list_objects(self._bucket, prefix=self._base(directory), recursive=True)
        with _told(directory):
            is_there = next(iter(found), None) is not None
        if directory and not is_there:
            raise absent(directory)

    def _base(self, directory: str) -> str:
        return f"{self._prefix}{directory}/" if directory else self._prefix

    def _name(self, item: Object, directory: str) -> str:
        return (item.object_name or "").removeprefix(self._base(directory))

    def _entry(self, item: Object, path: str) -> Entry:
        return Entry(
            path=path,
            is_directory=False,
            size_bytes=item.size or 0,
            modified_ns=_nanoseconds(item.last_modified),
            stamp=stamp_of(_bare(item.etag)),
        )

    def _run(self, path: str, function: Callable[[], T]) -> T:
        try:
            with _told(path):
                return function()
        except errors.NotFound:
            raise absent(path) from None


@contextmanager
def _told(path: str) -> Iterator[None]:
    """A bucket that is not there, or not ours to read, may be so later."""
    try:
        with mapped(path):
            yield
    except errors.Internal as fault:
        metadata = {**fault.metadata, "file": path}
        raise errors.Unavailable(f"{path or 'the share'} cannot be read", metadata=metadata) from fault


def _bare(etag: str | None) -> str:
    """As it is in listings: without the quotes of headers."""
    return (etag or "").strip('"')


def _nanoseconds(moment: datetime | None) -> int:
    return 0 if moment is None else int(moment.timestamp() * 1_000) * 1_000_000


def _whole_size(response: BaseHTTPResponse) -> int:
    """Of a range, the length behind the slash of "bytes 0-9/1234"."""
    whole = response.headers.get("content-range", "").rpartition("/")[2]
    if not whole.isdigit():
        raise errors.Internal("the object store ignores ranges")
    return int(whole)
