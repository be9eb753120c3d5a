import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from yard.export.wording.decimals import corner, size_between
from yard.export.wording.number_columns import in_full, to_hundredths
from yard.export.wording.size_columns import corners, sizes_between

SHORT = st.integers(-10_000, 10**10 + 10).map(lambda number: number / 100)
HALVES = st.integers(-20, 10**8).map(lambda number: number / 200)
EDGES = st.sampled_from(
    [-0.0, 0.0, 0.005, -0.001, 9999.99, 9999.995, 10_000.0, 99_999_999.99, 1e8, 1e300, 1e-7]
)
NUMBERS = st.one_of(SHORT, HALVES, EDGES, st.floats(allow_nan=False, allow_infinity=False))
ROWS = st.integers(1, 5).flatmap(lambda width: st.lists(st.lists(NUMBERS, min_size=width, max_size=width)))
LENGTHS = st.one_of(SHORT, st.floats(-1e10, 1e10), st.integers(0, 10**9).map(lambda number: number / 1e6))
PAIRS = st.lists(st.tuples(LENGTHS, LENGTHS))


def table(rows: list[list[float]]) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    return np.array(rows, np.float64).reshape(len(rows), len(rows[0]) if rows else 1)


@given(ROWS)
def test_numbers_are_written_in_full_as_python_does(rows: list[list[float]]) -> None:
    assert in_full(table(rows)) == [",".join(map(repr, row)) for row in rows]


@given(ROWS)
def test_two_decimals_are_rounded_as_python_does(rows: list[list[float]]) -> None:
    assert to_hundredths(table(rows)) == [",".join(f"{number:z.2f}" for number in row) for row in rows]


@given(PAIRS)
def test_corners_and_sizes_are_the_same_one_by_one_and_in_columns(pairs: list[tuple[float, float]]) -> None:
    starts, others = np.array(pairs, np.float64).reshape(-1, 2).T
    assert corners(starts, others).tolist() == [corner(start, size) for start, size in pairs]
    assert sizes_between(starts, others).tolist() == [size_between(start, end) for start, end in pairs]
