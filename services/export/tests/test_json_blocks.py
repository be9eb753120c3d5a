"""Boxes that are written and read in blocks: more of them than a block holds, with other objects between."""

from dataclasses import replace
from typing import Any

import pytest
from yard.annotations.model import AnnotationSet, Shape, ShapeKind
from yard.export.formats.coco import COCO, NO_GROUPS
from yard.export.formats.datumaro import DATUMARO
from yard.export.formats.format import Format

from services.export.tests.intake_scene import imported, tried
from services.export.tests.sample import IMAGES, dataset, files
from services.export.tests.test_coco import BOX as COCO_BOX
from services.export.tests.test_coco import instances
from services.export.tests.test_datumaro import BOX, bare, document

COUNT = 1500


def box(number: int, **fields: Any) -> Shape:
    x, y = number % 1000 / 100, number % 700 / 128
    points = (x, y, round(x + 1 + number % 3 / 3, 6), y + 1.5)
    given = {"frame": number * 4 // COUNT, "label_id": 7 if number % 2 else 4} | fields
    return Shape(kind=ShapeKind.RECTANGLE, points=points, **given)


def mixed(number: int) -> Shape:
    """Most are bare; some are turned, hidden, in groups, in front or with attributes; a few are no boxes."""
    shape = box(number)
    if number % 97 == 0:
        return replace(shape, kind=ShapeKind.POLYGON, points=(0.5, 0.25, 9, 1, 5, 7.75))
    if number % 11 == 0:
        return replace(shape, rotation=33.25, occluded=True, z_order=2, group=number)
    if shape.label_id == 7 and number % 5 == 0:
        return replace(shape, attributes={1: "red", 2: "5.5"})
    return shape


def back(known: Format, *shapes: Shape) -> list[Shape]:
    return list(imported(known, files(known, dataset(AnnotationSet(shapes=shapes), IMAGES)), IMAGES).shapes)


def kept(shape: Shape) -> tuple[Any, ...]:
    return shape.frame, shape.label_id, shape.kind, shape.points, shape.rotation, shape.occluded


@pytest.mark.parametrize("make", [box, mixed])
def test_many_boxes_come_back_to_the_bit(make: Any) -> None:
    given = sorted(map(make, range(COUNT)), key=lambda shape: (shape.frame, shape.z_order))
    found = back(DATUMARO, *given)
    assert [(*kept(one), one.z_order, one.group) for one in found] == [
        (*kept(one), one.z_order, one.group) for one in given
    ]
    assert [one.attributes[1] for one in found if one.label_id == 7] == [
        one.attributes.get(1, "blue") for one in given if one.label_id == 7
    ]


@pytest.mark.parametrize("make", [box, mixed])
def test_many_boxes_come_back_from_coco_with_two_decimals(make: Any) -> None:
    given = sorted(map(make, range(COUNT)), key=lambda shape: (shape.frame, shape.z_order))
    found = back(COCO, *given)
    assert [(one.kind, one.rotation, one.occluded) for one in found] == [
        (one.kind, one.rotation, one.occluded) for one in given
    ]
    for one, other in zip(found, given, strict=True):
        assert one.points == pytest.approx(other.points, abs=0.011)


def test_groups_of_boxes_are_counted_each() -> None:
    shapes = [box(number, group=number % 3) for number in range(COUNT)]
    made = dataset(AnnotationSet(shapes=tuple(shapes)), IMAGES)
    files(COCO, made)
    (lost,) = [one for one in made.left_out if one.reason == NO_GROUPS]
    assert lost.count == 1000


def test_faults_are_told_in_the_order_of_the_file() -> None:
    wrong = [BOX | {"bbox": [1, 2, "3", 4]}, BOX | {"label_id": []}, BOX | {"bbox": [1, 2, 3]}]
    wrong += [BOX | {"z_order": "front"}, BOX | {"bbox": [1, 2, 0, 1]}, BOX | {"bbox": [1, 2, 10**400, 1]}]
    faults = tried(DATUMARO, bare(document(*[BOX] * 10, *wrong)), IMAGES, name="x.json").faults
    assert [(one.where, one.reason.partition(" ")[0]) for one in faults[:4]] == [
        ("x.json: item 1, annotation 11", "[1,"),
        ("x.json: item 1, annotation 12", "there"),
        ("x.json: item 1, annotation 13", "[1,"),
        ("x.json: item 1, annotation 14", "z_order"),
    ]
    assert {one.where[-2:] for one in faults[4:]} == {"15", "16"}


def test_what_is_wrong_with_boxes_is_told_when_the_text_is_cut_off_too() -> None:
    content = bare(document(BOX | {"bbox": [1, 2, None, 4]}, BOX))[:-1]
    faults = tried(DATUMARO, content, IMAGES, name="x.json").faults
    assert [one.where for one in faults] == ["x.json: item 1, annotation 1", "x.json"]


def test_faults_of_coco_are_told_in_the_order_of_the_file() -> None:
    good = [COCO_BOX | {"id": number} for number in range(10)]
    wrong = [COCO_BOX | {"id": 70, "bbox": [1, 2, True, 4]}, COCO_BOX | {"id": 71, "image_id": 99}]
    faults = tried(COCO, bare(instances(*good, *wrong)), IMAGES, name="x.json").faults
    assert [one.where for one in faults] == ["x.json: annotation 70", "x.json: annotation 71"]
