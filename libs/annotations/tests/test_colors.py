import itertools

import pytest
from yard.annotations import colors


def first(count: int, used: list[str] | None = None) -> list[str]:
    return list(itertools.islice(colors.assigned(used or []), count))


def closest(given: list[str]) -> float:
    return min(colors.distance(*pair) for pair in itertools.combinations(given, 2))


@pytest.mark.parametrize(("count", "floor"), [(20, 0.15), (50, 0.10), (200, 0.055)])
def test_colours_are_far_apart(count: int, floor: float) -> None:
    assert closest(first(count)) >= floor


def test_colours_are_always_the_same() -> None:
    assert first(50) == first(50)
    assert first(4) == ["#0000ff", "#ff00ff", "#00f000", "#69005a"]
    assert first(8, ["#123456", "#abcdef"]) == first(8, ["#abcdef", "#123456", "#123456"])


def test_colours_keep_away_from_those_in_use() -> None:
    used = ["#0000ff", "#ff00f0", "#12ee10", "#404040", "#fafafa"]
    assert closest([*used, *first(20, used)]) >= 0.10


def test_no_colour_is_that_of_a_background() -> None:
    backgrounds = ["#000000", "#808080", "#ffffff"]
    assert min(colors.distance(*pair) for pair in itertools.product(first(50), backgrounds)) >= 0.10


def test_a_thousand_colours_differ() -> None:
    assert len(set(first(1_000))) == 1_000


def test_distance_is_that_of_oklab() -> None:
    assert colors.distance("#000000", "#ffffff") == pytest.approx(1, abs=1e-3)
    assert colors.distance("#ff0000", "#FF0000") == 0
