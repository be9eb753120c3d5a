"""Outlines of masks, along the edges of their pixels.

Pixels that touch at a corner belong together, so that an outline may pass a corner twice. Only the ends of
runs are looked at: the costs are those of the outline, however large the area is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Outlines:
    """The outer outlines of a mask, as points of polygons from the top down, and how many holes they fill."""

    polygons: list[list[int]]
    holes: int


def outlines(points: Sequence[float]) -> Outlines:
    """Those of a mask that is valid: one polygon for each part that hangs together."""
    left, top, right, _ = (int(number) for number in points[-4:])
    span = right - left + 2
    places, begins = _edges(np.asarray(points[:-4], dtype=np.int64), right - left + 1)
    corners = _corners(places, begins, span)
    down, across = np.divmod(corners.place, span)
    walked, ends, holes = _walked(corners.is_outer.tolist(), _partners(corners, down, across))
    order = np.array(walked, dtype=np.int64)
    numbers = np.stack([across[order] + left, down[order] + top], axis=1).ravel().tolist()
    cuts = [0, *(2 * end for end in ends)]
    return Outlines([numbers[begin:end] for begin, end in pairwise(cuts)], holes)


class _Corners(NamedTuple):
    """Where outlines turn, row by row; a corner that is passed twice is there twice, left turn first."""

    place: Ints
    """Row times span, plus column, of the corner."""
    is_lower: Flags
    """Whether its vertical edge comes behind another one that ends at the same place."""
    is_outer: Flags
    """Whether an outline whose first corner it is, encloses pixels."""


def _edges(runs: Ints, width: int) -> tuple[Ints, Flags]:
    """Vertical edges between pixels, row by row: places, and whether the mask begins there."""
    marks = np.cumsum(runs)
    starts, ends = marks[0::2], marks[1::2]
    starts = starts[: len(ends)]
    filled = ends > starts
    starts, ends = starts[filled], ends[filled]
    # Where runs of no background lie in between, two are one.
    apart = starts[1:] > ends[:-1]
    starts, ends = starts[np.append(True, apart)], ends[np.append(apart, True)]
    first, last = starts // width, (ends - 1) // width
    pieces = last - first + 1
    run = np.repeat(np.arange(len(starts)), pieces)
    nth = np.arange(len(run)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    row = first[run] + nth
    places = np.empty((len(run), 2), dtype=np.int64)
    places[:, 0] = np.where(nth == 0, starts[run] - row * width, 0)
    places[:, 1] = np.where(nth == pieces[run] - 1, ends[run] - row * width, width)
    places += (row * (width + 1))[:, None]
    return places.ravel(), np.tile([True, False], len(run))


def _corners(places: Ints, begins: Flags, span: int) -> _Corners:
    """An edge goes from its place to the one a row below; where just one ends, or two differ, is a corner."""
    ends = places + span
    below = np.minimum(np.searchsorted(places, ends), len(places) - 1)
    meets = places[below] == ends
    crosses = meets & (begins != begins[below])
    is_met = np.zeros(len(places), dtype=np.bool_)
    is_met[below[meets]] = True
    crossed = ends[crosses]
    # What turns left at a crossing comes from below if the mask ends at the edge above.
    left_is_lower = ~begins[crosses]
    place = np.concatenate([places[~is_met], ends[~meets], crossed, crossed])
    side = np.zeros(len(place), dtype=np.int64)
    side[len(place) - len(crossed) :] = 1
    plain = np.zeros(len(place) - 2 * len(crossed), dtype=np.bool_)
    is_lower = np.concatenate([plain, left_is_lower, ~left_is_lower])
    is_outer = np.zeros(len(place), dtype=np.bool_)
    is_outer[: np.count_nonzero(~is_met)] = begins[~is_met]
    order = np.argsort(2 * place + side, kind="stable")
    return _Corners(place[order], is_lower[order], is_outer[order])


def _partners(corners: _Corners, down: Ints, across: Ints) -> list[int]:
    """The other end of the vertical edge of each corner; that of the horizontal one is its neighbour."""
    # One number a corner is sorted several times faster than three.
    height = int(down[-1]) + 1
    order = np.argsort(2 * (across * height + down) + corners.is_lower, kind="stable")
    partners = np.empty(len(order), dtype=np.int64)
    partners[order[0::2]], partners[order[1::2]] = order[1::2], order[0::2]
    found: list[int] = partners.tolist()
    return found


def _walked(is_outer: list[bool], partners: list[int]) -> tuple[list[int], list[int], int]:
    """Corners of outer outlines one after another, where each outline ends, and how many others there are."""
    order: list[int] = []
    ends: list[int] = []
    holes = 0
    seen = bytearray(len(partners))
    for start, outer in enumerate(is_outer):
        if seen[start]:
            continue
        begin, corner = len(order), start
        while not seen[corner]:
            # To the right first, as the first corner of an outline is its top left one.
            seen[corner] = seen[corner ^ 1] = 1
            order += (corner, corner ^ 1)
            corner = partners[corner ^ 1]
        if outer:
            ends.append(len(order))
        else:
            del order[begin:]
            holes += 1
    return order, ends, holes
