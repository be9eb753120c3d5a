import itertools

import pytest
from frameyard.task.v1 import task_pb2
from hypothesis import given
from hypothesis import strategies as st
from yard.runtime.errors import Violation
from yard.task.domain import segments

VIDEO, IMAGES = task_pb2.TASK_MODE_INTERPOLATION, task_pb2.TASK_MODE_ANNOTATION


@pytest.mark.parametrize(
    ("size", "segment_size", "overlap", "mode", "expected"),
    [
        (25, 10, None, IMAGES, (10, 0, [(0, 9), (10, 19), (20, 24)])),
        (25, 10, None, VIDEO, (10, 5, [(0, 9), (5, 14), (10, 19), (15, 24)])),
        (25, 10, 2, VIDEO, (10, 2, [(0, 9), (8, 17), (16, 24)])),
        (25, 10, 0, VIDEO, (10, 0, [(0, 9), (10, 19), (20, 24)])),
        (25, 10, 9, IMAGES, (10, 5, [(0, 9), (5, 14), (10, 19), (15, 24)])),
        (12, 10, 2, IMAGES, (10, 2, [(0, 9), (8, 11)])),
        (10, 10, 3, IMAGES, (10, 3, [(0, 9)])),
        (10, None, None, IMAGES, (10, 0, [(0, 9)])),
        (10, None, None, VIDEO, (10, 5, [(0, 9)])),
        (10, 500, None, VIDEO, (10, 5, [(0, 9)])),
        (3, 1, 7, VIDEO, (1, 0, [(0, 0), (1, 1), (2, 2)])),
        (1, None, None, VIDEO, (1, 0, [(0, 0)])),
    ],
)
def test_plans(
    size: int,
    segment_size: int | None,
    overlap: int | None,
    mode: task_pb2.TaskMode.ValueType,
    expected: tuple[int, int, list[tuple[int, int]]],
) -> None:
    plan = segments.plan(size, segment_size, overlap, mode)
    assert (plan.segment_size, plan.overlap, list(plan.ranges())) == expected
    assert plan.count == len(expected[2])


@given(
    size=st.integers(1, 400),
    segment_size=st.none() | st.integers(1, 500),
    overlap=st.none() | st.integers(0, 500),
    mode=st.sampled_from([VIDEO, IMAGES]),
)
def test_every_frame_is_in_a_segment_and_neighbours_overlap_as_told(
    size: int, segment_size: int | None, overlap: int | None, mode: task_pb2.TaskMode.ValueType
) -> None:
    plan = segments.plan(size, segment_size, overlap, mode)
    ranges = list(plan.ranges())
    assert ranges[0][0] == 0
    assert ranges[-1][1] == size - 1
    assert all(first <= last < first + plan.segment_size for first, last in ranges)
    assert all(before[1] - after[0] + 1 == plan.overlap for before, after in itertools.pairwise(ranges))


def test_wishes_that_cannot_be() -> None:
    assert list(segments.violations(None, None)) == []
    assert list(segments.violations(1, 0)) == []
    assert list(segments.violations(0, -1)) == [
        Violation("segment_size", "must be 1 or more, got 0"),
        Violation("overlap", "must be 0 or more, got -1"),
    ]


def test_a_task_has_100_000_jobs_at_most() -> None:
    assert segments.too_many(segments.plan(100_000, 1, 0, IMAGES)) is None
    wrong = segments.too_many(segments.plan(100_001, 1, 0, IMAGES))
    assert wrong == Violation("segment_size", "gives 100001 segments, at most 100000 are possible")
