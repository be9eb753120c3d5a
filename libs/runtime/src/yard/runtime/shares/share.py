"""One share as callers see it, with threads of its own: a share that hangs holds up nobody else."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice
from typing import Protocol, TypeVar

from yard.runtime import errors
from yard.runtime.shares.values import Children, Entry, Key, Page, Piece, Unusable, Wanted, checked

THREADS = 8
ANSWER_S = 60.0
LISTING_S = 600.0
WALK_BATCH = 1_000

FILE_GONE = "SHARE_FILE_GONE"
"""Reason of the error that says that a file is not in a share any more."""

T = TypeVar("T")


class Tree(Protocol):
    """What a kind of share does, in a thread; paths are checked already."""

    def page(self, directory: str, wanted: Wanted, after: Key | None, limit: int) -> Page:
        """One page of one directory."""
        ...

    def children(self, directory: str) -> Children:
        """All of one directory."""
        ...

    def stat(self, path: str) -> Entry:
        """One entry."""
        ...

    def read(self, path: str, offset: int, length: int) -> Piece:
        """A range of one file."""
        ...


class Share:
    """A read-only tree; NotFound for what is not there or lies outside, Unavailable if it does not answer."""

    def __init__(self, name: str, tree: Tree) -> None:
        self.name = name
        self._tree = tree
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix=f"share-{name}")

    async def page(self, directory: str, wanted: Wanted, after: Key | None, limit: int) -> Page:
        """The entries of a directory that follow `after`, directories first, each part by name."""
        path = checked(directory)
        return await self._run(lambda: self._tree.page(path, wanted, after, limit), LISTING_S)

    async def stat(self, path: str) -> Entry:
        """A file or directory."""
        bare = checked(path)
        return await self._run(lambda: self._tree.stat(bare))

    async def walk(self, directory: str) -> AsyncIterator[list[Entry | Unusable]]:
        """All files below a directory, and what cannot be taken, in batches by code points of whole paths.

        Memory grows with the largest directory (about 100 bytes an entry), not with the tree.
        """
        found = self._walk(checked(directory))
        while batch := await self._run(lambda: list(islice(found, WALK_BATCH)), LISTING_S):
            yield batch

    async def stats(self, paths: Sequence[str]) -> list[Entry | None]:
        """What lies at many paths; None for what is not there."""
        return await self._each(self._stat, paths)

    async def heads(self, paths: Sequence[str], length: int) -> list[bytes | None]:
        """The first bytes of many files; None for what is not there."""
        return await self._each(lambda path: self._head(path, length), paths)

    async def read(self, path: str, offset: int, length: int) -> Piece:
        """A range of a file, shorter only at its end."""
        bare = checked(path)
        return await self._run(lambda: self._tree.read(bare, offset, length))

    def source(self, path: str, size_bytes: int, stamp: int = 0) -> "ShareFile":
        """A file of a known length and stamp, to be read by range; it is opened when it is read."""
        return ShareFile(self, path, size_bytes, stamp)

    def close(self) -> None:
        """Waits for nobody: a mount that hangs would keep us."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _walk(self, directory: str) -> Iterator[Entry | Unusable]:
        waiting = [self._tree.children(directory).ordered(directory)]
        while waiting:
            found = next(waiting[-1], None)
            if found is None:
                waiting.pop()
            elif isinstance(found, Entry) and found.is_directory:
                waiting.append(self._children_below(found.path).ordered(found.path))
            else:
                yield found

    def _children_below(self, directory: str) -> Children:
        """A directory that went while others were read has no entries."""
        try:
            return self._tree.children(directory)
        except errors.NotFound:
            return Children()

    def _stat(self, path: str) -> Entry | None:
        try:
            return self._tree.stat(checked(path))
        except errors.NotFound:
            return None

    def _head(self, path: str, length: int) -> bytes | None:
        try:
            return self._tree.read(checked(path), 0, length).content
        except errors.NotFound:
            return None

    async def _each(self, function: Callable[[str], T], paths: Sequence[str]) -> list[T]:
        """All threads at once: each answer may come from afar."""
        parts = [paths[number::THREADS] for number in range(min(THREADS, len(paths)))]
        done = await asyncio.gather(
            *(self._run(partial(_mapped, function, part), LISTING_S) for part in parts)
        )
        return [done[number % THREADS][number // THREADS] for number in range(len(paths))]

    async def _run(self, function: Callable[[], T], timeout_s: float = ANSWER_S) -> T:
        running = asyncio.get_running_loop().run_in_executor(self._threads, function)
        try:
            async with asyncio.timeout(timeout_s):
                return await running
        except TimeoutError:
            raise errors.Unavailable(
                f"the share {self.name} does not answer", metadata={"share": self.name}
            ) from None


def _mapped(function: Callable[[str], T], paths: Sequence[str]) -> list[T]:
    return [function(path) for path in paths]


class ShareFile:
    """A file of a share for jobs: each read notices that it has gone or changed, and names it."""

    def __init__(self, share: Share, path: str, size_bytes: int, stamp: int = 0) -> None:
        self._share = share
        self._path = path
        self._size = size_bytes
        self._stamp = stamp
        self._version = ""

    @property
    def size(self) -> int:
        """Bytes in all, as they were when the file was found."""
        return self._size

    async def read(self, offset: int, length: int) -> bytes:
        """The range; Unavailable if the file is gone, FailedPrecondition if it is not what it was."""
        try:
            piece = await self._share.read(self._path, offset, length)
        except errors.NotFound:
            raise gone(self._path, self._share.name) from None
        is_same = piece.size_bytes == self._size and self._version in ("", piece.version)
        is_same = is_same and (self._stamp == piece.stamp or 0 in (self._stamp, piece.stamp))
        if not is_same or len(piece.content) != length:
            raise errors.FailedPrecondition(
                f"{self._path} in the share {self._share.name} has changed since it was found",
                reason="SHARE_FILE_CHANGED",
                metadata={"file": self._path, "share": self._share.name},
            )
        self._version = piece.version
        return piece.content


def gone(path: str, share: str) -> errors.Unavailable:
    """What is said of a file that was there once, and may be there again."""
    return errors.Unavailable(
        f"{path} is not in the share {share} any more",
        reason=FILE_GONE,
        metadata={"file": path, "share": share},
    )
