"""Which of many boxes come near each other, without looking at every pair."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_MOST_CANDIDATES = 1 << 19
_SLACK = 1e-3


def envelopes(boxes: Floats) -> Floats:
    """Left, top, right, bottom (..., 4) of boxes (..., 5); of rotated ones a square around their circle."""
    upright: Floats = boxes[..., :4]
    turned = boxes[..., 4] != 0
    if not turned.any():
        return upright
    centre = (upright[..., :2] + upright[..., 2:]) / 2
    radius = np.hypot(*np.moveaxis(upright[..., 2:] - upright[..., :2], -1, 0))[..., None] / 2
    around = np.concatenate([centre - radius, centre + radius], axis=-1)
    return np.where(turned[..., None], around, upright)


def meeting(
    rows: Floats, row_group: Ints, columns: Floats, column_group: Ints
) -> Iterator[tuple[Ints, Ints]]:
    """Places of envelopes of the same group that touch, in portions of bounded size.

    Columns are sorted by their left edge; for each row only the run of them is looked at that begins within
    the widest column before it and its right edge. Groups are numbers from 0.
    """
    if not len(rows) or not len(columns):
        return
    least = min(rows[:, 0].min(), columns[:, 0].min())
    widest = float((columns[:, 2] - columns[:, 0]).max())
    # Groups lie side by side on one axis, further apart than anything in them reaches.
    span = max(rows[:, 2].max(), columns[:, 2].max()) - least + widest + 1
    order = np.lexsort((columns[:, 0], column_group))
    begins = columns[order, 0] - least + column_group[order] * span
    base = row_group * span - least
    low = np.searchsorted(begins, rows[:, 0] + base - widest - _SLACK, side="left")
    high = np.searchsorted(begins, rows[:, 2] + base + _SLACK, side="right")
    for part in _portions(high - low):
        counts = (high - low)[part]
        row = np.repeat(np.arange(part.start, part.stop), counts)
        ends = np.cumsum(counts)
        column = order[np.arange(len(row)) + np.repeat(low[part] - (ends - counts), counts)]
        touching = (
            (row_group[row] == column_group[column])
            & (rows[row, 0] <= columns[column, 2])
            & (rows[row, 1] <= columns[column, 3])
            & (rows[row, 3] >= columns[column, 1])
            & (rows[row, 2] >= columns[column, 0])
        )
        yield row[touching], column[touching]


def _portions(counts: Ints) -> Iterator[slice]:
    """Runs of rows with at most so many candidates together, or a single row."""
    ends = np.cumsum(counts)
    begin = 0
    while begin < len(counts):
        done = int(ends[begin - 1]) if begin else 0
        end = max(begin + 1, int(np.searchsorted(ends, done + _MOST_CANDIDATES, side="right")))
        yield slice(begin, end)
        begin = end
