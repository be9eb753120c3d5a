import itertools
import math

import pytest
from yard.annotations import colors

Lab = tuple[float, float, float]


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


def test_the_first_colours_differ_by_the_standard_measure_too() -> None:
    """CIEDE2000, of which 2.3 is just noticeable: of 32 labels no two are nearer than four times that."""
    labs = [cie_lab(color) for color in first(32)]
    assert min(ciede2000(*pair) for pair in itertools.combinations(labs, 2)) >= 9.5


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [  # From the test data of Sharma, Wu and Dalal (2005).
        ((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485), 2.0425),
        ((50.0, 2.4900, -0.0010), (50.0, -2.4900, 0.0009), 7.1792),
        ((50.0, 2.5, 0.0), (73.0, 25.0, -18.0), 27.1492),
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
        ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
    ],
)
def test_the_measure_is_the_published_one(one: Lab, other: Lab, expected: float) -> None:
    assert ciede2000(one, other) == pytest.approx(expected, abs=1e-4)
    assert ciede2000(other, one) == pytest.approx(expected, abs=1e-4)


def test_the_measure_sees_black_and_white_as_100_apart() -> None:
    assert ciede2000(cie_lab("#000000"), cie_lab("#ffffff")) == pytest.approx(100, abs=1e-3)


def cie_lab(color: str) -> Lab:
    """CIELAB of an sRGB colour, for daylight (D65)."""
    channels = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in channels]
    rows = (
        (0.4124564, 0.3575761, 0.1804375),
        (0.2126729, 0.7151522, 0.0721750),
        (0.0193339, 0.1191920, 0.9503041),
    )
    # White is the sum of each row, so that greys have no colour.
    x, y, z = (
        sum(factor * part for factor, part in zip(row, linear, strict=True)) / sum(row) for row in rows
    )
    roots = [part ** (1 / 3) if part > 216 / 24389 else (24389 / 27 * part + 16) / 116 for part in (x, y, z)]
    return 116 * roots[1] - 16, 500 * (roots[0] - roots[1]), 200 * (roots[1] - roots[2])


def ciede2000(one: Lab, other: Lab) -> float:
    """The difference of two colours as the CIE defines it, with all weights 1."""
    mean_chroma = (math.hypot(*one[1:]) + math.hypot(*other[1:])) / 2
    stretch = 1.5 - 0.5 * math.sqrt(mean_chroma**7 / (mean_chroma**7 + 25**7))
    (l1, c1, h1), (l2, c2, h2) = ((lab[0], *_polar(lab[1] * stretch, lab[2])) for lab in (one, other))
    turn = (h2 - h1 + 180) % 360 - 180 if c1 * c2 else 0.0
    # The mean hue lies on the shorter way round.
    hue = h1 + turn / 2 if c1 * c2 else h1 + h2
    lightness, chroma = (l1 + l2) / 2, (c1 + c2) / 2
    by_hue = 1 - sum(
        factor * math.cos(math.radians(times * hue + shift))
        for factor, times, shift in ((0.17, 1, -30), (-0.24, 2, 0), (-0.32, 3, 6), (0.20, 4, -63))
    )
    dl = (l2 - l1) / (1 + 0.015 * (lightness - 50) ** 2 / math.sqrt(20 + (lightness - 50) ** 2))
    dc = (c2 - c1) / (1 + 0.045 * chroma)
    dh = 2 * math.sqrt(c1 * c2) * math.sin(math.radians(turn / 2)) / (1 + 0.015 * chroma * by_hue)
    blue = 60 * math.exp(-((((hue % 360) - 275) / 25) ** 2))
    mixed = -2 * math.sqrt(chroma**7 / (chroma**7 + 25**7)) * math.sin(math.radians(blue))
    return math.sqrt(dl**2 + dc**2 + dh**2 + mixed * dc * dh)


def _polar(a: float, b: float) -> tuple[float, float]:
    return math.hypot(a, b), math.degrees(math.atan2(b, a)) % 360
