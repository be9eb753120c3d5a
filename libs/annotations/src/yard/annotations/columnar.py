"""Objects as packed columns, field by field those of `frameyard.annotation.v1.ColumnarBatch`.

A stream holds tags, then shapes, then runs of tracks, each run followed by its keyframes in the order of
its tracks: a reader that goes with the stream never holds more than one run of tracks.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain, pairwise
from typing import Any, TypeVar

import numpy as np
from yard.annotations.batch import LARGEST_BATCH, Batch, ObjectKind, broken
from yard.annotations.model import (
    AnnotationSet,
    Attributes,
    Keyframe,
    Shape,
    ShapeKind,
    Source,
    Tag,
    Track,
)

_OCCLUDED, _OUTSIDE, _KEYFRAME = 1, 2, 4
Part = TypeVar("Part", Tag, Shape, Track, Keyframe)

LARGEST_CONTENT = 4 * 1024 * 1024
"""Bytes of points and texts after which a batch ends; one message holds it with room to spare."""


def encode(annotations: AnnotationSet, *, rows: int = LARGEST_BATCH) -> Iterator[Batch]:
    """The objects in batches of at most `rows`; nothing for an empty set."""
    encoder = Encoder(rows=rows)
    yield from encoder.tags(annotations.tags)
    yield from encoder.shapes(annotations.shapes)
    yield from encoder.tracks(annotations.tracks)


class Encoder:
    """Makes the batches of one stream of objects that come in portions: tags, then shapes, then tracks.

    A batch ends after `rows` objects, or before that with the one that fills `LARGEST_CONTENT`.
    """

    def __init__(self, *, rows: int = LARGEST_BATCH) -> None:
        self._rows = rows
        self._tracks = 0

    def tags(self, tags: Sequence[Tag]) -> Iterator[Batch]:
        """The batches of some tags."""
        for part in _parts(tags, self._rows):
            yield _objects(ObjectKind.TAG, part, frame=_packed((tag.frame for tag in part), "<i4"))

    def shapes(self, shapes: Sequence[Shape]) -> Iterator[Batch]:
        """The batches of some shapes."""
        for part in _parts(shapes, self._rows):
            yield _objects(ObjectKind.SHAPE, part, **_geometry(part, 0))

    def tracks(self, tracks: Sequence[Track]) -> Iterator[Batch]:
        """The batches of some tracks, each of which is followed by those of its keyframes."""
        for part in _parts(tracks, self._rows):
            yield _objects(ObjectKind.TRACK, part)
            keyframes = [keyframe for track in part for keyframe in track.keyframes]
            parents = [number for number, track in enumerate(part, self._tracks) for _ in track.keyframes]
            done = 0
            for run in _parts(keyframes, self._rows):
                yield _keyframes(parents[done : done + len(run)], run)
                done += len(run)
            self._tracks += len(part)


def decode(batches: Iterable[Batch]) -> AnnotationSet:
    """All objects of a whole stream."""
    reader = TrackReader()
    tags: list[Tag] = []
    shapes: list[Shape] = []
    tracks: list[Track] = []
    for batch in batches:
        if batch.object_kind is ObjectKind.TAG:
            tags += decode_tags(batch)
        elif batch.object_kind is ObjectKind.SHAPE:
            shapes += decode_shapes(batch)
        else:
            tracks += reader.feed(batch)
    tracks += reader.close()
    return AnnotationSet(tags=tuple(tags), shapes=tuple(shapes), tracks=tuple(tracks))


def decode_tags(batch: Batch) -> list[Tag]:
    """The tags of a batch of tags."""
    frames = _numbers(batch.frame, "<i4")
    return [Tag(frame=frame, **common) for frame, common in zip(frames, _common(batch), strict=True)]


def decode_shapes(batch: Batch) -> list[Shape]:
    """The shapes of a batch of shapes."""
    return [
        Shape(**common, **geometry, occluded=bool(flags & _OCCLUDED))
        for common, (geometry, flags) in zip(_common(batch), _geometries(batch), strict=True)
    ]


class TrackReader:
    """Puts tracks and keyframes together as batches come; holds only what still waits for keyframes."""

    def __init__(self) -> None:
        self._waiting: deque[Track] = deque()
        self._first = 0
        self._keyframes: list[Keyframe] = []

    def feed(self, batch: Batch) -> Iterator[Track]:
        """The tracks that this batch completes."""
        if batch.object_kind is ObjectKind.TRACK:
            self._waiting += [Track(keyframes=(), **common) for common in _common(batch)]
            return
        parents = _numbers(batch.parent, "<i8")
        values = _attributes(batch)
        for parent, (geometry, flags), attributes in zip(parents, _geometries(batch), values, strict=True):
            while parent > self._first:
                yield self._complete()
            if parent < self._first or not self._waiting:
                raise broken("parent", f"track {parent} is not the present one, {self._first}")
            is_occluded, is_outside = bool(flags & _OCCLUDED), bool(flags & _OUTSIDE)
            self._keyframes.append(
                Keyframe(**geometry, occluded=is_occluded, outside=is_outside, attributes=attributes)
            )

    def close(self) -> Iterator[Track]:
        """The tracks that the end of the stream completes."""
        while self._waiting:
            yield self._complete()

    def _complete(self) -> Track:
        if not self._waiting or not self._keyframes:
            raise broken("parent", f"track {self._first} has no keyframes")
        track = replace(self._waiting.popleft(), keyframes=tuple(self._keyframes))
        self._keyframes = []
        self._first += 1
        return track


def _objects(kind: ObjectKind, items: Sequence[Tag | Shape | Track], **others: bytes) -> Batch:
    strings = _Strings()
    origins = [strings.number(item.origin) if item.origin else -1 for item in items]
    columns = _attribute_columns([item.attributes for item in items], strings)
    return Batch(
        object_kind=kind,
        count=len(items),
        id=_packed((item.id for item in items), "<i8"),
        label_id=_packed((item.label_id for item in items), "<i8"),
        group=_packed((item.group for item in items), "<i4"),
        source=_packed((item.source for item in items), "u1"),
        origin=_packed(origins, "<i4"),
        job_id=_packed((item.job_id for item in items), "<i8"),
        strings=strings.texts(),
        **columns,
        **others,
    )


def _keyframes(parents: Sequence[int], items: Sequence[Keyframe]) -> Batch:
    strings = _Strings()
    columns = _attribute_columns([item.attributes for item in items], strings)
    return Batch(
        object_kind=ObjectKind.KEYFRAME,
        count=len(items),
        parent=_packed(parents, "<i8"),
        strings=strings.texts(),
        **columns,
        **_geometry(items, _KEYFRAME),
    )


def _geometry(items: Sequence[Shape | Keyframe], always: int) -> dict[str, bytes]:
    flags = (
        always | _OCCLUDED * item.occluded | _OUTSIDE * (isinstance(item, Keyframe) and item.outside)
        for item in items
    )
    return {
        "frame": _packed((item.frame for item in items), "<i4"),
        "shape_kind": _packed((item.kind for item in items), "u1"),
        "flags": _packed(flags, "u1"),
        "z_order": _packed((item.z_order for item in items), "<i4"),
        "rotation": _packed((item.rotation for item in items), "<f8"),
        "points_offset": _offsets([len(item.points) for item in items]),
        "points": _packed(chain.from_iterable(item.points for item in items), "<f8"),
    }


class _Strings:
    """Texts of a batch, each once."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def number(self, text: str) -> int:
        return self._numbers.setdefault(text, len(self._numbers))

    def texts(self) -> tuple[str, ...]:
        return tuple(self._numbers)


def _attribute_columns(values: Sequence[Attributes], strings: _Strings) -> dict[str, bytes]:
    return {
        "attributes_offset": _offsets([len(attributes) for attributes in values]),
        "attribute_id": _packed((key for attributes in values for key in attributes), "<i8"),
        "attribute_value": _packed(
            (strings.number(text) for attributes in values for text in attributes.values()), "<i4"
        ),
    }


def _packed(values: Iterable[float], form: str) -> bytes:
    return np.fromiter(values, dtype=form).tobytes()


def _offsets(lengths: Sequence[int]) -> bytes:
    return np.concatenate([[0], np.cumsum(lengths)]).astype("<i8").tobytes()


def _parts(items: Sequence[Part], rows: int) -> Iterator[Sequence[Part]]:
    """The items cut where a part has enough rows or content."""
    start = content = 0
    for index, item in enumerate(items):
        content += _content_bytes(item)
        if index + 1 - start == rows or content >= LARGEST_CONTENT:
            yield items[start : index + 1]
            start, content = index + 1, 0
    if start < len(items):
        yield items[start:]


def _content_bytes(item: Tag | Shape | Track | Keyframe) -> int:
    """About what an object adds to the columns of variable length."""
    texts = sum(map(len, item.attributes.values())) if item.attributes else 0
    return texts + (8 * len(item.points) if isinstance(item, Shape | Keyframe) else 0)


def _numbers(column: bytes, form: str) -> list[Any]:
    numbers: list[Any] = np.frombuffer(column, dtype=form).tolist()
    return numbers


def _common(batch: Batch) -> Iterator[dict[str, Any]]:
    """The fields that tags, shapes and tracks share."""
    origins = [batch.strings[number] if number >= 0 else "" for number in _numbers(batch.origin, "<i4")]
    rows = zip(
        _numbers(batch.id, "<i8"),
        _numbers(batch.label_id, "<i8"),
        _numbers(batch.group, "<i4"),
        map(_SOURCES.__getitem__, _numbers(batch.source, "u1")),
        _attributes(batch),
        _numbers(batch.job_id, "<i8"),
        origins,
        strict=True,
    )
    return (dict(zip(_COMMON_FIELDS, row, strict=True)) for row in rows)


_COMMON_FIELDS = ("id", "label_id", "group", "source", "attributes", "job_id", "origin")
_SOURCES = {int(source): source for source in Source} | {0: Source.MANUAL}
_KINDS = {int(kind): kind for kind in ShapeKind}


def _attributes(batch: Batch) -> list[dict[int, str]]:
    ids = _numbers(batch.attribute_id, "<i8")
    texts = [batch.strings[number] for number in _numbers(batch.attribute_value, "<i4")]
    return [dict(zip(ids[a:b], texts[a:b], strict=True)) for a, b in _spans(batch.attributes_offset)]


def _geometries(batch: Batch) -> Iterator[tuple[dict[str, Any], int]]:
    """The fields that shapes and keyframes share, and the flags."""
    points = _numbers(batch.points, "<f8")
    rows = zip(
        _numbers(batch.frame, "<i4"),
        map(_KINDS.__getitem__, _numbers(batch.shape_kind, "u1")),
        _spans(batch.points_offset),
        _numbers(batch.rotation, "<f8"),
        _numbers(batch.z_order, "<i4"),
        _numbers(batch.flags, "u1"),
        strict=True,
    )
    for frame, kind, (begin, end), rotation, z_order, flags in rows:
        yield (
            {
                "frame": frame,
                "kind": kind,
                "points": tuple(points[begin:end]),
                "rotation": rotation,
                "z_order": z_order,
            },
            flags,
        )


def _spans(column: bytes) -> Iterator[tuple[int, int]]:
    offsets = _numbers(column, "<i8")
    return pairwise(offsets)
