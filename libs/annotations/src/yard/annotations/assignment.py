"""Optimal assignment where few of all pairs come into question."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Pair = tuple[int, int]

_TIE = 1e-9
"""What being alike counts: less than any difference of similarity that means something."""


def assigned(left: Ints, right: Ints, similarity: Floats, is_alike: Callable[[int, int], bool]) -> list[Pair]:
    """Of the pairs (left, right) those with the largest sum in which each object occurs at most once.

    Where several choices are equally good, pairs that are alike are preferred. Each set of objects that hang
    together is solved alone, so that the time depends on how crowded places are and not on all objects.
    """
    if not len(left):
        return []
    lonely = (np.bincount(left)[left] == 1) & (np.bincount(right)[right] == 1)
    pairs = list(zip(left[lonely].tolist(), right[lonely].tolist(), strict=True))
    crowded = ~lonely
    if crowded.any():
        pairs += _of_crowds(left[crowded], right[crowded], similarity[crowded], is_alike)
    return sorted(pairs)


def _of_crowds(
    left: Ints, right: Ints, similarity: Floats, is_alike: Callable[[int, int], bool]
) -> list[Pair]:
    size = int(left.max()) + 1
    nodes = size + int(right.max()) + 1
    graph = coo_array((np.ones(len(left)), (left, right + size)), shape=(nodes, nodes))
    crowd = connected_components(graph, directed=False)[1][left]
    order = np.argsort(crowd, kind="stable")
    pairs: list[Pair] = []
    for part in np.split(order, np.flatnonzero(np.diff(crowd[order])) + 1):
        pairs += _of_crowd(left[part], right[part], similarity[part], is_alike)
    return pairs


def _of_crowd(
    left: Ints, right: Ints, similarity: Floats, is_alike: Callable[[int, int], bool]
) -> list[Pair]:
    rows, row = np.unique(left, return_inverse=True)
    columns, column = np.unique(right, return_inverse=True)
    alike = [is_alike(one, other) for one, other in zip(left.tolist(), right.tolist(), strict=True)]
    weights = np.zeros((len(rows), len(columns)))
    weights[row, column] = similarity + _TIE * np.array(alike)
    chosen = linear_sum_assignment(weights, maximize=True)
    # A pair without weight is none of those asked about.
    return [
        (int(rows[one]), int(columns[other]))
        for one, other in zip(*chosen, strict=True)
        if weights[one, other] > 0
    ]
