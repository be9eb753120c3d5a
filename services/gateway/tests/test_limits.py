"""Buckets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yard.gateway.edge.limits import MOST_KEPT, Buckets
from yard.runtime import clock


def test_a_bucket_fills_evenly(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_000.0
    monkeypatch.setattr(clock, "monotonic", lambda: now)
    buckets = Buckets(60)
    assert [buckets.take("a") for _ in range(60)] == [0.0] * 60
    assert buckets.take("a") == pytest.approx(1.0)
    assert buckets.take("b") == 0.0
    now += 0.5
    assert buckets.take("a") == pytest.approx(0.5)
    now += 0.5
    assert buckets.take("a") == pytest.approx(0.0)
    assert buckets.take("a") == pytest.approx(1.0)


@given(st.lists(st.floats(0, 30), max_size=200), st.integers(1, 50))
def test_no_minute_brings_more_than_twice_the_limit(pauses: list[float], per_minute: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        now = 0.0
        patch.setattr(clock, "monotonic", lambda: now)
        buckets, taken = Buckets(per_minute), []
        for pause in pauses:
            now += pause
            if not buckets.take("a"):
                taken.append(now)
    for start in taken:
        assert sum(start <= moment < start + 60 for moment in taken) <= 2 * per_minute


def test_without_a_limit_nothing_is_kept() -> None:
    buckets = Buckets(0)
    assert not any(buckets.take("a") for _ in range(1_000))


def test_only_so_many_names_are_kept() -> None:
    buckets = Buckets(1)
    for number in range(MOST_KEPT + 10):
        assert buckets.take(str(number)) == 0.0
    assert buckets.take(str(MOST_KEPT)) > 0
    assert buckets.take("0") == 0.0
