"""Masks that come in as polygons, for tasks that are drawn in polygons."""

import math
from dataclasses import replace

import numpy as np
import pytest
from yard.annotations.batch import Batch
from yard.annotations.labels import LabelKind, LabelSchema
from yard.annotations.model import AnnotationSet, Shape, ShapeKind, Source
from yard.annotations.rasters import raster
from yard.annotations.validation import MOST_NUMBERS
from yard.export.archives.refusals import FileFault, RefusedError
from yard.export.formats import FORMATS
from yard.export.formats.cvat_images import CVAT_FOR_IMAGES
from yard.export.formats.format import Format
from yard.export.intakes.converted_masks import FIRST_GROUP, NO_HOLES, ConvertedMasks
from yard.export.intakes.intake import FoundShape
from yard.export.wording.mask_runs import points_of

from services.export.tests.intake_scene import Imported, archived, target_of, tried_into
from services.export.tests.sample import CAR, IMAGES, ROAD, dataset, files

WITH_MASKS = [known for known in FORMATS if "mask" in known.holds and known.for_annotation]
DRAWN = replace(IMAGES, labels=LabelSchema([replace(CAR, kind=LabelKind.POLYGON), ROAD]))
# A ring, and away from it two pixels that touch at a corner.
RING = "####....\n#..#....\n####....\n.....#..\n......#.\n"


def mask(rows: str, *, label_id: int = 7, frame: int = 1, group: int = 0) -> Shape:
    pixels = np.zeros((10, 20), dtype=np.bool_)
    for number, row in enumerate(rows.split()):
        pixels[number, : len(row)] = [letter == "#" for letter in row]
    points = tuple(map(float, points_of(np.flatnonzero(pixels), 20)))
    shape = Shape(frame=frame, label_id=label_id, kind=ShapeKind.MASK, points=points, source=Source.FILE)
    return replace(shape, group=group)


def converted(known: Format, *shapes: Shape) -> Imported:
    """What comes of a file of these objects, where cars are polygons only."""
    made = files(known, dataset(AnnotationSet(shapes=shapes), IMAGES))
    return tried_into(known, archived(made), target_of(DRAWN), collecting=ConvertedMasks)


@pytest.mark.parametrize("known", WITH_MASKS, ids=lambda known: known.full_name)
def test_masks_of_every_format_become_polygons(known: Format) -> None:
    """Masks of two labels, and the same ones where they may stay."""
    assert len(WITH_MASKS) > 3
    found = converted(known, mask(RING), mask("##\n##", frame=2))
    assert found.faults == []
    parts = [shape for shape in found.objects.shapes if shape.frame == 1]
    assert {(shape.kind, shape.label_id) for shape in found.objects.shapes} == {(ShapeKind.POLYGON, 7)}
    assert [shape.points for shape in found.objects.shapes if shape.frame == 2] == [(0, 0, 2, 0, 2, 2, 0, 2)]
    assert [shape.points for shape in parts] == [
        (0, 0, 4, 0, 4, 3, 0, 3),
        (5, 3, 6, 3, 6, 4, 7, 4, 7, 5, 6, 5, 6, 4, 5, 4),
    ]
    assert [shape.group for shape in found.objects.shapes] == [FIRST_GROUP, FIRST_GROUP, 0]
    assert found.ignored["hole", NO_HOLES] == 1
    assert sum(raster(shape, 20, 10).area for shape in parts) == 4 * 3 + 2


def test_two_masks_are_two_groups_and_a_group_of_the_file_stays() -> None:
    two = "#.#"
    found = converted(CVAT_FOR_IMAGES, mask(two), mask(two, group=5), mask(two, frame=2))
    groups = [(shape.frame, shape.group) for shape in found.objects.shapes]
    assert groups == [(1, FIRST_GROUP)] * 2 + [(1, 5)] * 2 + [(2, FIRST_GROUP + 1)] * 2
    assert not found.ignored


def test_properties_stay() -> None:
    given = replace(mask("##"), occluded=True, z_order=3, attributes={1: "red", 2: "0", 3: ""})
    (shape,) = converted(CVAT_FOR_IMAGES, given).objects.shapes
    assert shape == replace(given, kind=ShapeKind.POLYGON, points=(0, 0, 2, 0, 2, 1, 0, 1))


def test_masks_stay_where_labels_take_no_polygons() -> None:
    only_masks = replace(IMAGES, labels=LabelSchema([CAR, replace(ROAD, kind=LabelKind.MASK)]))
    given = mask(RING, label_id=4)
    made = archived(files(CVAT_FOR_IMAGES, dataset(AnnotationSet(shapes=(given,)), IMAGES)))
    found = tried_into(CVAT_FOR_IMAGES, made, target_of(only_masks), collecting=ConvertedMasks)
    assert [(shape.kind, shape.points) for shape in found.objects.shapes] == [(given.kind, given.points)]


@pytest.mark.parametrize(
    ("points", "reason"),
    [
        ((0, 4, 0, 0, 1, 8), "run lengths add up to 4, the box has 18 pixels"),
        ((0, 4, 19, 0, 22, 0), "the mask leaves the frame of 20x10"),
        ((0, 10**15, 0, 0, 0, 10**15 - 1), "the mask leaves the frame of 20x10"),
        ((0, math.nan, 0, 0, 3, 0), "a mask is run lengths and a box, all whole numbers of 0 or more"),
        ((4, 0, 0, 0, 3, 0), "the mask is empty"),
        ((1,) * (MOST_NUMBERS + 2), "has 100002 numbers, at most 100000 are allowed"),
    ],
)
def test_a_wrong_mask_is_refused_as_masks_are(points: tuple[float, ...], reason: str) -> None:
    intake = ConvertedMasks(target_of(DRAWN), list[Batch]().append)
    intake.shape(FoundShape(1, 7, ShapeKind.MASK, points), "here")
    with pytest.raises(RefusedError) as refused:
        intake.finish()
    assert refused.value.faults == [FileFault("here", f"points: {reason}")]
