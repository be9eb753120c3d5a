"""Order, room and faults of parts that are made at the same time."""

from collections.abc import Callable, Iterator
from threading import Barrier, Event

import pytest
from yard.media.side_by_side import side_by_side

WAIT_S = 10


def letters(part: int) -> Iterator[str]:
    yield from (f"{part}{letter}" for letter in "abc")


def makers(make: Callable[[int], Iterator[str]], count: int) -> list[Callable[[int], Iterator[str]]]:
    return [make] * count


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("most_bytes", [1, 3, 1000])
def test_results_come_in_order(threads: int, most_bytes: int) -> None:
    made = list(side_by_side(range(12), makers(letters, threads), most_bytes))
    assert made == [each for part in range(12) for each in letters(part)]
    assert list(side_by_side([], makers(letters, threads))) == []


def test_parts_are_made_at_the_same_time() -> None:
    both = Barrier(2, timeout=WAIT_S)

    def make(part: int) -> Iterator[str]:
        both.wait()
        yield str(part)

    assert list(side_by_side(range(4), makers(make, 2))) == ["0", "1", "2", "3"]


def test_later_parts_wait_where_there_is_no_more_room() -> None:
    made: list[str] = []
    later = Event()

    def make(part: int) -> Iterator[str]:
        if part == 0:
            yield "first"
            assert later.wait(WAIT_S)
            yield "second"
            return
        for number in range(100):
            made.append(str(number))
            if number == 3:
                later.set()
            yield "12345678"

    results = side_by_side(range(2), makers(make, 2), most_bytes=24)
    assert [next(results), next(results)] == ["first", "second"]
    assert len(made) <= 5
    assert len(list(results)) == 100


def test_a_fault_comes_where_its_result_would_have_come() -> None:
    def make(part: int) -> Iterator[str]:
        yield str(part)
        if part == 2:
            raise ZeroDivisionError

    results = side_by_side(range(6), makers(make, 2))
    assert [next(results) for _ in range(3)] == ["0", "1", "2"]
    with pytest.raises(ZeroDivisionError):
        next(results)


def test_all_threads_have_ended_when_it_is_closed() -> None:
    ended: list[int] = []

    def make(part: int) -> Iterator[str]:
        try:
            while True:
                yield str(part)
        finally:
            ended.append(part)

    results = side_by_side(range(9), makers(make, 2), most_bytes=10)
    assert next(results) == "0"
    results.close()
    assert set(ended) <= {0, 1}
    assert 0 in ended
