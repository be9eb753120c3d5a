"""Colours for labels: always the same ones, and as far from each other as people can tell.

Distances are those of OKLab, in which equal steps look equally large.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Steps of each channel, of which all combinations may be assigned.
_STEPS: Final = range(0, 256, 15)
# Colours in between are told from dark and from bright pictures.
_DARKEST, _BRIGHTEST = 0.35, 0.92
# What outlines must not look like, whoever uses these: background, text and greys.
_RESERVED: Final = ("#000000", "#808080", "#ffffff")
# Whole numbers, so that no machine decides a tie otherwise.
_SCALE: Final = 10_000
_COLOR: Final = re.compile(r"#[0-9a-f]{6}", re.IGNORECASE)

_TO_CONES: Final = (
    (0.4122214708, 0.5363325363, 0.0514459929),
    (0.2119034982, 0.6806995451, 0.1073969566),
    (0.0883024619, 0.2817188376, 0.6299787005),
)
_TO_LAB: Final = (
    (0.2104542553, 0.7936177850, -0.0040720468),
    (1.9779984951, -2.4285922050, 0.4505937099),
    (0.0259040371, 0.7827717662, -0.8086757660),
)


def assigned(used: Iterable[str] = ()) -> Iterator[str]:
    """Colours without end, each the one farthest from all before it and from those that are used already."""
    colors, places = _candidates()
    nearest = np.full(len(colors), np.iinfo(np.int64).max)
    for color in (*_RESERVED, *sorted(set(used))):
        if _COLOR.fullmatch(color):
            np.minimum(nearest, _squares(places, _place(color)), out=nearest)
    while True:
        best = int(np.argmax(nearest))
        yield colors[best]
        np.minimum(nearest, _squares(places, places[best]), out=nearest)


def distance(first: str, second: str) -> float:
    """How different two colours look: black and white are 1 apart."""
    return float(np.sqrt(np.square(_place(first) - _place(second)).sum())) / _SCALE


def _squares(places: NDArray[np.int64], place: NDArray[np.int64]) -> NDArray[np.int64]:
    squares: NDArray[np.int64] = np.square(places - place).sum(axis=1)
    return squares


def _place(color: str) -> NDArray[np.int64]:
    channels = [int(color[at : at + 2], 16) for at in (1, 3, 5)]
    place: NDArray[np.int64] = _lab(np.array([channels], dtype=float))[0]
    return place


@cache
def _candidates() -> tuple[list[str], NDArray[np.int64]]:
    channels = np.array([(red, green, blue) for red in _STEPS for green in _STEPS for blue in _STEPS], float)
    places = _lab(channels)
    is_clear = (places[:, 0] >= _DARKEST * _SCALE) & (places[:, 0] <= _BRIGHTEST * _SCALE)
    colors = [f"#{int(red):02x}{int(green):02x}{int(blue):02x}" for red, green, blue in channels[is_clear]]
    return colors, places[is_clear]


def _lab(channels: NDArray[np.float64]) -> NDArray[np.int64]:
    """Rows of red, green and blue as rows of OKLab, in whole numbers."""
    part = channels / 255
    linear = np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)
    cones = np.cbrt(linear @ np.array(_TO_CONES).T)
    places: NDArray[np.int64] = np.rint(cones @ np.array(_TO_LAB).T * _SCALE).astype(np.int64)
    return places
