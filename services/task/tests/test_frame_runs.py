from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from yard.task.domain.frame_runs import Run, joined, overlap, size, within, without

RUNS = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 8)).map(lambda run: (run[0], sum(run))))


def frames(runs: list[Run]) -> set[int]:
    return {frame for first, last in runs for frame in range(first, last + 1)}


def is_set(runs: list[Run]) -> bool:
    """Ascending, none empty, with gaps between neighbours."""
    gaps = all(before[1] + 1 < after[0] for before, after in pairwise(runs))
    return gaps and all(first <= last for first, last in runs)


@given(RUNS, RUNS, st.integers(0, 70), st.integers(0, 70))
def test_runs_are_sets_of_frames(one: list[Run], other: list[Run], first: int, last: int) -> None:
    runs, gone = joined(one), joined(other)
    assert is_set(runs)
    assert frames(runs) == frames(one)
    left = without(runs, gone)
    assert is_set(left)
    assert frames(left) == frames(one) - frames(other)
    assert size(left) == len(frames(left))
    assert overlap(runs, gone) == bool(frames(one) & frames(other))
    assert frames(within(runs, first, last)) == frames(one) & set(range(first, last + 1))
