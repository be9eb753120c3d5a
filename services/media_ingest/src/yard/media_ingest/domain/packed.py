"""Given files of which some are copied: where a copy lies is kept as two numbers."""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from yard.media.lazy_sequence import LazySequence
from yard.media_ingest.domain.files import GivenFile, Place
from yard.media_ingest.domain.uploads import MOST_PACKED_FILES, PACK_BYTES

LARGE_BYTES = 16 * 1024 * 1024
"""From this length on a file has an object of its own."""


@dataclass(frozen=True, slots=True)
class SharePack:
    """Files that become one object, by their positions; `first` names it."""

    positions: Sequence[int]
    size_bytes: int

    @property
    def first(self) -> int:
        """Position of the first one."""
        return self.positions[0]


def share_packs(files: Iterable[GivenFile]) -> Iterator[SharePack]:
    """The files of shares, in objects that are the same for equal files, so that all attempts agree."""
    positions, size_bytes = array("Q"), 0
    for position, file in enumerate(files):
        if not file.place.share:
            continue
        if file.size_bytes >= LARGE_BYTES:
            yield SharePack([position], file.size_bytes)
            continue
        positions.append(position)
        size_bytes += file.size_bytes
        if size_bytes >= PACK_BYTES or len(positions) == MOST_PACKED_FILES:
            yield SharePack(positions, size_bytes)
            positions, size_bytes = array("Q"), 0
    if positions:
        yield SharePack(positions, size_bytes)


class CopiedFiles(LazySequence[GivenFile]):
    """The same files; those that were added to it lie in packs, of which `prefix` and the first one tell."""

    def __init__(self, files: Sequence[GivenFile], prefix: str) -> None:
        self._files = files
        self._prefix = prefix
        self._firsts = array("q", [-1]) * len(files)
        self._offsets = array("Q", [0]) * len(files)

    def add(self, pack: SharePack) -> None:
        """All files of the pack are copied, one behind the other."""
        offset = 0
        for position in pack.positions:
            self._firsts[position] = pack.first
            self._offsets[position] = offset
            offset += self._files[position].size_bytes

    def __len__(self) -> int:
        return len(self._files)

    def item(self, number: int) -> GivenFile:
        """A file, where it lies now."""
        file, first = self._files[number], self._firsts[number]
        if first < 0:
            return file
        key, offset = f"{self._prefix}{first}", self._offsets[number]
        return replace(file, place=Place(key=key, offset=offset, size_bytes=file.size_bytes))
