"""Order and look-ahead of parallel work, and how many threads do it."""

from collections.abc import Iterator
from threading import Event

import pytest
from yard.media.cores import threads_for
from yard.media.parallel import first_at_once, in_order


def test_the_first_result_does_not_wait_for_a_second_item() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise AssertionError("a second item was taken")

    assert next(first_at_once(lambda number: number * 2, items(), threads=2)) == 2


def test_all_results_come_in_order() -> None:
    assert list(first_at_once(lambda number: -number, range(50), threads=3)) == [-each for each in range(50)]
    assert list(first_at_once(lambda number: number, [], threads=3)) == []


def test_what_is_ready_leaves_before_more_is_taken() -> None:
    done = Event()

    def items() -> Iterator[int]:
        yield 0
        assert done.wait(10)
        yield 1
        raise AssertionError("a third item was taken")

    def work(number: int) -> int:
        done.set()
        return number

    assert next(in_order(work, items(), threads=1)) == 0


@pytest.mark.parametrize(
    ("size", "threads", "expected"),
    [
        ((1920, 1080), 6, 6),
        ((3840, 2160), 16, 12),
        ((7680, 4320), 8, 3),
        ((12_000, 8000), 8, 1),
        ((0, 0), 2, 2),
    ],
)
def test_huge_pictures_have_fewer_threads(size: tuple[int, int], threads: int, expected: int) -> None:
    assert threads_for(size[0] * size[1], threads) == expected
    assert 1 <= threads_for(size[0] * size[1]) <= 8
