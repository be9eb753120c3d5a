"""Run lengths of COCO: pictures column by column, beginning with background, as numbers or as text.

In the text each number is 5 bits a character, from the lowest on, with a bit that says whether more follow;
from the fourth number on it is the difference to the number two before.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
_ZERO, _MORE, _SIGN = 48, 0x20, 0x10
# 35 bits: no picture has longer runs.
_LONGEST = 7
_STRIP = 1 << 22
MOST_RUNS = 100_000 - 4


class RleError(ValueError):
    """What is wrong with run lengths."""


def text_of(counts: Sequence[int]) -> str:
    """The numbers as text."""
    numbers = np.asarray(counts, dtype=np.int64)
    numbers[3:] -= numbers[1:-2].copy()
    chars = np.zeros((len(numbers), _LONGEST), dtype=np.uint8)
    used = np.zeros((len(numbers), _LONGEST), dtype=np.bool_)
    going = np.ones(len(numbers), dtype=np.bool_)
    for place in range(_LONGEST):
        bits = numbers & 0x1F
        numbers >>= 5
        more = going & (numbers != np.where(bits & _SIGN, -1, 0))
        chars[:, place] = bits + _MORE * more + _ZERO
        used[:, place] = going
        going = more
    return chars[used].tobytes().decode("ascii")


def counts_of(text: str) -> Ints:
    """The numbers in a text; raises RleError."""
    try:
        chars = np.frombuffer(text.encode("ascii"), dtype=np.uint8).astype(np.int64) - _ZERO
    except UnicodeEncodeError:
        raise RleError("the text holds characters that are none of run lengths") from None
    if not len(chars):
        return chars
    if int(chars.min()) < 0 or int(chars.max()) > 0x3F:
        raise RleError("the text holds characters that are none of run lengths")
    ends = np.flatnonzero((chars & _MORE) == 0)
    starts = np.concatenate([[0], ends[:-1] + 1])
    if not len(ends) or ends[-1] != len(chars) - 1:
        raise RleError("the text ends within a number")
    lengths = ends - starts + 1
    if int(lengths.max()) > _LONGEST:
        raise RleError("a run is longer than any picture")
    shifts = 5 * (np.arange(len(chars)) - np.repeat(starts, lengths))
    numbers = np.add.reduceat((chars & 0x1F) << shifts, starts)
    numbers -= np.where(chars[ends] & _SIGN, np.int64(1) << (5 * lengths), 0)
    numbers[1::2] = np.cumsum(numbers[1::2])
    numbers[2::2] = np.cumsum(numbers[2::2])
    return numbers


def mask_points(counts: object, size: object, width: int, height: int) -> list[int] | None:
    """The points of a mask with these run lengths; None if it has no pixels; raises RleError.

    `counts` and `size` ([height, width]) are as they stand in a file.
    """
    if size != [height, width]:
        raise RleError(f"its size {str(size)[:40]} is not the frame's [{height}, {width}]")
    runs = counts_of(counts) if isinstance(counts, str) else _given(counts)
    if len(runs) and (int(runs.min()) < 0 or int(runs.max()) > width * height):
        raise RleError("a run is negative or longer than the picture")
    edges = np.cumsum(runs)
    total = int(edges[-1]) if len(edges) else 0
    if total != width * height:
        raise RleError(f"run lengths add up to {total}, the picture has {width * height} pixels")
    starts, ends = edges[0::2], edges[1::2]
    starts = starts[: len(ends)]
    filled = ends > starts
    if not filled.any():
        return None
    return _row_by_row(_Columns(starts[filled], ends[filled], height))


def _given(counts: object) -> Ints:
    if not isinstance(counts, list):
        raise RleError("run lengths must be a list or a text")
    try:
        runs = np.asarray(counts)
    except (ValueError, OverflowError):
        raise RleError("run lengths must be whole numbers") from None
    if len(counts) and (runs.dtype != np.int64 or runs.ndim != 1):
        raise RleError("run lengths must be whole numbers")
    return runs.astype(np.int64)


class _Columns:
    """Runs cut at the ends of columns: column, first row, and the row behind the last."""

    def __init__(self, starts: Ints, ends: Ints, height: int) -> None:
        first, last = starts // height, (ends - 1) // height
        pieces = last - first + 1
        run = np.repeat(np.arange(len(starts)), pieces)
        nth = np.arange(len(run)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
        self.column = first[run] + nth
        self.top = np.where(nth == 0, starts[run] - first[run] * height, 0)
        self.bottom = np.where(nth == pieces[run] - 1, ends[run] - last[run] * height, height)


def _row_by_row(columns: _Columns) -> list[int]:
    """Runs of rows inside the tight box, then the box; a strip of rows at a time, however large it is."""
    left, right = int(columns.column.min()), int(columns.column.max())
    top, bottom = int(columns.top.min()), int(columns.bottom.max())
    width = right - left + 1
    edges = [np.zeros(1, dtype=np.int64)]
    known, last = 0, False
    for upper, pixels in _strips(columns, left, width, top, bottom):
        changes = np.flatnonzero(np.diff(pixels, prepend=last))
        edges.append(changes + (upper - top) * width)
        last = bool(pixels[-1])
        known += len(changes)
        if known > MOST_RUNS:
            raise RleError(f"the mask has more than {MOST_RUNS} runs of pixels")
    edges.append(np.array([width * (bottom - top)]))
    runs: list[int] = np.diff(np.concatenate(edges)).tolist()
    return [*runs, left, top, right, bottom - 1]


def _strips(
    columns: _Columns, left: int, width: int, top: int, bottom: int
) -> Iterator[tuple[int, NDArray[np.bool_]]]:
    rows = max(1, _STRIP // width)
    for upper in range(top, bottom, rows):
        lower = min(bottom, upper + rows)
        inside = (columns.top < lower) & (columns.bottom > upper)
        offset = (columns.column[inside] - left) * (lower - upper)
        marks = np.zeros(width * (lower - upper) + 1, dtype=np.int8)
        # Starts differ from one another, and ends do, but an end may be the start of the next column.
        marks[offset + np.maximum(columns.top[inside] - upper, 0)] += 1
        marks[offset + np.minimum(columns.bottom[inside], lower) - upper] -= 1
        filled = np.cumsum(marks[:-1], dtype=np.int8).astype(np.bool_)
        yield upper, np.ascontiguousarray(filled.reshape(width, lower - upper).T).ravel()
