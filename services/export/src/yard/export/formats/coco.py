"""COCO 1.0: instances with boxes, polygons and run lengths; groups of objects are never merged into one."""

import json
from collections.abc import Iterable, Iterator
from itertools import count
from typing import Any

from yard.annotations.geometry import area, envelope
from yard.annotations.labels import Attribute, AttributeInput
from yard.annotations.model import Shape, ShapeKind
from yard.annotations.rasters import Raster, raster
from yard.export.formats import media
from yard.export.formats.archive import Member
from yard.export.formats.dataset import Dataset
from yard.export.formats.drawn import Drawn
from yard.export.formats.format import Format, unread

# These two are fields of COCO itself.
CROWD, SCORE = "is_crowd", "score"
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
NO_PLACE = "COCO instances have no place for it"
_HELD = (ShapeKind.RECTANGLE, ShapeKind.POLYGON, ShapeKind.ELLIPSE, ShapeKind.MASK)
_LICENSES = [{"name": "", "id": 0, "url": ""}]
_INFO = {"contributor": "", "date_created": "", "description": "", "url": "", "version": "", "year": ""}


def write(dataset: Dataset) -> Iterator[Member]:
    """`annotations/instances_<subset>.json` and, if wanted, `images/<subset>/`."""
    for subset in dataset.subsets:
        yield Member(name=f"annotations/instances_{subset}.json", content=_document(dataset, subset))
    for subset in dataset.subsets:
        yield from media.members(dataset, f"images/{subset}", subset)


def _document(dataset: Dataset, subset: str) -> Iterator[bytes]:
    labels = dataset.labels.labels
    categories = [
        {"id": number, "name": label.name, "supercategory": ""} for number, label in enumerate(labels, 1)
    ]
    head = {"licenses": _LICENSES, "info": _INFO, "categories": categories}
    yield _json(head)[:-1] + b',"images":['
    yield from _listed(_images(dataset, subset))
    yield b'],"annotations":['
    yield from _listed(_annotations(dataset, subset))
    yield b"]}"


def _images(dataset: Dataset, subset: str) -> Iterator[dict[str, Any]]:
    for number, frame in enumerate(dataset.frames(subset), 1):
        yield {
            "id": number,
            "width": frame.width,
            "height": frame.height,
            "file_name": frame.file_name,
            "license": 0,
            "flickr_url": "",
            "coco_url": "",
            "date_captured": 0,
        }


def _annotations(dataset: Dataset, subset: str) -> Iterator[dict[str, Any]]:
    categories = {label.id: number for number, label in enumerate(dataset.labels.labels, 1)}
    numbers = count(1)
    left_out: set[tuple[int, int]] = set()
    for image, picture in enumerate(dataset.pictures(subset), 1):
        if picture.tags:
            dataset.leave_out("tag", NO_PLACE, len(picture.tags))
        for drawn in picture.objects:
            if drawn.kind not in _HELD:
                _leave_out(dataset, picture.frame.part, drawn, left_out)
                continue
            place = _place(dataset, drawn, picture.frame.width, picture.frame.height)
            known = {"id": next(numbers), "image_id": image, "category_id": categories.get(drawn.label_id, 0)}
            yield known | place


def _leave_out(dataset: Dataset, part: int, drawn: Drawn, seen: set[tuple[int, int]]) -> None:
    """Counts objects, not frames: a track once."""
    if drawn.track >= 0 and (part, drawn.track) in seen:
        return
    if drawn.track >= 0:
        seen.add((part, drawn.track))
    dataset.leave_out(drawn.kind.name.lower(), NO_PLACE)


def _place(dataset: Dataset, drawn: Drawn, width: int, height: int) -> dict[str, Any]:
    """The fields that COCO has for where and what an object is, in its order."""
    attributes = _attributes(dataset, drawn)
    is_crowd = attributes.pop(CROWD, False) is True
    score = attributes.pop(SCORE, None)
    shape = Shape(
        frame=0, label_id=drawn.label_id, kind=drawn.kind, points=tuple(drawn.points), rotation=drawn.rotation
    )
    if drawn.kind is ShapeKind.RECTANGLE:
        found = _of_rectangle(shape)
    elif drawn.kind is ShapeKind.POLYGON and not is_crowd:
        found = _of_polygon(shape)
    else:
        found = _of_pixels(shape, raster(shape, width, height), width, height)
    found |= {"iscrowd": int(is_crowd), "attributes": attributes}
    return found | ({"score": score} if isinstance(score, float) else {})


def _of_rectangle(shape: Shape) -> dict[str, Any]:
    x0, y0, x1, y1 = shape.points
    return {"segmentation": [], "area": _rounded(area(shape)), "bbox": _box(x0, y0, x1, y1)}


def _of_polygon(shape: Shape) -> dict[str, Any]:
    points = [_rounded(number) for number in shape.points]
    return {"segmentation": [points], "area": _rounded(area(shape)), "bbox": _box(*envelope(shape))}


def _of_pixels(shape: Shape, pixels: Raster, width: int, height: int) -> dict[str, Any]:
    rows, columns = pixels.pixels.nonzero()
    box = envelope(shape)
    if len(rows):
        left, top = pixels.left, pixels.top
        box = (left + columns.min(), top + rows.min(), left + columns.max() + 1, top + rows.max() + 1)
    counts = pixels.column_runs(width, height)
    segmentation = {"counts": counts, "size": [height, width]}
    return {"segmentation": segmentation, "area": float(pixels.area), "bbox": _box(*map(float, box))}


def _attributes(dataset: Dataset, drawn: Drawn) -> dict[str, Any]:
    """Typed values by name, then what else is known of the object."""
    schema = dataset.labels.attributes(drawn.label_id)
    values: dict[str, Any] = {schema[key].name: _typed(schema[key], value) for key, value in drawn.attributes}
    values["occluded"] = drawn.occluded
    if drawn.kind is ShapeKind.RECTANGLE:
        values["rotation"] = _rounded(drawn.rotation)
    if drawn.track >= 0:
        values |= {"track_id": drawn.track, "keyframe": drawn.is_keyframe}
    return values


def _typed(attribute: Attribute, value: str) -> str | float | bool:
    if attribute.input is AttributeInput.NUMBER:
        try:
            return float(value)
        except ValueError:
            return value
    return value == "true" if attribute.is_boolean else value


def _box(x0: float, y0: float, x1: float, y1: float) -> list[float]:
    return [_rounded(x0), _rounded(y0), _rounded(x1 - x0), _rounded(y1 - y0)]


def _rounded(number: float) -> float:
    # Adding zero turns -0.0 into 0.0.
    return round(float(number), 2) + 0.0


def _listed(items: Iterable[dict[str, Any]]) -> Iterator[bytes]:
    separator = b""
    for item in items:
        yield separator + _json(item)
        separator = b","


def _json(value: Any) -> bytes:
    return _ENCODER.encode(value).encode()


COCO = Format(
    name="COCO",
    version="1.0",
    extension="zip",
    description=(
        "JSON with instances: boxes, polygons, and run lengths for masks and ellipses. The box of a rotated "
        "rectangle is that before rotation, the angle is an attribute."
    ),
    holds=("rectangle", "polygon", "ellipse", "mask"),
    for_interpolation=False,
    for_annotation=True,
    write=write,
    read=unread,
)
