"""Files and directories of a share as given files: looked at once, and kept for all further attempts."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass

from frameyard.media.v1.media_pb2 import MediaSource, ShareSource
from yard.media.sniff import HEAD_BYTES, sniff
from yard.media_ingest.domain.columns import SharedFiles
from yard.media_ingest.domain.files import GivenFile
from yard.media_ingest.domain.selecting import Excluded, distinct
from yard.media_ingest.handlers.batches import Indexing
from yard.media_ingest.handlers.context import index_prefix
from yard.runtime import errors
from yard.runtime.shares import Entry, Share, Unusable

PART_FILES = 20_000
"""Files that are looked at again at most, after a kill."""

_MOST_VIOLATIONS = 100
_GONE = "has gone while the share was read"


@dataclass(frozen=True, slots=True)
class _Found:
    """One line of a part: a file by its first bytes, or why it cannot be taken."""

    path: str
    size_bytes: int = 0
    family: str = ""
    format: str = ""
    reason: str = ""
    stamp: int = 0

    def line(self) -> bytes:
        """Without the empty fields at the end."""
        values: list[str | int] = [
            self.path,
            self.size_bytes,
            self.family,
            self.format,
            self.reason,
            self.stamp,
        ]
        while not values[-1]:
            values.pop()
        return json.dumps(values, separators=(",", ":")).encode()


async def share_files(indexing: Indexing, source: MediaSource) -> Sequence[GivenFile]:
    """The files in the order given, directories by whole paths; of what cannot be taken with its trouble.

    InvalidArgument names the paths that are not there. The name of a file is its path in the share.
    """
    number = list(indexing.media.spec.sources).index(source)
    wanted = source.share
    share = _share(indexing, number, wanted)
    listing = _Listing(indexing, number)
    if not await listing.is_complete():
        await _list(indexing, share, wanted, listing, f"data.sources[{number}].share")
    files = SharedFiles(share.name)
    async for part in listing.read():
        for each in part:
            files.add(each.path, each.size_bytes, each.family, each.format, each.reason, stamp=each.stamp)
    return files


def _share(indexing: Indexing, number: int, wanted: ShareSource) -> Share:
    try:
        return indexing.ingest.shares.named(wanted.share)
    except errors.NotFound:
        raise errors.invalid(
            f"data.sources[{number}].share.share", f"{wanted.share[:64]!r} is not a connected share"
        ) from None


class _Listing:
    """What is found of one source, in parts that are objects: a part is there as a whole or not at all."""

    def __init__(self, indexing: Indexing, number: int) -> None:
        self._blobs = indexing.ingest.blobs
        self._prefix = f"{index_prefix(indexing.media.id)}share-{number}/"
        self._parts = 0

    async def is_complete(self) -> bool:
        """Whether an attempt has come to the end; if not, notes how far it has come."""
        keys = [found.key async for found in self._blobs.list(self._prefix)]
        self._parts = sum(key.endswith(".part") for key in keys)
        return f"{self._prefix}done" in keys

    async def read(self) -> AsyncIterator[list[_Found]]:
        """All parts in order."""
        for part in range(self._parts):
            content = await self._blobs.get(self._key(part))
            yield await asyncio.to_thread(_decoded, content)

    async def add(self, found: Sequence[_Found]) -> None:
        """One more part."""
        content = await asyncio.to_thread(lambda: b"\n".join(each.line() for each in found))
        await self._blobs.put(self._key(self._parts), content)
        self._parts += 1

    async def complete(self) -> None:
        """Nothing more is found."""
        await self._blobs.put(f"{self._prefix}done", b"")

    def _key(self, part: int) -> str:
        return f"{self._prefix}{part:06d}.part"


def _decoded(content: bytes) -> list[_Found]:
    return [_Found(*json.loads(line)) for line in content.split(b"\n")]


async def _list(indexing: Indexing, share: Share, wanted: ShareSource, listing: _Listing, field: str) -> None:
    """Goes on behind the last path that is kept."""
    kept, last, most = 0, "", indexing.ingest.settings.media_max_files
    async for part in listing.read():
        kept, last = kept + len(part), part[-1].path
    left: list[_Found] = []
    async for batch in expanded(share, wanted, field, last):
        left += await _sniffed(share, batch)
        if kept + len(left) > most:
            raise errors.invalid(field, f"stands for more than {most} files")
        while len(left) >= PART_FILES:
            await listing.add(left[:PART_FILES])
            kept, left = kept + PART_FILES, left[PART_FILES:]
            await indexing.tell(0.0, f"{kept} files of the share {share.name} are found")
    if left:
        await listing.add(left)
    await listing.complete()


async def expanded(
    share: Share, wanted: ShareSource, field: str, last: str
) -> AsyncIterator[list[Entry | Unusable]]:
    """What is wanted, in order; begins behind the path `last` if there is one."""
    is_out = Excluded(wanted.exclude)
    entries = await _entries(share, wanted, field)
    for entry in _from(entries, last):
        if not entry.is_directory:
            if entry.path != last and not is_out(entry.path):
                yield [entry]
            continue
        is_begun = bool(last) and (not entry.path or last.startswith(f"{entry.path}/"))
        async for batch in share.walk(entry.path):
            yield [
                found for found in batch if not (is_begun and found.path <= last) and not is_out(found.path)
            ]


def _from(entries: Sequence[Entry], last: str) -> Iterator[Entry]:
    """From the one that `last` belongs to; all of them if there is no such path."""
    is_reached = not last
    for entry in entries:
        below = f"{entry.path}/" if entry.path else ""
        is_reached = is_reached or entry.path == last or (entry.is_directory and last.startswith(below))
        if is_reached:
            yield entry


async def _entries(share: Share, wanted: ShareSource, field: str) -> list[Entry]:
    """What lies at the paths that were given; a path of another one's directory adds nothing."""
    stats = await share.stats(wanted.paths)
    violations = [
        errors.Violation(f"{field}.paths[{number}]", f"{path[:256]!r} is not in the share {share.name}")
        for number, (path, found) in enumerate(zip(wanted.paths, stats, strict=True))
        if found is None
    ]
    errors.refuse(violations[:_MOST_VIOLATIONS])
    known = {found.path: found for found in stats if found is not None}
    return [known[path] for path in distinct(list(known))]


async def _sniffed(share: Share, batch: Sequence[Entry | Unusable]) -> list[_Found]:
    """Files by their first bytes; names are never asked."""
    filled = [entry.path for entry in batch if isinstance(entry, Entry) and entry.size_bytes]
    heads = dict(zip(filled, await share.heads(filled, HEAD_BYTES), strict=True))
    return [_found(entry, heads.get(entry.path, b"")) for entry in batch]


def _found(entry: Entry | Unusable, head: bytes | None) -> _Found:
    if isinstance(entry, Unusable):
        return _Found(entry.path, reason=entry.reason)
    if head is None:
        return _Found(entry.path, reason=_GONE)
    kind = sniff(head)
    if kind is None:
        return _Found(entry.path, entry.size_bytes, stamp=entry.stamp)
    return _Found(entry.path, entry.size_bytes, kind.family, kind.name, stamp=entry.stamp)
