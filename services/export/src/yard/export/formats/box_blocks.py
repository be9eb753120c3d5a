"""Pictures in blocks, the boxes of a block in one list: what is the same for all boxes is done at once."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

import numpy as np
from numpy.typing import NDArray
from yard.annotations.model import ShapeKind
from yard.export.datasets.drawn import Drawn, Picture

_RECTANGLE = ShapeKind.RECTANGLE
# Objects and pictures of a block: with more of them the garbage collector takes more time than is saved.
_OBJECTS, _PICTURES = 256, 256

Block = tuple[list[tuple[Picture, bool]], list[Drawn]]
"""Pictures, with whether all their objects are boxes, and these boxes."""


def in_groups(pictures: Iterable[Picture]) -> Iterator[list[Picture]]:
    """All pictures in their order, some at a time."""
    group: list[Picture] = []
    count = 0
    for picture in pictures:
        group.append(picture)
        count += len(picture.objects)
        if count >= _OBJECTS or len(group) == _PICTURES:
            yield group
            group, count = [], 0
    if group:
        yield group


def in_blocks(pictures: Iterable[Picture]) -> Iterator[Block]:
    """The same with their boxes, which come in the same order."""
    for group in in_groups(pictures):
        block: list[tuple[Picture, bool]] = []
        boxes: list[Drawn] = []
        for picture in group:
            objects = picture.objects
            # Rectangles of no track.
            own = [drawn for drawn in objects if drawn[1] is _RECTANGLE and drawn[10] < 0]
            boxes += own
            block.append((picture, len(own) == len(objects)))
        yield block, boxes


def corners_of(points: Sequence[Sequence[float]]) -> NDArray[np.float64]:
    """Left, top, right and bottom of each box."""
    return np.fromiter(chain.from_iterable(points), np.float64, 4 * len(points)).reshape(-1, 4)
