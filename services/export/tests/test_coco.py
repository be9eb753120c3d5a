import contextlib
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO as PYCOCO
from yard.annotations.model import AnnotationSet, Shape, ShapeKind
from yard.annotations.rasters import raster
from yard.export.domain import LeftOut
from yard.export.formats.coco import COCO

from services.export.tests.sample import IMAGES, OBJECTS, dataset, files

# Its compiled part does not know the protocol of NumPy 2 yet.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

GOLDEN = Path(__file__).parent / "golden" / "coco" / "instances_val.json"


def document(objects: AnnotationSet = OBJECTS) -> dict[str, Any]:
    (text,) = files(COCO, dataset(objects, IMAGES)).values()
    found: dict[str, Any] = json.loads(text)
    return found


def test_coco_is_as_written_by_hand() -> None:
    made = dataset(subject=IMAGES)
    found = files(COCO, made)
    assert list(found) == ["annotations/instances_val.json"]
    compact = "".join(line.strip() for line in GOLDEN.read_text().splitlines())
    assert found["annotations/instances_val.json"].decode() == compact
    reason = "COCO instances have no place for it"
    assert made.left_out == [LeftOut(kind, reason, 1) for kind in ("cuboid", "points", "polyline", "tag")]


def test_pycocotools_reads_it_and_sees_the_same_pixels(tmp_path: Path) -> None:
    path = tmp_path / "instances.json"
    path.write_text(json.dumps(document()))
    with contextlib.redirect_stdout(io.StringIO()):
        coco = PYCOCO(str(path))
    assert [category["name"] for category in coco.loadCats(coco.getCatIds())] == ['car <&"', "Straße"]
    for annotation in coco.loadAnns(coco.getAnnIds()):
        if isinstance(annotation["segmentation"], dict):
            assert coco.annToMask(annotation).sum() == annotation["area"]
            assert coco_mask.toBbox(coco.annToRLE(annotation)).tolist() == annotation["bbox"]


def test_a_mask_comes_out_where_it_was(tmp_path: Path) -> None:
    shape = Shape(frame=0, label_id=4, kind=ShapeKind.MASK, points=(0, 3, 1, 1, 1, 12, 4, 14, 5))
    (annotation,) = document(AnnotationSet(shapes=(shape,)))["annotations"]
    pixels = coco_mask.decode(coco_mask.frPyObjects(annotation["segmentation"], 10, 20))
    expected = np.zeros((10, 20), dtype=np.uint8)
    expected[4, 12:15] = 1
    expected[5, 13] = 1
    assert (pixels == expected).all()
    assert (annotation["iscrowd"], annotation["area"]) == (0, 4)


@pytest.mark.parametrize("rotation", [0.0, 33.0, 90.0])
def test_run_lengths_say_what_pycocotools_would(rotation: float) -> None:
    shape = Shape(
        frame=0, label_id=4, kind=ShapeKind.ELLIPSE, points=(9.3, 5.1, 15.0, 2.0), rotation=rotation
    )
    found = raster(shape, 20, 10)
    canvas = np.zeros((10, 20), dtype=np.uint8, order="F")
    rows, columns = found.pixels.shape
    canvas[found.top : found.top + rows, found.left : found.left + columns] = found.pixels
    ours = coco_mask.frPyObjects({"counts": found.column_runs(20, 10), "size": [10, 20]}, 10, 20)
    assert ours == coco_mask.encode(canvas)


def test_grouped_objects_stay_apart() -> None:
    box = Shape(frame=0, label_id=7, kind=ShapeKind.RECTANGLE, points=(0, 0, 4, 4), group=1)
    both = AnnotationSet(shapes=(box, replace(box, label_id=4, points=(1, 1, 9, 9))))
    assert [one["category_id"] for one in document(both)["annotations"]] == [1, 2]


def test_a_mask_outside_the_frame_has_no_pixels_but_a_place() -> None:
    ellipse = Shape(frame=0, label_id=4, kind=ShapeKind.ELLIPSE, points=(-9, -9, -5, -11))
    (annotation,) = document(AnnotationSet(shapes=(ellipse,)))["annotations"]
    assert annotation["segmentation"]["counts"] == [200]
    assert annotation["area"] == 0
