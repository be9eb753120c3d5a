"""Pixels of a frame as the points of a mask: runs of its tight box, row by row, then the box."""

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


def points_of(pixels: Ints, width: int) -> list[int]:
    """Runs, beginning with background, then left, top, right, bottom, both ends included.

    `pixels` are places in a frame of this width, row by row, ascending; one at least.
    """
    rows, columns = np.divmod(pixels, width)
    top, bottom = int(rows[0]), int(rows[-1])
    left, right = int(columns.min()), int(columns.max())
    places = (rows - top) * (right - left + 1) + columns - left
    breaks = np.flatnonzero(np.diff(places) > 1)
    starts = places[np.concatenate([[0], breaks + 1])]
    ends = places[np.concatenate([breaks, [len(places) - 1]])] + 1
    edges = np.stack([starts, ends], axis=1).ravel()
    runs: list[int] = np.diff(edges, prepend=0).tolist()
    rest = (right - left + 1) * (bottom - top + 1) - int(ends[-1])
    return [*runs, *([rest] if rest else []), left, top, right, bottom]
