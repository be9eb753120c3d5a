import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from yard.annotations.geometry import (
    area,
    envelope,
    iou,
    mask_pixels,
    polygon_iou,
    rotated_corners,
)
from yard.annotations.model import ShapeKind
from yard.annotations.overlaps import box_iou_pairs

from libs.annotations.tests.examples import box, boxes

angles = st.floats(0, 359.9)


def test_iou_of_boxes_is_shared_by_together() -> None:
    assert iou(box(0, 0, 0, 10, 10), box(0, 5, 0, 15, 10)) == pytest.approx(1 / 3)
    assert iou(box(0, 0, 0, 10, 10), box(0, 10, 0, 20, 10)) == 0


def test_a_square_turned_by_45_degrees_shares_an_octagon_with_itself() -> None:
    octagon = 100 * 2 * (math.sqrt(2) - 1)
    found = iou(box(0, 0, 0, 10, 10), box(0, 0, 0, 10, 10, rotation=45.0))
    assert found == pytest.approx(octagon / (200 - octagon))


def test_rotation_is_clockwise_on_the_screen() -> None:
    assert rotated_corners((0, 0, 10, 4), 90)[0] == pytest.approx((7, -3))


@given(boxes(), angles)
def test_a_turned_box_overlaps_itself_and_its_half_turn(points: tuple[float, ...], rotation: float) -> None:
    rows = np.array([[*points, rotation], [*points, (rotation + 180) % 360]])
    assert box_iou_pairs(rows[[0, 0, 1]], rows[[0, 1, 1]]) == pytest.approx(np.ones(3))


@given(boxes(), angles, boxes(), angles)
def test_iou_is_symmetric_and_agrees_with_that_of_polygons(
    one: tuple[float, ...], turn: float, other: tuple[float, ...], other_turn: float
) -> None:
    a, b = np.array([[*one, turn]]), np.array([[*other, other_turn]])
    clipped = box_iou_pairs(a, b)[0]
    outlines = [[n for c in rotated_corners(p, r) for n in c] for p, r in ((one, turn), (other, other_turn))]
    assert clipped == pytest.approx(box_iou_pairs(b, a)[0], abs=1e-9)
    assert clipped == pytest.approx(polygon_iou(*outlines), abs=1e-6)


def test_polygons_need_not_be_convex() -> None:
    u_shape = (0, 0, 3, 0, 3, 3, 2, 3, 2, 1, 1, 1, 1, 3, 0, 3)
    middle = (1, 1, 2, 1, 2, 3, 1, 3)
    assert polygon_iou(u_shape, middle) == pytest.approx(0)
    assert polygon_iou(u_shape, (0, 0, 3, 0, 3, 3, 0, 3)) == pytest.approx(7 / 9)


def test_a_polygon_without_area_overlaps_nothing() -> None:
    assert polygon_iou((0, 0, 1, 1, 2, 2), (0, 0, 1, 1, 2, 2)) == 0


def test_masks_overlap_by_pixels() -> None:
    one = box(0, 0, 4, 0, 0, 1, 1, kind=ShapeKind.MASK)
    other = box(0, 0, 4, 1, 0, 2, 1, kind=ShapeKind.MASK)
    assert iou(one, other) == pytest.approx(2 / 6)
    assert iou(one, box(0, 0, 1, 9, 9, 9, 9, kind=ShapeKind.MASK)) == 0


def test_mask_runs_go_row_by_row_from_background() -> None:
    assert mask_pixels((1, 2, 1, 0, 0, 1, 1)).tolist() == [[False, True], [True, False]]


@pytest.mark.parametrize(
    ("kind", "points", "expected"),
    [
        (ShapeKind.RECTANGLE, (0, 0, 4, 5), 20),
        (ShapeKind.POLYGON, (0, 0, 4, 0, 0, 5), 10),
        (ShapeKind.ELLIPSE, (5, 5, 7, 2), 6 * math.pi),
        (ShapeKind.MASK, (1, 2, 1, 0, 0, 1, 1), 2),
        (ShapeKind.POLYLINE, (0, 0, 4, 0), 0),
    ],
)
def test_area(kind: ShapeKind, points: tuple[float, ...], expected: float) -> None:
    assert area(box(0, *points, kind=kind)) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("kind", "points", "rotation", "expected"),
    [
        (ShapeKind.RECTANGLE, (0, 0, 10, 4), 90.0, (3, -3, 7, 7)),
        (ShapeKind.ELLIPSE, (5, 5, 9, 3), 90.0, (3, 1, 7, 9)),
        (ShapeKind.MASK, (0, 4, 2, 3, 3, 4), 0.0, (2, 3, 4, 5)),
        (ShapeKind.POLYLINE, (1, 9, 4, 2), 0.0, (1, 2, 4, 9)),
    ],
)
def test_envelope(
    kind: ShapeKind, points: tuple[float, ...], rotation: float, expected: tuple[float, ...]
) -> None:
    assert envelope(box(0, *points, kind=kind, rotation=rotation)) == pytest.approx(expected)
