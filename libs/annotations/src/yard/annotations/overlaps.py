"""IoU of many boxes at once, rotated or not. Boxes are rows of x0, y0, x1, y1, clockwise degrees."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_BLOCK = 1 << 14


def box_iou_pairs(ones: Floats, others: Floats) -> Floats:
    """IoU of the boxes of equal position in two (n, 5) arrays, as (n,); 0 where a box has no area."""
    low = np.maximum(ones[:, :2], others[:, :2])
    high = np.minimum(ones[:, 2:4], others[:, 2:4])
    shared = np.prod(np.clip(high - low, 0, None), axis=1)
    areas = [np.prod(boxes[:, 2:4] - boxes[:, :2], axis=1) for boxes in (ones, others)]
    turned = (ones[:, 4] != 0) | (others[:, 4] != 0)
    if turned.any():
        shared[turned] = 0
        near = np.flatnonzero(turned & _within_reach(ones, others))
        for begin in range(0, len(near), _BLOCK):
            block = near[begin : begin + _BLOCK]
            shared[block] = rotated_overlaps(ones[block], others[block])
    np.minimum(shared, np.minimum(*areas), out=shared)
    together = areas[0] + areas[1] - shared
    result: Floats = np.divide(shared, together, out=np.zeros_like(shared), where=together > 0)
    return result


def _within_reach(ones: Floats, others: Floats) -> NDArray[np.bool_]:
    """Whether the circles around two boxes meet; saves most pairs of rotated ones."""
    diagonals = sum(np.hypot(*(boxes[:, 2:4] - boxes[:, :2]).T) for boxes in (ones, others))
    apart = (ones[:, :2] + ones[:, 2:4] - others[:, :2] - others[:, 2:4]).T
    return np.asarray(np.hypot(*apart) < diagonals)


def rotated_overlaps(ones: Floats, others: Floats) -> Floats:
    """Areas that the boxes of equal position share, as (n,).

    In the upright frame of the other box, clamping the outline to it moves nothing that is inside and
    squeezes all that is outside to its border, where it has no area: what remains is the integral of the
    clamped height along the clamped outline. Nothing depends on a comparison of nearly equal numbers.
    """
    x, y = _corners_seen_from(ones, others)
    limits = ((others[:, 2:4] - others[:, :2]) / 2).T[:, :, None]
    dx, dy = np.roll(x, -1, axis=1) - x, np.roll(y, -1, axis=1) - y
    enter, leave = _between_limits(x, dx, limits[0])
    low, high = (np.clip(times, enter, leave) for times in _between_limits(y, dy, limits[1]))
    times = np.stack([enter, low, high, leave])
    heights = np.clip(y + dy * times, -limits[1], limits[1])
    # Between these times the clamped height is linear, so that trapezoids are exact.
    pieces = np.diff(times, axis=0) * (heights[1:] + heights[:-1]) / 2
    integral: Floats = -(pieces.sum(axis=0) * dx).sum(axis=1)
    return np.maximum(integral, 0.0)


def _corners_seen_from(ones: Floats, others: Floats) -> tuple[Floats, Floats]:
    """Corners (n, 4) of the boxes, clockwise, with the other box upright about the origin."""
    apart = (ones[:, :2] + ones[:, 2:4] - others[:, :2] - others[:, 2:4]) / 2
    half = (ones[:, 2:4] - ones[:, :2]) / 2
    corners = half[:, None, :] * np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)])
    x, y = _turned(corners[:, :, 0], corners[:, :, 1], ones[:, 4] - others[:, 4])
    centre_x, centre_y = _turned(apart[:, :1], apart[:, 1:], -others[:, 4])
    return x + centre_x, y + centre_y


def _turned(x: Floats, y: Floats, degrees: Floats) -> tuple[Floats, Floats]:
    angle = np.radians(degrees)[:, None]
    sine, cosine = np.sin(angle), np.cos(angle)
    return x * cosine - y * sine, x * sine + y * cosine


def _between_limits(start: Floats, step: Floats, limit: Floats) -> tuple[Floats, Floats]:
    """Times 0..1 at which start + time * step enters and leaves -limit..limit; equal where it never moves."""
    moves = step != 0
    first, second = (
        np.clip(np.divide(end - start, step, out=np.zeros_like(start), where=moves), 0.0, 1.0)
        for end in (-limit, limit)
    )
    return np.minimum(first, second), np.maximum(first, second)
