import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment
from yard.annotations.assignment import assigned
from yard.annotations.nearby import envelopes, meeting

from libs.annotations.tests.examples import boxes


def _never(one: int, other: int) -> bool:
    return False


@given(
    st.dictionaries(st.tuples(st.integers(0, 5), st.integers(0, 5)), st.sampled_from([0.5, 0.6, 0.75, 1.0]))
)
def test_the_sum_is_that_of_the_best_assignment(weights: dict[tuple[int, int], float]) -> None:
    matrix = np.zeros((6, 6))
    for place, weight in weights.items():
        matrix[place] = weight
    left, right = (np.array([place[side] for place in weights], dtype=np.int64) for side in (0, 1))
    pairs = assigned(left, right, np.array(list(weights.values())), _never)
    assert len({one for one, _ in pairs}) == len({other for _, other in pairs}) == len(pairs)
    best = matrix[linear_sum_assignment(matrix, maximize=True)].sum()
    assert sum(weights[pair] for pair in pairs) == pytest.approx(best)


def test_of_equally_good_choices_pairs_that_are_alike_are_taken() -> None:
    left, right = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])
    for crossed in (False, True):
        pairs = assigned(left, right, np.ones(4), lambda one, other, x=crossed: (one != other) is x)  # type: ignore[misc]
        assert pairs == ([(0, 1), (1, 0)] if crossed else [(0, 0), (1, 1)])


grouped = st.lists(
    st.tuples(st.integers(0, 2), boxes(), st.sampled_from([0.0, 30.0, 90.0])), min_size=1, max_size=8
)


@given(grouped, grouped)
def test_all_boxes_of_a_group_that_touch_are_found_once(
    ones: list[tuple[int, tuple[float, ...], float]], others: list[tuple[int, tuple[float, ...], float]]
) -> None:
    around, groups = [], []
    for side in (ones, others):
        around.append(envelopes(np.array([(*points, turn) for _, points, turn in side])))
        groups.append(np.array([group for group, _, _ in side]))
    found = [
        pair
        for row, column in meeting(around[0], groups[0], around[1], groups[1])
        for pair in zip(row.tolist(), column.tolist(), strict=True)
    ]
    expected = {
        (one, other)
        for one, a in enumerate(around[0])
        for other, b in enumerate(around[1])
        if groups[0][one] == groups[1][other] and (a[:2] <= b[2:]).all() and (b[:2] <= a[2:]).all()
    }
    assert len(found) == len(set(found))
    assert set(found) == expected
