"""What became of each given file, in one object that is read by pages at constant cost.

Layout: sealed blocks of at most 1,000 results (magic YRES, a JSON text a line), one after the other, the
sealed index of the blocks (magic YRIX, JSON), and a trailer of fixed size that says how long the index is.
"""

import json
import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from yard.media.errors import MediaError
from yard.media.index_block import seal, unseal

Outcome = Literal["taken", "skipped", "refused"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
RESULTS_PER_BLOCK = 1_000
MOST_REASON = 1_000

_BLOCK, _INDEX = b"YRES", b"YRIX"
_TRAILER = struct.Struct("<4sHHQ")
_MAGIC, _VERSION = b"YRET", 1

TRAILER_BYTES = _TRAILER.size
"""Bytes at the end that say where the index lies."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileResult:
    """One given file, member of an archive, folder of a share that is taken as a whole, or URL."""

    name: str
    outcome: Outcome = "taken"
    reason: str = ""
    frames: int = 0
    size_bytes: int = 0
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultBlock:
    """The results from number `first` on by bytes of the object; how many, for each of OUTCOMES."""

    offset: int
    length: int
    first: int
    counts: tuple[int, ...]

    @property
    def end(self) -> int:
        """Number of the result behind the last one."""
        return self.first + sum(self.counts)

    def has(self, outcome: Outcome | None) -> bool:
        """Whether a result with this outcome, or any, is inside."""
        return any(self.counts) if outcome is None else bool(self.counts[OUTCOMES.index(outcome)])


class Encoding:
    """Makes the object piece by piece; holds one block and the index."""

    def __init__(self) -> None:
        self._held: list[FileResult] = []
        self._blocks: list[ResultBlock] = []
        self._offset = 0
        self._first = 0

    def add(self, results: Iterable[FileResult]) -> Iterator[bytes]:
        """Takes results, and gives the blocks that are full."""
        for result in results:
            self._held.append(result)
            if len(self._held) == RESULTS_PER_BLOCK:
                yield self._sealed()

    def end(self) -> Iterator[bytes]:
        """What is left, when no more results come."""
        if self._held:
            yield self._sealed()
        rows = [[block.offset, block.length, block.first, *block.counts] for block in self._blocks]
        index = seal(_INDEX, json.dumps(rows).encode())
        yield index
        yield _TRAILER.pack(_MAGIC, _VERSION, 0, len(index))

    def count(self, outcome: Outcome) -> int:
        """Results with this outcome in finished blocks."""
        return sum(block.counts[OUTCOMES.index(outcome)] for block in self._blocks)

    def _sealed(self) -> bytes:
        content = seal(_BLOCK, b"\n".join(map(_line, self._held)))
        outcomes = [result.outcome for result in self._held]
        counts = tuple(map(outcomes.count, OUTCOMES))
        block = ResultBlock(offset=self._offset, length=len(content), first=self._first, counts=counts)
        self._blocks.append(block)
        self._offset += len(content)
        self._first += len(self._held)
        self._held = []
        return content


def index_range(trailer: bytes, object_size: int) -> tuple[int, int]:
    """Offset and length of the index, from the last `TRAILER_BYTES`."""
    if len(trailer) != TRAILER_BYTES:
        raise MediaError("invalid_media", "the results have no trailer")
    magic, version, _, length = _TRAILER.unpack(trailer)
    offset = object_size - TRAILER_BYTES - length
    if (magic, version) != (_MAGIC, _VERSION) or offset < 0:
        raise MediaError("invalid_media", f"expected results of version 1, got {magic!r} version {version}")
    return offset, length


def decode_index(content: bytes) -> list[ResultBlock]:
    """Where the blocks lie."""
    rows: list[list[int]] = json.loads(unseal(_INDEX, content))
    return [
        ResultBlock(offset=offset, length=length, first=first, counts=tuple(counts))
        for offset, length, first, *counts in rows
    ]


def decode_results(block: bytes) -> list[FileResult]:
    """The results of a block, in order."""
    return [FileResult(**json.loads(line)) for line in unseal(_BLOCK, block).split(b"\n")]


def blocks_from(blocks: Sequence[ResultBlock], first: int, outcome: Outcome | None) -> list[ResultBlock]:
    """Those that hold results from number `first` on with the outcome."""
    return [block for block in blocks if block.end > first and block.has(outcome)]


def _line(result: FileResult) -> bytes:
    fields: dict[str, str | int] = {"name": result.name}
    if result.outcome != "taken":
        fields["outcome"] = result.outcome
    for name in ("reason", "frames", "size_bytes", "url"):
        if value := getattr(result, name):
            fields[name] = value[:MOST_REASON] if name == "reason" else value
    return json.dumps(fields, separators=(",", ":")).encode()
