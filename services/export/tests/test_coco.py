import contextlib
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO as PYCOCO
from yard.annotations.model import AnnotationSet, Shape, ShapeKind
from yard.annotations.rasters import raster
from yard.export.domain import LeftOut
from yard.export.formats.coco import AS_PIXELS, COCO, NO_GROUPS, NO_PLACE
from yard.export.formats.losses import Z_ORDER

from services.export.tests.intake_scene import imported, tried
from services.export.tests.json_scenes import masks, seen, sets
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
    assert made.left_out == [
        LeftOut("cuboid", NO_PLACE, 1),
        LeftOut("ellipse", AS_PIXELS, 1),
        LeftOut("group", NO_GROUPS, 1),
        LeftOut("points", NO_PLACE, 1),
        LeftOut("polygon", AS_PIXELS, 1),
        LeftOut("polyline", NO_PLACE, 1),
        LeftOut("tag", NO_PLACE, 1),
        LeftOut("z_order", Z_ORDER, 2),
    ]


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


CAR_AND_ROAD = [{"id": 0, "name": 'car <&"'}, {"id": 7, "name": "Straße"}]
PICTURE = {"id": 5, "file_name": "a b/15.v1.jpg", "width": 20, "height": 10}
BOX = {"id": 1, "image_id": 5, "category_id": 0, "bbox": [1, 2, 3, 4]}
KINDS = (ShapeKind.RECTANGLE, ShapeKind.POLYGON, ShapeKind.MASK)


def instances(*annotations: Any, **more: Any) -> dict[str, Any]:
    """A file as other tools write it, with ids that do not begin at 1."""
    return {"images": [PICTURE], "categories": CAR_AND_ROAD, "annotations": list(annotations)} | more


def bare(found: Any) -> bytes:
    return json.dumps(found).encode()


def read(found: Any) -> AnnotationSet:
    return imported(COCO, bare(found), IMAGES, name="given.json")


def refused(found: Any) -> list[str]:
    content = found if isinstance(found, bytes) else bare(found)
    faults = tried(COCO, content, IMAGES, name="given.json").faults
    assert faults
    return [f"{fault.where}: {fault.reason}" for fault in faults]


@given(sets(KINDS, (ShapeKind.RECTANGLE,), tagged=False))
@settings(max_examples=100, deadline=None)
def test_a_round_trip_gives_back_what_coco_holds(objects: AnnotationSet) -> None:
    back = imported(COCO, files(COCO, dataset(objects, IMAGES)), IMAGES)
    assert len(back.tracks) == len(objects.tracks)
    dropped = ("group", "z_order") if not objects.tracks else ("group", "z_order", "points", "rotation")
    assert seen(back, *dropped) == seen(objects, *dropped)


def test_a_video_is_read_by_the_names_of_its_frames() -> None:
    back = imported(COCO, files(COCO, dataset()))
    assert [shape.frame for shape in back.shapes] == [1, 1, 2, 2, 3]
    (track,) = back.tracks
    assert [(one.frame, one.outside) for one in track.keyframes] == [(0, False), (2, False), (3, True)]
    assert [one.rotation for one in track.keyframes[:2]] == [350, 10]


def test_ids_may_begin_anywhere_be_equal_or_be_texts() -> None:
    found = instances(BOX, BOX | {"category_id": 7, "bbox": [0.1, 0.1, 0.2, 0.2]})
    first, second = read(found).shapes
    assert (first.label_id, first.frame, first.points) == (7, 1, (1, 2, 4, 6))
    assert (second.label_id, second.points) == (4, (0.1, 0.1, 0.3, 0.3))
    assert read(instances(BOX | {"segmentation": [[]]})).shapes == (first,)
    found = instances(BOX | {"image_id": "x"}, images=[{"id": "x", "file_name": "15.v1.jpg"}])
    assert read(found).shapes == (first,)


def test_annotations_before_what_they_build_on_are_read_in_a_second_go() -> None:
    found = instances(BOX)
    swapped = {"annotations": found["annotations"], "info": [1], **found}
    swapped["licenses"] = swapped.pop("images"), swapped.pop("categories")
    swapped |= {"images": found["images"], "categories": found["categories"]}
    assert next(iter(swapped)) == "annotations"
    assert read(swapped) == read(found)


def test_polygons_of_one_object_are_a_group() -> None:
    one = [1, 1, 9, 1, 9, 6]
    found = instances(
        BOX | {"segmentation": [one]},
        BOX | {"segmentation": [one, [0, 0, 3, 0, 3, 3]]},
        BOX | {"segmentation": one},
        BOX | {"segmentation": [one, one]},
    )
    back = read(found).shapes
    assert [shape.kind for shape in back] == [ShapeKind.POLYGON] * 6
    assert [shape.group for shape in back] == [0, 1, 1, 0, 2, 2]


@given(masks())
@settings(max_examples=50, deadline=None)
def test_run_lengths_of_both_kinds_are_masks(points: tuple[float, ...]) -> None:
    shape = Shape(frame=1, label_id=4, kind=ShapeKind.MASK, points=points)
    counts = raster(shape, 20, 10).column_runs(20, 10)
    packed = coco_mask.frPyObjects({"counts": counts, "size": [10, 20]}, 10, 20)
    runs = [{"counts": counts, "size": [10, 20]}, {"counts": packed["counts"].decode(), "size": [10, 20]}]
    back = read(instances(*(BOX | {"segmentation": one} for one in runs))).shapes
    assert [one.points for one in back] == [points] * 2


def test_crowds_and_scores_go_to_attributes_of_labels_that_have_them() -> None:
    empty = {"counts": [200], "size": [10, 20]}
    found = instances(
        BOX | {"category_id": 7, "iscrowd": 1},
        BOX | {"category_id": 7, "iscrowd": 0},
        BOX | {"iscrowd": 1, "score": 0.5},
        BOX | {"segmentation": empty, "keypoints": [1, 1, 2]},
    )
    back = tried(COCO, bare(found), IMAGES, name="given.json")
    assert [shape.attributes for shape in back.objects.shapes] == [{5: "true"}, {5: "false"}, {}]
    assert {kind: count for (kind, _), count in back.ignored.items()} == {
        "attribute": 2,
        "points": 1,
        "mask": 1,
    }


def test_files_of_an_archive_that_repeat_instances_are_not_read() -> None:
    names = ("instances_val", "person_keypoints_val", "captions_val", "person_keypoints_train")
    found = {f"annotations/{name}.json": bare(instances(BOX)) for name in names}
    back = tried(COCO, found, IMAGES)
    assert len(back.objects.shapes) == 2
    assert sum(back.ignored.values()) == 2


def test_a_track_of_masks_is_a_mask_on_each_frame() -> None:
    tracked = {"segmentation": {"counts": [74, 1, 125], "size": [10, 20]}, "attributes": {"track_id": 3}}
    back = tried(COCO, bare(instances(BOX | tracked)), IMAGES, name="given.json")
    assert [shape.kind for shape in back.objects.shapes] == [ShapeKind.MASK]
    assert [kind for kind, _ in back.ignored] == ["track"]


@pytest.mark.parametrize(
    ("annotation", "reason"),
    [
        (BOX | {"image_id": 6}, "there is no image 6"),
        (BOX | {"category_id": 3}, "there is no category 3"),
        (BOX | {"category_id": [3]}, "category_id must be a whole number or a text"),
        (BOX | {"bbox": None}, "neither a segmentation nor a bbox"),
        (BOX | {"bbox": [1, 2, 0, 4]}, "the second corner must be right of and below the first"),
        (BOX | {"bbox": [1, 2, 1e308, 1e308]}, "does not hold finite numbers only"),
        (BOX | {"segmentation": [[1, 2, 3, 4]]}, "three or more pairs"),
        (BOX | {"segmentation": [[1, 2], 3]}, "three or more pairs"),
        (BOX | {"segmentation": "x"}, "segmentation must be a list or an object"),
        (BOX | {"segmentation": {"counts": [10**30], "size": [10, 20]}}, "run lengths must be whole numbers"),
        (BOX | {"segmentation": {"counts": [2**62, 2**62], "size": [10, 20]}}, "longer than the picture"),
        (BOX | {"segmentation": {"counts": [-1, 201], "size": [10, 20]}}, "negative"),
        (BOX | {"segmentation": {"counts": [1, [2]], "size": [10, 20]}}, "must be whole numbers"),
        (BOX | {"segmentation": {"counts": "ooooooooooo0", "size": [10, 20]}}, "longer than any picture"),
        (BOX | {"segmentation": {"counts": "o", "size": [10, 20]}}, "ends within a number"),
        (
            BOX | {"segmentation": {"counts": "é", "size": [10, 20]}},
            "characters that are none of run lengths",
        ),
        (BOX | {"segmentation": {"counts": [200], "size": [20, 10]}}, "is not the frame's [10, 20]"),
        ("x", "is no object"),
    ],
)
def test_wrong_annotations_are_refused_with_their_place(annotation: Any, reason: str) -> None:
    (told,) = refused(instances(BOX, annotation))
    assert reason in told
    assert told.startswith("given.json: annotation ")


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"images": [PICTURE, PICTURE | {"id": 6}]}, "another image is frame 1 too"),
        ({"images": [PICTURE, PICTURE]}, "another image has this id"),
        ({"images": [PICTURE | {"width": 21}]}, "is 21x10 pixels here, the frame is 20x10"),
        ({"images": [PICTURE | {"file_name": "none.jpg"}]}, "there is no frame 'none.jpg'"),
        ({"images": {}}, "a list is needed here"),
        ({"categories": [*CAR_AND_ROAD, {"id": 0, "name": "x"}]}, "is 'car <&\"' already"),
        ({"categories": [{"id": 0, "name": "tree"}]}, "there is no label 'tree'"),
    ],
)
def test_wrong_tables_are_refused(more: Any, reason: str) -> None:
    assert reason in "\n".join(refused(instances(BOX, **more)))


def test_what_is_no_coco_is_refused() -> None:
    assert "annotations build on is missing" in refused({"annotations": []})[0]
    assert "lacks categories or images" in refused({})[0]
    assert "holds no COCO instances" in str(tried(COCO, {"a.txt": b""}, IMAGES).faults)


def test_labels_that_nothing_uses_need_not_be_known() -> None:
    assert read(instances(BOX, categories=[*CAR_AND_ROAD, {"id": 9, "name": "tree"}])).shapes
