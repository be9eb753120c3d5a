"""Objects as the packed columns of streams, and back; nothing holds more than a few batches."""

import re
from array import array
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterator, Mapping
from typing import Final, TypeAlias

from frameyard.annotation.v1 import annotation_pb2 as messages
from frameyard.annotation.v1 import columnar_pb2
from yard.annotations.batch import LARGEST_BATCH, Batch, ObjectKind
from yard.annotations.columnar import LARGEST_CONTENT, Encoder, TrackReader, decode_shapes, decode_tags
from yard.annotations.errors import AnnotationError
from yard.annotations.model import Keyframe, Shape, ShapeKind, Source, Tag, Track
from yard.client.failures import ClientError

Object: TypeAlias = messages.Tag | messages.Shape | messages.Track
Model: TypeAlias = Tag | Shape | Track

_INT32: Final = range(-(2**31), 2**31)
_ROW: Final = re.compile(r"batch\[(\d+)\]\.row\[(\d+)\]")
_TRACK: Final = re.compile(r"track\[(\d+)\]")
_CONTENT_NUMBERS: Final = LARGEST_CONTENT // 8


class Packer:
    """Makes the batches of one stream, and knows at which place of its source each object stood."""

    def __init__(self) -> None:
        self._encoder = Encoder()
        self._waiting: list[Model] = []
        self._places = array("q")
        self._numbers = self._batches = 0
        self._rows: dict[int, array[int]] = {}
        self._tracks = array("q")

    def add(self, message: Object, place: int) -> Iterator[columnar_pb2.ColumnarBatch]:
        """The batches that this object completes; ValueError if no column can hold it."""
        item = _model(message)
        if self._waiting and type(item) is not type(self._waiting[0]):
            yield from self.flush()
        self._waiting.append(item)
        self._places.append(place)
        self._numbers += _size(item)
        if len(self._waiting) == LARGEST_BATCH or self._numbers >= _CONTENT_NUMBERS:
            yield from self.flush()

    def flush(self) -> Iterator[columnar_pb2.ColumnarBatch]:
        """The batches of what still waits."""
        items, places = self._waiting, self._places
        self._waiting, self._places, self._numbers = [], array("q"), 0
        done = 0
        for batch in self._encode(items):
            if batch.object_kind in (ObjectKind.TAG, ObjectKind.SHAPE):
                self._rows[self._batches] = places[done : done + batch.count]
                done += batch.count
            self._batches += 1
            yield columnar_pb2.ColumnarBatch(**batch.columns())
        if items and isinstance(items[0], Track):
            self._tracks.extend(places)

    def named(self, field: str, name: Callable[[int], str]) -> str:
        """A field of a fault, such as batch[2].row[17].points, with the name of the object's place."""
        if match := _ROW.match(field):
            place = self._rows.get(int(match[1]), array("q"))[int(match[2])]
            return name(place) + field[match.end() :]
        if match := _TRACK.match(field):
            return name(self._tracks[int(match[1])]) + field[match.end() :]
        return field

    def _encode(self, items: list[Model]) -> Iterator[Batch]:
        yield from self._encoder.tags([item for item in items if isinstance(item, Tag)])
        yield from self._encoder.shapes([item for item in items if isinstance(item, Shape)])
        yield from self._encoder.tracks([item for item in items if isinstance(item, Track)])


async def unpacked(batches: AsyncIterable[columnar_pb2.ColumnarBatch]) -> AsyncIterator[list[Object]]:
    """The objects of a stream as they come; ClientError if its columns do not fit together."""
    reader = TrackReader()
    try:
        async for message in batches:
            batch = Batch.of(message)
            if batch.object_kind is ObjectKind.TAG:
                yield [_tag(tag) for tag in decode_tags(batch)]
            elif batch.object_kind is ObjectKind.SHAPE:
                yield [_shape(shape) for shape in decode_shapes(batch)]
            else:
                yield [_track(track) for track in reader.feed(batch)]
        yield [_track(track) for track in reader.close()]
    except AnnotationError as fault:
        raise ClientError(f"the stream is broken: {fault}", code="DATA_LOSS") from fault


def _size(item: Model) -> int:
    if isinstance(item, Tag):
        return 0
    if isinstance(item, Shape):
        return len(item.points)
    return sum(len(keyframe.points) for keyframe in item.keyframes)


def _model(message: Object) -> Model:
    if isinstance(message, messages.Tag):
        return Tag(
            frame=_frame(message.frame),
            label_id=message.label_id,
            group=message.group,
            source=_source(message.source),
            attributes=_values(message),
        )
    if isinstance(message, messages.Shape):
        return Shape(
            frame=_frame(message.frame),
            label_id=message.label_id,
            kind=_kind(message.kind),
            points=tuple(message.points),
            rotation=message.rotation,
            occluded=message.occluded,
            z_order=message.z_order,
            group=message.group,
            source=_source(message.source),
            attributes=_values(message),
        )
    if not message.keyframes:
        raise ValueError("keyframes: a track must have one or more")
    return Track(
        label_id=message.label_id,
        keyframes=tuple(map(_keyframe_model, message.keyframes)),
        group=message.group,
        source=_source(message.source),
        attributes=_values(message),
    )


def _keyframe_model(message: messages.Keyframe) -> Keyframe:
    return Keyframe(
        frame=_frame(message.frame),
        kind=_kind(message.kind),
        points=tuple(message.points),
        rotation=message.rotation,
        occluded=message.occluded,
        outside=message.outside,
        z_order=message.z_order,
        attributes=_values(message),
    )


def _frame(number: int) -> int:
    if number not in _INT32:
        raise ValueError(f"frame: {number} is too large")
    return number


def _kind(number: int) -> ShapeKind:
    try:
        return ShapeKind(number)
    except ValueError as fault:
        raise ValueError("kind: must be given") from fault


def _source(number: int) -> Source:
    return Source(number) if number else Source.MANUAL


def _values(message: Object | messages.Keyframe) -> dict[int, str]:
    return {each.attribute_id: each.value for each in message.attributes}


def _tag(tag: Tag) -> messages.Tag:
    return messages.Tag(
        id=tag.id,
        frame=tag.frame,
        label_id=tag.label_id,
        group=tag.group,
        source=tag.source.value,  # type: ignore[arg-type]
        attributes=_attributes(tag.attributes),
        job_id=tag.job_id,
    )


def _shape(shape: Shape) -> messages.Shape:
    return messages.Shape(
        id=shape.id,
        frame=shape.frame,
        label_id=shape.label_id,
        kind=shape.kind.value,  # type: ignore[arg-type]
        points=shape.points,
        rotation=shape.rotation,
        occluded=shape.occluded,
        z_order=shape.z_order,
        group=shape.group,
        source=shape.source.value,  # type: ignore[arg-type]
        attributes=_attributes(shape.attributes),
        job_id=shape.job_id,
    )


def _track(track: Track) -> messages.Track:
    return messages.Track(
        id=track.id,
        label_id=track.label_id,
        group=track.group,
        source=track.source.value,  # type: ignore[arg-type]
        attributes=_attributes(track.attributes),
        keyframes=map(_keyframe, track.keyframes),
        job_id=track.job_id,
    )


def _keyframe(keyframe: Keyframe) -> messages.Keyframe:
    return messages.Keyframe(
        frame=keyframe.frame,
        kind=keyframe.kind.value,  # type: ignore[arg-type]
        points=keyframe.points,
        rotation=keyframe.rotation,
        occluded=keyframe.occluded,
        outside=keyframe.outside,
        z_order=keyframe.z_order,
        attributes=_attributes(keyframe.attributes),
    )


def _attributes(values: Mapping[int, str]) -> Iterator[messages.AttributeValue]:
    return (messages.AttributeValue(attribute_id=key, value=value) for key, value in values.items())
