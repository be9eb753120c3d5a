"""Frames by the ids that a file gives its pictures: 12 bytes each where whole numbers ascend, as most do."""

from array import array
from bisect import bisect_left
from typing import Final

REFUSED: Final = -1
"""Stands for the frame of a picture that was refused already."""
_LARGEST: Final = 2**63 - 1


class PictureIds:
    """Each id belongs to one picture; ids in no order and texts take more room, about 100 bytes each."""

    def __init__(self) -> None:
        self._ids, self._frames = array("q"), array("i")
        self._others: dict[int | str, int] = {}

    def add(self, number: int | str, frame: int) -> None:
        """A new id."""
        if type(number) is int and abs(number) <= _LARGEST and (not self._ids or number > self._ids[-1]):
            self._ids.append(number)
            self._frames.append(frame)
        else:
            self._others[number] = frame

    def find(self, number: int | str) -> int | None:
        """The frame, REFUSED, or None for an id that no picture has."""
        if type(number) is int:
            place = bisect_left(self._ids, number)
            if place < len(self._ids) and self._ids[place] == number:
                return self._frames[place]
        return self._others.get(number)
