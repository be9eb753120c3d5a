"""Rectangles that come as columns, among shapes that come one by one."""

import numpy as np
from yard.annotations.columnar import decode
from yard.annotations.model import Shape, ShapeKind, Source
from yard.export.intakes.collected import Collected
from yard.export.intakes.intake import Points, ShapeColumns

from services.export.tests.intake_probe import box, collected, faults

RECTANGLE = ShapeKind.RECTANGLE


def test_rectangles_with_all_that_belongs_to_them_stand_among_others() -> None:
    def rows(points: Points) -> ShapeColumns:
        return ShapeColumns(
            frames=[0, 1],
            label_ids=[4, 4],
            kinds=[RECTANGLE] * 2,
            points=points,
            rotations=[0.0, -90.0],
            occluded=[True, False],
            orders=[3, -1],
            attributes=[{5: "true"}, {}],
            groups=[0, 2],
            sources=[1, 2],
        )

    corners = np.array([[1.0, 1.0, 5.0, 5.0], [2.0, 2.0, 6.0, 6.0]])

    def fill(intake: Collected) -> None:
        intake.rectangles(rows(corners), ["a", "b"])
        intake.shape(box(9, 1, 10, 2), "c")
        intake.rectangles(rows(corners.tolist()), ["d", "e"])
        intake.boxes(np.zeros(1, np.int64), np.full(1, 4), np.array([[0.0, 0.0, 3.0, 3.0]]), "f")
        intake.rectangles(rows(corners + 1), ["g", "h"])
        intake.rectangles(rows(corners), ["i", "j"])

    found = decode(collected(fill)).shapes
    assert [shape.points[0] for shape in found] == [1, 2, 9, 1, 2, 0, 2, 3, 1, 2]
    first = Shape(
        frame=0, label_id=4, kind=RECTANGLE, points=(1, 1, 5, 5), occluded=True, z_order=3,
        attributes={5: "true"}, source=Source(1),
    )  # fmt: skip
    assert (found[0], found[3]) == (first, first)
    assert [(shape.rotation, shape.group) for shape in found[:3]] == [(0, 0), (270, 2), (0, 0)]

    def fill_wrongly(intake: Collected) -> None:
        fill(intake)
        intake.rectangles(rows(corners + 15.5), ["k", "l"])

    assert [fault.where for fault in faults(fill_wrongly)] == ["k", "l"]
