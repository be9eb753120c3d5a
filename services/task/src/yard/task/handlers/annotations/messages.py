"""Objects as messages and back."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from frameyard.annotation.v1 import annotation_pb2 as messages
from yard.annotations.errors import AnnotationError, Fault
from yard.annotations.model import AnnotationSet, Keyframe, Shape, ShapeKind, Source, Tag, Track
from yard.annotations.validation import Rules, validated

_KINDS: Final[dict[int, ShapeKind]] = {int(kind): kind for kind in ShapeKind}
_SOURCES: Final[dict[int, Source]] = {0: Source.MANUAL} | {int(source): source for source in Source}


@dataclass(slots=True, kw_only=True)
class Given:
    """Objects of a request, and what is wrong with those that are none; `path` is the field they came in."""

    path: str
    annotations: AnnotationSet = field(default_factory=AnnotationSet)
    faults: list[Fault] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)
    """Paths of objects with placeholders: nothing else is said of them."""


def read(message: messages.AnnotationSet, path: str) -> Given:
    """The objects of a message."""
    given = Given(path=path)
    reader = _Reader(given)
    given.annotations = AnnotationSet(
        tags=tuple(reader.tag(tag, f"{path}.tags[{n}]") for n, tag in enumerate(message.tags)),
        shapes=tuple(reader.shape(shape, f"{path}.shapes[{n}]") for n, shape in enumerate(message.shapes)),
        tracks=tuple(reader.track(track, f"{path}.tracks[{n}]") for n, track in enumerate(message.tracks)),
    )
    return given


def read_ids(message: messages.AnnotationSet) -> AnnotationSet:
    """Objects that have an id and nothing else."""
    return AnnotationSet(
        tags=tuple(Tag(id=tag.id, frame=0, label_id=0) for tag in message.tags),
        shapes=tuple(
            Shape(id=shape.id, frame=0, label_id=0, kind=ShapeKind.POINTS, points=())
            for shape in message.shapes
        ),
        tracks=tuple(Track(id=track.id, label_id=0, keyframes=()) for track in message.tracks),
    )


def check(given: Given, rules: Rules) -> AnnotationSet:
    """The objects as they are to be stored; faults are added to those that are there."""
    try:
        return validated(given.annotations, rules, path=given.path)
    except AnnotationError as refused:
        found = (fault for fault in refused.faults if _object_path(fault.field) not in given.broken)
        given.faults += found
        return AnnotationSet()


def frames_of(annotations: AnnotationSet) -> set[int]:
    """Frames with geometry on them."""
    frames = {shape.frame for shape in annotations.shapes}
    return frames | {keyframe.frame for track in annotations.tracks for keyframe in track.keyframes}


def write(annotations: AnnotationSet) -> messages.AnnotationSet:
    """The message of objects."""
    return messages.AnnotationSet(
        tags=map(_tag, annotations.tags),
        shapes=map(_shape, annotations.shapes),
        tracks=map(_track, annotations.tracks),
    )


class _Reader:
    """Reads objects and notes what cannot be read."""

    def __init__(self, given: Given) -> None:
        self._given = given

    def tag(self, tag: messages.Tag, path: str) -> Tag:
        return Tag(
            id=tag.id,
            frame=tag.frame,
            label_id=tag.label_id,
            group=tag.group,
            source=self._source(tag.source, path),
            attributes=self._attributes(tag.attributes, path),
        )

    def shape(self, shape: messages.Shape, path: str) -> Shape:
        return Shape(
            id=shape.id,
            frame=shape.frame,
            label_id=shape.label_id,
            kind=self._kind(shape.kind, path, path),
            points=tuple(shape.points),
            rotation=shape.rotation,
            occluded=shape.occluded,
            z_order=shape.z_order,
            group=shape.group,
            source=self._source(shape.source, path),
            attributes=self._attributes(shape.attributes, path),
        )

    def track(self, track: messages.Track, path: str) -> Track:
        keyframes = (
            self._keyframe(keyframe, f"{path}.keyframes[{number}]", path)
            for number, keyframe in enumerate(track.keyframes)
        )
        return Track(
            id=track.id,
            label_id=track.label_id,
            group=track.group,
            source=self._source(track.source, path),
            attributes=self._attributes(track.attributes, path),
            keyframes=tuple(keyframes),
        )

    def _keyframe(self, keyframe: messages.Keyframe, path: str, track: str) -> Keyframe:
        return Keyframe(
            frame=keyframe.frame,
            kind=self._kind(keyframe.kind, path, track),
            points=tuple(keyframe.points),
            rotation=keyframe.rotation,
            occluded=keyframe.occluded,
            outside=keyframe.outside,
            z_order=keyframe.z_order,
            attributes=self._attributes(keyframe.attributes, path),
        )

    def _kind(self, number: int, path: str, item: str) -> ShapeKind:
        kind = _KINDS.get(number)
        if kind is None:
            self._given.broken.add(item)
            wrong = f"there is no kind {number}" if number else "is required"
            self._given.faults.append(Fault(f"{path}.kind", wrong))
        return kind or ShapeKind.RECTANGLE

    def _source(self, number: int, path: str) -> Source:
        source = _SOURCES.get(number)
        if source is None:
            self._given.faults.append(Fault(f"{path}.source", f"there is no source {number}"))
        return source or Source.MANUAL

    def _attributes(self, values: Sequence[messages.AttributeValue], path: str) -> dict[int, str]:
        if not values:
            return {}
        read = {value.attribute_id: value.value for value in values}
        if len(read) < len(values):
            self._given.faults.append(Fault(f"{path}.attributes", "give an attribute more than once"))
        return read


def _object_path(path: str) -> str:
    return path[: path.index("]") + 1]


def _values(attributes: Iterable[tuple[int, str]]) -> list[messages.AttributeValue]:
    return [messages.AttributeValue(attribute_id=key, value=value) for key, value in attributes]


def _tag(tag: Tag) -> messages.Tag:
    return messages.Tag(
        id=tag.id,
        frame=tag.frame,
        label_id=tag.label_id,
        group=tag.group,
        source=int(tag.source),  # type: ignore[arg-type]
        attributes=_values(tag.attributes.items()),
        job_id=tag.job_id,
    )


def _shape(shape: Shape) -> messages.Shape:
    return messages.Shape(
        id=shape.id,
        frame=shape.frame,
        label_id=shape.label_id,
        kind=int(shape.kind),  # type: ignore[arg-type]
        points=shape.points,
        rotation=shape.rotation,
        occluded=shape.occluded,
        z_order=shape.z_order,
        group=shape.group,
        source=int(shape.source),  # type: ignore[arg-type]
        attributes=_values(shape.attributes.items()),
        job_id=shape.job_id,
    )


def _track(track: Track) -> messages.Track:
    return messages.Track(
        id=track.id,
        label_id=track.label_id,
        group=track.group,
        source=int(track.source),  # type: ignore[arg-type]
        attributes=_values(track.attributes.items()),
        keyframes=map(_keyframe, track.keyframes),
        job_id=track.job_id,
    )


def _keyframe(keyframe: Keyframe) -> messages.Keyframe:
    return messages.Keyframe(
        frame=keyframe.frame,
        kind=int(keyframe.kind),  # type: ignore[arg-type]
        points=keyframe.points,
        rotation=keyframe.rotation,
        occluded=keyframe.occluded,
        outside=keyframe.outside,
        z_order=keyframe.z_order,
        attributes=_values(keyframe.attributes.items()),
    )
