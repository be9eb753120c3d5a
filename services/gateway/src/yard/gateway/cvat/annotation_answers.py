"""What has been saved, as JSON."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final

import orjson
from frameyard.annotation.v1 import annotation_pb2 as messages
from yard.gateway.cvat.annotation_rows import SOURCES, TYPES, Row

# Rows are gone before the collector of garbage looks at them: it would take longer than all else.
_AT_ONCE: Final = 1_000


def saved_text(revision: int, found: messages.AnnotationSet) -> bytes:
    """All of an answer."""
    pieces = [f'{{"version":{revision}'.encode()]
    for name, items, row in _sections(found):
        pieces += [f',"{name}":['.encode(), b",".join(_texts(items, row)), b"]"]
    return b"".join([*pieces, b"}"])


def rows(found: messages.AnnotationSet) -> dict[str, list[Row]]:
    """The lists of an answer."""
    return {name: [row(item) for item in items] for name, items, row in _sections(found)}


def _sections(
    found: messages.AnnotationSet,
) -> tuple[tuple[str, Sequence[Any], Callable[[Any], Row]], ...]:
    made = _Rows()
    return (
        ("tags", found.tags, made.tag),
        ("shapes", found.shapes, made.shape),
        ("tracks", found.tracks, made.track),
    )


def _texts(items: Sequence[Any], row: Callable[[Any], Row]) -> Iterator[bytes]:
    for begin in range(0, len(items), _AT_ONCE):
        yield orjson.dumps([row(item) for item in items[begin : begin + _AT_ONCE]])[1:-1]


class _Rows:
    """Makes rows; values that many objects share are made once."""

    def __init__(self) -> None:
        self._made: dict[tuple[int, str], Row] = {}

    def tag(self, tag: messages.Tag) -> Row:
        return {
            "id": tag.id,
            "frame": tag.frame,
            "label_id": tag.label_id,
            "group": tag.group,
            "source": SOURCES[tag.source],
            "attributes": self._values(tag.attributes),
        }

    def shape(self, shape: messages.Shape) -> Row:
        return {
            "id": shape.id,
            "frame": shape.frame,
            "label_id": shape.label_id,
            "group": shape.group,
            "source": SOURCES[shape.source],
            "type": TYPES[shape.kind],
            "points": shape.points[:],
            "rotation": shape.rotation,
            "occluded": shape.occluded,
            "outside": False,
            "z_order": shape.z_order,
            "attributes": self._values(shape.attributes),
            "elements": [],
        }

    def track(self, track: messages.Track) -> Row:
        return {
            "id": track.id,
            "frame": track.keyframes[0].frame if track.keyframes else 0,
            "label_id": track.label_id,
            "group": track.group,
            "source": SOURCES[track.source],
            "attributes": self._values(track.attributes),
            "shapes": [self._keyframe(keyframe) for keyframe in track.keyframes],
            "elements": [],
        }

    def _keyframe(self, keyframe: messages.Keyframe) -> Row:
        return {
            "frame": keyframe.frame,
            "type": TYPES[keyframe.kind],
            "points": keyframe.points[:],
            "rotation": keyframe.rotation,
            "occluded": keyframe.occluded,
            "outside": keyframe.outside,
            "z_order": keyframe.z_order,
            "attributes": self._values(keyframe.attributes),
        }

    def _values(self, values: Iterable[messages.AttributeValue]) -> list[Row]:
        return [
            self._made.get((value.attribute_id, value.value))
            or self._made.setdefault(
                (value.attribute_id, value.value), {"spec_id": value.attribute_id, "value": value.value}
            )
            for value in values
        ]
