"""Frames as pictures of classes and of objects: PNGs with a palette, as PASCAL VOC's own are.

A palette has 256 colours; a frame with more classes or objects has pixels of three channels instead.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from yard.annotations.model import Shape, ShapeKind
from yard.annotations.rasters import raster
from yard.export.datasets.dataset import Dataset
from yard.export.datasets.drawn import Drawn
from yard.export.formats.png import encoded
from yard.export.formats.voc_labelmap import VOID, Color, instance_color

PAINTED = (ShapeKind.RECTANGLE, ShapeKind.POLYGON, ShapeKind.ELLIPSE, ShapeKind.MASK)
"""Kinds that have pixels."""
HIDDEN = "no pixel of it is to be seen on a frame"
COVERED = "pixels of it on a frame lie under other objects"
_PALETTE = 256
Numbers = NDArray[np.unsignedinteger[Any]]


class Canvas:
    """One frame; what is painted later lies over what is there."""

    def __init__(self, width: int, height: int, *, classes: int, objects: int) -> None:
        """`classes` and `objects` are the highest numbers."""
        self._width = width
        self._height = height
        self._classes: Numbers = np.zeros((height, width), np.min_scalar_type(classes))
        self._objects: Numbers = np.zeros((height, width), np.min_scalar_type(objects + 1))
        self._painted: list[tuple[int, int, tuple[slice, slice]]] = []

    def paint(self, drawn: Drawn, class_number: int, object_number: int) -> None:
        """Gives the pixels of an object their class and the number of the object, from 1."""
        # The colour of number 255 is that of pixels that are nothing.
        object_number += object_number >= VOID
        shape = Shape(
            frame=drawn.frame,
            label_id=drawn.label_id,
            kind=drawn.kind,
            points=tuple(drawn.points),
            rotation=drawn.rotation,
        )
        found = raster(shape, self._width, self._height)
        rows, columns = found.pixels.shape
        inside = slice(found.top, found.top + rows), slice(found.left, found.left + columns)
        self._classes[inside][found.pixels] = class_number
        self._objects[inside][found.pixels] = object_number
        self._painted.append((object_number, int(np.count_nonzero(found.pixels)), inside))

    def account(self, dataset: Dataset, painted: Sequence[Drawn]) -> None:
        """Counts those of the painted objects that cannot be seen, and masks that are seen in part."""
        for drawn, (number, size, inside) in zip(painted, self._painted, strict=True):
            seen = int(np.count_nonzero(self._objects[inside] == number))
            if not seen:
                dataset.leave_out(drawn.kind.name.lower(), HIDDEN)
            elif seen < size and drawn.kind is ShapeKind.MASK:
                dataset.leave_out("mask", COVERED)

    def classes(self, colors: Sequence[Color]) -> bytes:
        """A PNG with the colours of classes."""
        return _png(self._classes, lambda number: colors[number])

    def objects(self) -> bytes:
        """A PNG with the colours of objects."""
        return _png(self._objects, instance_color)


def _png(numbers: Numbers, color: Callable[[int], Color]) -> bytes:
    used = np.arange(int(numbers.max()) + 1)
    palette = np.array([color(number) for number in used.tolist()], np.uint8)
    if len(palette) <= _PALETTE:
        image = Image.fromarray(numbers.astype(np.uint8, copy=False))
        image.putpalette(palette.tobytes())
    else:
        image = Image.fromarray(palette[numbers])
    return encoded(image)
