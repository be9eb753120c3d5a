"""Sets of frames as runs: ascending, both ends included, with a gap between neighbours."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

Run = tuple[int, int]


def joined(runs: Iterable[Run]) -> list[Run]:
    """The frames of all runs, which may overlap and come in any order."""
    found: list[Run] = []
    for first, last in sorted(runs):
        if found and first <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(last, found[-1][1]))
        else:
            found.append((first, last))
    return found


def without(runs: Sequence[Run], gone: Sequence[Run]) -> list[Run]:
    """The frames of `runs` that are not among `gone`; both are such sets."""
    left: list[Run] = []
    holes = iter(gone)
    hole = next(holes, None)
    for first, last in runs:
        start = first
        while hole is not None and hole[1] < start:
            hole = next(holes, None)
        while hole is not None and hole[0] <= last:
            if start < hole[0]:
                left.append((start, hole[0] - 1))
            start = hole[1] + 1
            if hole[1] >= last:
                break
            hole = next(holes, None)
        if start <= last:
            left.append((start, last))
    return left


def within(runs: Iterable[Run], first: int, last: int) -> list[Run]:
    """What of the runs lies on the frames `first` to `last`."""
    return [(max(a, first), min(b, last)) for a, b in runs if a <= last and b >= first]


def overlap(one: Sequence[Run], other: Sequence[Run]) -> bool:
    """Whether two such sets share a frame."""
    return without(one, other) != list(one)


def size(runs: Iterable[Run]) -> int:
    """Number of frames."""
    return sum(last + 1 - first for first, last in runs)
