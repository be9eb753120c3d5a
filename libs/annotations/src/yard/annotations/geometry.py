"""Areas, envelopes and overlaps. Points and boxes are pixels, angles clockwise degrees about the centre.

Overlaps of polygons are cut into slabs between which no edges cross; polygons are filled by the even-odd
rule.
"""

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from yard.annotations.model import Keyframe, Shape, ShapeKind
from yard.annotations.overlaps import box_iou_pairs

Floats = NDArray[np.float64]
Point = tuple[float, float]


def rotated_corners(points: Sequence[float], rotation: float) -> list[Point]:
    """The four corners of a box, clockwise from the top left one before rotation."""
    x0, y0, x1, y1 = points
    corners = [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]
    return [rotated(corner, ((x0 + x1) / 2, (y0 + y1) / 2), rotation) for corner in corners]


def rotated(point: Point, centre: Point, rotation: float) -> Point:
    """The point turned clockwise about the centre (y points down)."""
    angle = math.radians(rotation)
    sine, cosine = math.sin(angle), math.cos(angle)
    dx, dy = point[0] - centre[0], point[1] - centre[1]
    return centre[0] + dx * cosine - dy * sine, centre[1] + dx * sine + dy * cosine


def envelope(item: Shape | Keyframe) -> tuple[float, float, float, float]:
    """Left, top, right, bottom of what is drawn; of a mask the edges of its pixels."""
    points: Sequence[float] = item.points
    if item.kind is ShapeKind.MASK:
        left, top, right, bottom = points[-4:]
        return left, top, right + 1, bottom + 1
    if item.kind is ShapeKind.ELLIPSE:
        return _ellipse_envelope(points, item.rotation)
    if item.kind is ShapeKind.RECTANGLE and item.rotation:
        points = [number for corner in rotated_corners(points, item.rotation) for number in corner]
    xs, ys = points[0::2], points[1::2]
    return min(xs), min(ys), max(xs), max(ys)


def _ellipse_envelope(points: Sequence[float], rotation: float) -> tuple[float, float, float, float]:
    cx, cy, right, top = points
    rx, ry = right - cx, cy - top
    sine, cosine = math.sin(math.radians(rotation)), math.cos(math.radians(rotation))
    half_width, half_height = math.hypot(rx * cosine, ry * sine), math.hypot(rx * sine, ry * cosine)
    return cx - half_width, cy - half_height, cx + half_width, cy + half_height


def area(item: Shape | Keyframe) -> float:
    """Square pixels inside; 0 for points, polylines and cuboids. A mask counts its pixels."""
    points = item.points
    if item.kind is ShapeKind.RECTANGLE:
        return (points[2] - points[0]) * (points[3] - points[1])
    if item.kind is ShapeKind.ELLIPSE:
        return math.pi * (points[2] - points[0]) * (points[1] - points[3])
    if item.kind is ShapeKind.POLYGON:
        return abs(signed_area(list(zip(points[0::2], points[1::2], strict=True))))
    return float(sum(points[1:-4:2])) if item.kind is ShapeKind.MASK else 0.0


def signed_area(corners: Sequence[Point]) -> float:
    """Shoelace sum, positive when the corners run clockwise on the screen."""
    following = [*corners[1:], *corners[:1]]
    return (
        sum(x * next_y - next_x * y for (x, y), (next_x, next_y) in zip(corners, following, strict=True)) / 2
    )


def mask_pixels(points: Sequence[float]) -> NDArray[np.bool_]:
    """The pixels of a mask inside its tight box, rows by columns."""
    left, top, right, bottom = (int(number) for number in points[-4:])
    runs = np.asarray(points[:-4], dtype=np.int64)
    values = np.arange(len(runs)) % 2 == 1
    return np.repeat(values, runs).reshape(bottom - top + 1, right - left + 1)


def mask_iou(one: Sequence[float], other: Sequence[float]) -> float:
    """Shared pixels of two masks by the pixels of both together."""
    left, top = max(one[-4], other[-4]), max(one[-3], other[-3])
    right, bottom = min(one[-2], other[-2]), min(one[-1], other[-1])
    if right < left or bottom < top:
        return 0.0
    cuts = []
    for points in (one, other):
        rows = slice(int(top - points[-3]), int(bottom - points[-3]) + 1)
        columns = slice(int(left - points[-4]), int(right - points[-4]) + 1)
        cuts.append(mask_pixels(points)[rows, columns])
    shared = int(np.count_nonzero(cuts[0] & cuts[1]))
    together = sum(one[1:-4:2]) + sum(other[1:-4:2]) - shared
    return float(shared / together) if together else 0.0


def polygon_iou(one: Sequence[float], other: Sequence[float]) -> float:
    """IoU of two polygons, convex or not, given as x, y pairs."""
    ones, others = _edges(one), _edges(other)
    levels = _levels(np.concatenate([ones, others]))
    areas = np.zeros(3)
    for top, bottom in pairwise(levels):
        areas += _slab(ones, others, float(top), float(bottom))
    together = areas[0] + areas[1] - areas[2]
    return float(areas[2] / together) if together > 0 else 0.0


def _edges(points: Sequence[float]) -> Floats:
    starts = np.asarray(points, dtype=np.float64).reshape(-1, 2)
    return np.hstack([starts, np.roll(starts, -1, axis=0)])


def _levels(edges: Floats) -> Floats:
    """Heights of all corners and crossings, ascending: between two of them no edges cross."""
    start, step = edges[:, :2], edges[:, 2:] - edges[:, :2]
    cross = step[:, None, 0] * step[None, :, 1] - step[:, None, 1] * step[None, :, 0]
    gap = start[None, :, :] - start[:, None, :]
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        along = (gap[..., 0] * step[None, :, 1] - gap[..., 1] * step[None, :, 0]) / cross
        heights = start[:, None, 1] + along * step[:, None, 1]
        found = heights[np.isfinite(along) & (along >= 0) & (along <= 1)]
    return np.unique(np.concatenate([start[:, 1], found]))


def _slab(ones: Floats, others: Floats, top: float, bottom: float) -> Floats:
    """Areas inside the first, the second and both outlines between two heights."""
    middle = (top + bottom) / 2
    crossings = [_crossings(edges, middle) for edges in (ones, others)]
    spans = [list(zip(found[0::2], found[1::2], strict=False)) for found in crossings]
    lengths = [sum(end - start for start, end in row) for row in spans]
    shared = sum(
        max(0.0, min(end, other_end) - max(start, other_start))
        for start, end in spans[0]
        for other_start, other_end in spans[1]
    )
    return np.array([lengths[0], lengths[1], shared]) * (bottom - top)


def _crossings(edges: Floats, height: float) -> list[float]:
    """Where edges pass a height that no corner has, ascending."""
    passing = edges[(edges[:, 1] < height) != (edges[:, 3] < height)]
    share = (height - passing[:, 1]) / (passing[:, 3] - passing[:, 1])
    found: list[float] = np.sort(passing[:, 0] + share * (passing[:, 2] - passing[:, 0])).tolist()
    return found


def iou(one: Shape | Keyframe, other: Shape | Keyframe) -> float:
    """Overlap of two objects of the same kind with an area, 0 for others."""
    if one.kind is not other.kind:
        return 0.0
    if one.kind is ShapeKind.RECTANGLE:
        rows = np.array([[*item.points, item.rotation] for item in (one, other)], dtype=np.float64)
        return float(box_iou_pairs(rows[:1], rows[1:])[0])
    if one.kind is ShapeKind.POLYGON:
        return polygon_iou(one.points, other.points)
    return mask_iou(one.points, other.points) if one.kind is ShapeKind.MASK else 0.0
