"""What exports and imports are measured with, as numbers alone: both sides make their objects of it.

Needs nothing but numpy, for the baseline runs in an environment of its own.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

LABELS: Final = ("car", "person", "bicycle", "bus", "sign")
WIDTH, HEIGHT = 1920, 1080
SPACING: Final = 20
"""Frames from a keyframe to the next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Images with so many boxes each, or a video with tracks that begin one after the other."""

    frames: int
    boxes: int = 10
    tracks: int = 0
    length: int = 1000
    """Frames of each track."""

    @property
    def is_video(self) -> bool:
        """Whether it has tracks instead of boxes."""
        return self.tracks > 0

    def name(self, frame: int) -> str:
        """Name of the file of a frame."""
        return f"frame_{frame:06}.PNG" if self.is_video else f"street/{frame:06}.jpg"

    def corners(self, first: int, last: int) -> NDArray[np.float64]:
        """Boxes number first to last, not included: (n, 4), two decimals, inside the picture."""
        numbers = np.arange(first, last, dtype=np.int64)
        x = (numbers * 7919 % 170_000) / 100
        y = (numbers * 104_729 % 90_000) / 100
        width = (numbers * 31 % 10_000) / 100 + 4
        height = (numbers * 17 % 10_000) / 100 + 4
        return np.column_stack([x, y, x + width, y + height]).round(2)

    def begin(self, track: int) -> int:
        """First frame of a track; they are spread evenly."""
        return track * (self.frames - self.length) // max(1, self.tracks - 1)

    def keyframes(self, track: int) -> list[tuple[int, list[float]]]:
        """Frames and corners; the last one is where the object is gone."""
        first, count = self.begin(track), self.length // SPACING + 1
        corners = self.corners(track * 1000, track * 1000 + count).tolist()
        return [(first + number * SPACING, box) for number, box in enumerate(corners)]

    def states(self) -> dict[int, list[tuple[int, list[float], bool]]]:
        """By frame: track, corners and whether there is a keyframe, interpolated as any reader would."""
        found: dict[int, list[tuple[int, list[float], bool]]] = {}
        for track in range(self.tracks):
            kept = self.keyframes(track)
            for (begin, one), (_, other) in pairwise(kept):
                shares = np.arange(SPACING)[:, None] / SPACING
                between = np.array(one) + (np.array(other) - np.array(one)) * shares
                for number, box in enumerate(between.tolist()):
                    found.setdefault(begin + number, []).append((track, box, number == 0))
        return found


def scene_of(given: dict[str, Any]) -> Scene:
    """The scene that another process was told of."""
    return Scene(**given)
