"""Shapes as pixels: a pixel belongs to a shape when its centre does. Results are cut to the frame."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from yard.annotations.geometry import envelope, mask_pixels
from yard.annotations.model import Keyframe, Shape, ShapeKind

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Raster:
    """Pixels (rows by columns) whose top left one is at `left`, `top` of the frame."""

    left: int
    top: int
    pixels: NDArray[np.bool_]

    @property
    def area(self) -> int:
        """Number of pixels."""
        return int(np.count_nonzero(self.pixels))

    def column_runs(self, width: int, height: int) -> list[int]:
        """Run lengths of the whole frame, column by column, beginning with background: COCO's counts."""
        columns, rows = np.nonzero(self.pixels.T)
        places = (columns + self.left) * height + rows + self.top
        breaks = np.flatnonzero(np.diff(places) > 1)
        starts = np.concatenate([places[:1], places[breaks + 1]])
        ends = np.concatenate([places[breaks], places[-1:]]) + 1
        edges = np.concatenate([[0], np.stack([starts, ends], axis=1).ravel(), [width * height]])
        counts: list[int] = np.diff(edges).tolist()
        return counts if counts[-1] else counts[:-1]


def raster(item: Shape | Keyframe, width: int, height: int) -> Raster:
    """The pixels of a rectangle, polygon, ellipse or mask."""
    if item.kind is ShapeKind.MASK:
        left, top = int(item.points[-4]), int(item.points[-3])
        return Raster(left=left, top=top, pixels=mask_pixels(item.points))
    x0, y0, x1, y1 = envelope(item)
    left, top = max(0, math.floor(x0)), max(0, math.floor(y0))
    right, bottom = min(width, math.ceil(x1)), min(height, math.ceil(y1))
    xs = np.arange(left, max(left, right)).astype(np.float64) + 0.5
    ys = np.arange(top, max(top, bottom)).astype(np.float64) + 0.5
    if item.kind is ShapeKind.ELLIPSE:
        return Raster(left=left, top=top, pixels=_in_ellipse(item, xs, ys))
    if item.kind is ShapeKind.POLYGON:
        return Raster(left=left, top=top, pixels=_in_polygon(item.points, xs, ys))
    return Raster(left=left, top=top, pixels=_in_rectangle(item, xs, ys))


def _in_ellipse(item: Shape | Keyframe, xs: Floats, ys: Floats) -> NDArray[np.bool_]:
    cx, cy, right, top = item.points
    dx, dy = _turned_back(item.rotation, xs - cx, ys - cy)
    inside: NDArray[np.bool_] = (dx / (right - cx)) ** 2 + (dy / (cy - top)) ** 2 <= 1
    return inside


def _in_rectangle(item: Shape | Keyframe, xs: Floats, ys: Floats) -> NDArray[np.bool_]:
    x0, y0, x1, y1 = item.points
    dx, dy = _turned_back(item.rotation, xs - (x0 + x1) / 2, ys - (y0 + y1) / 2)
    inside: NDArray[np.bool_] = (abs(dx) <= (x1 - x0) / 2) & (abs(dy) <= (y1 - y0) / 2)
    return inside


def _turned_back(rotation: float, dx: Floats, dy: Floats) -> tuple[Floats, Floats]:
    """Offsets from the centre, (rows, columns), as they were before the rotation."""
    sine, cosine = math.sin(math.radians(rotation)), math.cos(math.radians(rotation))
    columns, rows = dx[None, :], dy[:, None]
    return columns * cosine + rows * sine, rows * cosine - columns * sine


def _in_polygon(points: Sequence[float], xs: Floats, ys: Floats) -> NDArray[np.bool_]:
    """By the even-odd rule: one edge after the other flips what lies right of it."""
    inside = np.zeros((len(ys), len(xs)), dtype=np.bool_)
    corners = list(zip(points[0::2], points[1::2], strict=True))
    for (x, y), (next_x, next_y) in zip(corners, [*corners[1:], corners[0]], strict=True):
        rows = np.flatnonzero((y <= ys) != (next_y <= ys))
        if len(rows):
            crossing = x + (ys[rows] - y) / (next_y - y) * (next_x - x)
            inside[rows] ^= xs[None, :] > crossing[:, None]
    return inside
