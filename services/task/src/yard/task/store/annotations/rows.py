"""Objects as rows and back."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any, Final

from yard.annotations.model import Keyframe, Shape, ShapeKind, Source, Tag, Track
from yard.runtime.db import Record

Row = tuple[object, ...]

_OBJECT = (
    "id",
    "job_id",
    "label_id",
    "group_number",
    "source",
    "attribute_ids",
    "attribute_values",
    "origin",
)
_GEOMETRY = ("frame", "kind", "z_order", "occluded", "rotation", "points")
TAG_COLUMNS: Final = (*_OBJECT, "frame")
SHAPE_COLUMNS: Final = (*_OBJECT, *_GEOMETRY)
TRACK_COLUMNS: Final = (*_OBJECT, "first_frame", "last_frame", "is_open", "weight")
KEYFRAME_COLUMNS: Final = ("track_id", *_GEOMETRY, "outside", "attribute_ids", "attribute_values")

_KINDS: Final[dict[int, ShapeKind]] = {int(kind): kind for kind in ShapeKind}
_SOURCES: Final[dict[int, Source]] = {int(source): source for source in Source}


def tag_rows(task_id: int, tags: Iterable[Tag]) -> Iterator[Row]:
    """Rows of task_id and TAG_COLUMNS."""
    return ((task_id, *_object(tag), tag.frame) for tag in tags)


def shape_rows(task_id: int, shapes: Iterable[Shape]) -> Iterator[Row]:
    """Rows of task_id and SHAPE_COLUMNS."""
    return ((task_id, *_object(shape), *_geometry(shape)) for shape in shapes)


def track_rows(task_id: int, tracks: Iterable[Track]) -> Iterator[Row]:
    """Rows of task_id and TRACK_COLUMNS."""
    for track in tracks:
        last = track.keyframes[-1]
        weight = sum(len(keyframe.points) for keyframe in track.keyframes)
        yield (task_id, *_object(track), track.first_frame, last.frame, not last.outside, weight)


def keyframe_rows(task_id: int, tracks: Iterable[Track]) -> Iterator[Row]:
    """Rows of task_id and KEYFRAME_COLUMNS."""
    for track in tracks:
        for keyframe in track.keyframes:
            attributes = _split(keyframe.attributes)
            yield (task_id, track.id, *_geometry(keyframe), keyframe.outside, *attributes)


def tag_from(row: Record) -> Tag:
    """The tag of a row with TAG_COLUMNS."""
    return Tag(frame=row["frame"], **_common(row))


def shape_from(row: Record) -> Shape:
    """The shape of a row with SHAPE_COLUMNS."""
    return Shape(**_common(row), **_drawn(row))


def keyframes_from(rows: Iterable[Record]) -> dict[int, tuple[Keyframe, ...]]:
    """Keyframes by track, of rows with KEYFRAME_COLUMNS in the order of track and frame."""
    return {
        track_id: tuple(
            Keyframe(**_drawn(row), outside=row["outside"], attributes=_attributes(row)) for row in group
        )
        for track_id, group in groupby(rows, lambda row: int(row["track_id"]))
    }


def track_from(row: Record, keyframes: Mapping[int, tuple[Keyframe, ...]]) -> Track:
    """The track of a row with TRACK_COLUMNS."""
    return Track(keyframes=keyframes[row["id"]], **_common(row))


def _object(item: Tag | Shape | Track) -> Row:
    attributes = _split(item.attributes)
    origin = item.origin or None
    return (item.id, item.job_id, item.label_id, item.group, int(item.source), *attributes, origin)


def _geometry(item: Shape | Keyframe) -> Row:
    return (item.frame, int(item.kind), item.z_order, item.occluded, item.rotation, item.points)


def _split(attributes: Mapping[int, str]) -> tuple[tuple[int, ...], tuple[str, ...]]:
    return (tuple(attributes), tuple(attributes.values())) if attributes else ((), ())


def _common(row: Record) -> dict[str, Any]:
    origin = row["origin"]
    return {
        "id": row["id"],
        "job_id": row["job_id"],
        "label_id": row["label_id"],
        "group": row["group_number"],
        "source": _SOURCES[row["source"]],
        "attributes": _attributes(row),
        "origin": "" if origin is None else str(origin),
    }


def _drawn(row: Record) -> dict[str, Any]:
    return {
        "frame": row["frame"],
        "kind": _KINDS[row["kind"]],
        "z_order": row["z_order"],
        "occluded": row["occluded"],
        "rotation": row["rotation"],
        "points": tuple(row["points"]),
    }


def _attributes(row: Record) -> dict[int, str]:
    return dict(zip(row["attribute_ids"], row["attribute_values"], strict=True))
