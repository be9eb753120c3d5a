"""Rows of MOTChallenge text as columns, a block of lines at a time; sorted by track in memory."""

import zlib
from collections.abc import Iterator
from types import TracebackType
from typing import BinaryIO, Final, Self

import numpy as np
from numpy.typing import NDArray
from yard.export.archives.refusals import refused
from yard.export.wording.decimal_columns import table_of

Rows = NDArray[np.void]

ROW = np.dtype(
    [
        ("line", "<i8"),
        ("frame", "<i8"),
        ("track", "<i8"),
        ("number", "<i4"),
        ("counts", "?"),
        ("seen", "<f8"),
        ("corners", "<f8", (4,)),
    ]
)
"""Line in the file; relative frame; number of the track; of the class, from 0; whether the box counts; its
visible share; left, top, right, bottom."""
FEWEST, MOST = 7, 10
_BLOCK_BYTES: Final = 1 << 19
_LONGEST_LINE: Final = 4096
_BUCKETS: Final = 256
_MIXING: Final = np.uint64(0x9E3779B97F4A7C15)
_HELD_ROWS: Final = 1 << 20
_PLAIN_BYTES: Final = 64 << 20
_MOST_ROWS: Final = 20_000_000


def tables(file: BinaryIO, name: str) -> Iterator[tuple[int, NDArray[np.float64]]]:
    """Number of the first line and the numbers of some lines, all of one width."""
    line, rest = 1, b""
    while block := file.read(_BLOCK_BYTES):
        whole, newline, rest = (rest + block).rpartition(b"\n")
        if len(rest) > _LONGEST_LINE:
            raise refused(f"{name}:{line + whole.count(10) + 1}", f"has more than {_LONGEST_LINE} characters")
        yield from _table(whole + newline, name, line)
        line += whole.count(b"\n") + len(newline)
    yield from _table(rest, name, line)


def _table(text: bytes, name: str, line: int) -> Iterator[tuple[int, NDArray[np.float64]]]:
    plain = table_of(text.replace(b"\r\n", b"\n")) if text else None
    if plain is not None and FEWEST <= plain.shape[1] <= MOST:
        yield line, plain
        return
    lines = text.splitlines()
    while lines and not lines[-1].strip():
        lines.pop()
    for place, row in enumerate(lines):
        if len(row) > _LONGEST_LINE:
            raise refused(f"{name}:{line + place}", f"has more than {_LONGEST_LINE} characters")
        if not row.strip():
            raise refused(f"{name}:{line + place}", "is empty")
    if lines:
        yield line, _parsed(lines, name, line)


def _parsed(lines: list[bytes], name: str, line: int) -> NDArray[np.float64]:
    try:
        table = np.loadtxt(lines, delimiter=",", comments=None, ndmin=2, encoding="latin-1")
    except (ValueError, OverflowError):
        where, reason = _fault(lines, name, line)
        raise refused(where, reason) from None
    if not FEWEST <= table.shape[1] <= MOST:
        raise refused(f"{name}:{line}", f"has {table.shape[1]} columns, {FEWEST} to {MOST} are needed")
    return table


def _fault(lines: list[bytes], name: str, line: int) -> tuple[str, str]:
    """The first line that is no row like those before it."""
    width = lines[0].count(b",") + 1
    for place, row in enumerate(lines):
        fields = row.split(b",")
        where = f"{name}:{line + place}"
        if len(fields) != width:
            return where, f"has {len(fields)} columns, the first one has {width}"
        for field in fields:
            try:
                float(field)
            except ValueError:
                return where, f"{field[:40].decode('latin-1')!r} is no number"
    return f"{name}:{line}", "holds what is no number"


class Sorter:
    """Takes rows of tracks in any order and gives them back track by track, frames ascending.

    Rows are dealt into 256 piles by their track, of which one is sorted at a time. The process that reads
    has no disk: what goes beyond 64 MiB is packed, to about a quarter.
    """

    def __init__(self, name: str, most_frames: int) -> None:
        self._name = name
        self._most_frames = most_frames
        self._rows = 0
        self._piles: list[list[tuple[bytes, bool]]] = [[] for _ in range(_BUCKETS)]

    def add(self, rows: Rows) -> None:
        """Some more rows; refuses more than 20,000,000."""
        self._rows += len(rows)
        if self._rows > _MOST_ROWS:
            raise refused(self._name, f"has more than {_MOST_ROWS} rows of tracks")
        # Numbers of tracks are spread: they may all be multiples of something.
        piles = (rows["track"].astype(np.uint64) * _MIXING >> np.uint64(56)).astype(np.intp)
        order = np.argsort(piles, kind="stable")
        counts = np.bincount(piles, minlength=_BUCKETS).tolist()
        dealt = rows[order].tobytes()
        is_packed = self._rows * ROW.itemsize > _PLAIN_BYTES
        end = 0
        for pile, count in enumerate(counts):
            if count:
                begin, end = end, end + count * ROW.itemsize
                content = dealt[begin:end]
                self._piles[pile].append((zlib.compress(content, 1) if is_packed else content, is_packed))

    def tracks(self) -> Iterator[Rows]:
        """The rows of each track."""
        while self._piles:
            rows = self._pile(self._piles.pop(0))
            rows = rows[np.lexsort((rows["line"], rows["frame"], rows["track"]))]
            ends = np.flatnonzero(np.diff(rows["track"])) + 1
            yield from (one for one in np.split(rows, ends) if len(one))

    def _pile(self, pieces: list[tuple[bytes, bool]]) -> Rows:
        held: list[Rows] = []
        count = checked = 0
        for content, is_packed in pieces:
            held.append(np.frombuffer(zlib.decompress(content) if is_packed else content, ROW))
            count += len(held[-1])
            if count - checked > _HELD_ROWS:
                checked = count
                self._check(held, count)
        return np.concatenate(held) if held else np.empty(0, ROW)

    def _check(self, held: list[Rows], count: int) -> None:
        """Before memory fills with rows that cannot be tracks."""
        tracks = np.unique(np.concatenate([np.unique(rows["track"]) for rows in held]))
        if count > len(tracks) * self._most_frames:
            raise refused(self._name, f"has tracks with more rows than the {self._most_frames} frames")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._piles.clear()
