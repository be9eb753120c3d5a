"""What was exported and imported again is what it was, to the bit in all numbers with two decimals."""

from collections.abc import Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from yard.annotations.model import AnnotationSet, Keyframe, Shape, ShapeKind, Source, Tag, Track
from yard.export.formats.cvat_images import CVAT_FOR_IMAGES
from yard.export.formats.cvat_video import CVAT_FOR_VIDEO

from services.export.tests.intake_scene import imported
from services.export.tests.sample import IMAGES, SUBJECT, dataset, files

WIDTH, HEIGHT, FRAMES = 20, 10, 4
SCHEMA = SUBJECT.labels
LABELS = {label.id: label for label in SCHEMA.labels}
FIELDS = ("frame", "kind", "points", "rotation", "occluded", "z_order", "label_id", "group", "source")


def hundredths(low: int, high: int) -> st.SearchStrategy[float]:
    return st.integers(low * 100, high * 100).map(lambda number: number / 100)


def pairs(least: int) -> st.SearchStrategy[tuple[float, ...]]:
    pair = st.tuples(hundredths(0, WIDTH), hundredths(0, HEIGHT))
    return st.lists(pair, min_size=least, max_size=6).map(
        lambda found: tuple(n for one in found for n in one)
    )


@st.composite
def corners(draw: st.DrawFn) -> tuple[float, ...]:
    xs = draw(st.lists(hundredths(0, WIDTH), min_size=2, max_size=2, unique=True))
    ys = draw(st.lists(hundredths(0, HEIGHT), min_size=2, max_size=2, unique=True))
    return (min(xs), min(ys), max(xs), max(ys))


@st.composite
def masks(draw: st.DrawFn) -> tuple[float, ...]:
    left, top = draw(st.integers(0, WIDTH - 4)), draw(st.integers(0, HEIGHT - 3))
    pixels = draw(st.lists(st.booleans(), min_size=12, max_size=12).filter(any))
    runs = [0]
    shown = False
    for pixel in pixels:
        if pixel is not shown:
            runs.append(0)
            shown = pixel
        runs[-1] += 1
    return (*map(float, runs), left, top, left + 3, top + 2)


GEOMETRIES: dict[ShapeKind, st.SearchStrategy[tuple[float, ...]]] = {
    ShapeKind.RECTANGLE: corners(),
    ShapeKind.POLYGON: pairs(3),
    ShapeKind.POLYLINE: pairs(2),
    ShapeKind.POINTS: pairs(1),
    ShapeKind.ELLIPSE: corners().map(lambda box: (box[0], box[3], box[2], box[1])),
    ShapeKind.CUBOID: st.lists(hundredths(0, HEIGHT), min_size=16, max_size=16).map(tuple),
    ShapeKind.MASK: masks(),
}
TURNED = (ShapeKind.RECTANGLE, ShapeKind.ELLIPSE)
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x00", exclude_categories=("Cc", "Cs", "Cn")))
VALUES = {
    1: st.sampled_from(["red", "blue"]),
    2: st.integers(0, 180).map(lambda half: str(half / 2)),
    3: st.one_of(TEXT, st.sampled_from(["a\nb", "\t", "\r\n", " ", "]]>", "&amp;", "None"])),
    5: st.sampled_from(["true", "false"]),
}


@st.composite
def attributes(draw: st.DrawFn, label_id: int, *, mutable: bool | None = None) -> dict[int, str]:
    ids = [one.id for one in LABELS[label_id].attributes if mutable is None or one.mutable is mutable]
    return {id_: draw(VALUES[id_]) for id_ in ids if draw(st.booleans())}


def heads(draw: st.DrawFn) -> dict[str, Any]:
    group, source = draw(st.integers(0, 3)), draw(st.sampled_from(Source))
    return {"label_id": draw(st.sampled_from([4, 7])), "group": group, "source": source}


def places(draw: st.DrawFn, kind: ShapeKind) -> dict[str, Any]:
    return {
        "kind": kind,
        "points": draw(GEOMETRIES[kind]),
        "rotation": draw(hundredths(0, 359)) if kind in TURNED else 0.0,
        "occluded": draw(st.booleans()),
        "z_order": draw(st.integers(-3, 3)),
    }


@st.composite
def shapes(draw: st.DrawFn) -> Shape:
    head = heads(draw)
    place = places(draw, draw(st.sampled_from(ShapeKind)))
    values = draw(attributes(head["label_id"]))
    return Shape(frame=draw(st.integers(0, FRAMES - 1)), attributes=values, **head, **place)


@st.composite
def tags(draw: st.DrawFn) -> Tag:
    head = heads(draw)
    values = draw(attributes(head["label_id"]))
    return Tag(frame=draw(st.integers(0, FRAMES - 1)), attributes=values, **head)


@st.composite
def tracks(draw: st.DrawFn) -> Track:
    head = heads(draw)
    kind = draw(st.sampled_from([kind for kind in ShapeKind if kind is not ShapeKind.MASK]))
    frames = sorted(draw(st.sets(st.integers(0, FRAMES - 1), min_size=1)))
    outside = [draw(st.booleans()) for _ in frames]
    outside[draw(st.integers(0, len(frames) - 1))] = False
    keyframes = tuple(
        Keyframe(
            frame=frame,
            outside=is_outside,
            attributes=draw(attributes(head["label_id"], mutable=True)),
            **places(draw, kind),
        )
        for frame, is_outside in zip(frames, outside, strict=True)
    )
    values = draw(attributes(head["label_id"], mutable=False))
    return Track(keyframes=keyframes, attributes=values, **head)


def flat_shapes(found: Sequence[Shape]) -> list[Any]:
    rows = [
        (*(getattr(one, name) for name in FIELDS), SCHEMA.completed(one.label_id, one.attributes))
        for one in found
    ]
    return sorted(rows, key=repr)


def flat_tracks(found: Sequence[Track]) -> list[Any]:
    rows = []
    for track in found:
        current: dict[int, str] = {}
        keyframes = []
        for one in track.keyframes:
            current |= one.attributes
            values = SCHEMA.completed(track.label_id, current, mutable=True)
            place = (*(getattr(one, name) for name in FIELDS[:6]), one.outside)
            keyframes.append((place, values))
        fixed = SCHEMA.completed(track.label_id, track.attributes, mutable=False)
        rows.append((track.label_id, track.group, track.source, fixed, keyframes))
    return sorted(rows, key=repr)


def flat_tags(found: Sequence[Tag]) -> list[Any]:
    rows = [
        (one.frame, one.label_id, one.group, one.source, SCHEMA.completed(one.label_id, one.attributes))
        for one in found
    ]
    return sorted(rows, key=repr)


@settings(deadline=None)
@given(st.lists(shapes(), max_size=4).map(tuple), st.lists(tags(), max_size=3).map(tuple))
def test_images_come_back(some_shapes: tuple[Shape, ...], some_tags: tuple[Tag, ...]) -> None:
    objects = AnnotationSet(shapes=some_shapes, tags=some_tags).in_order()
    found = imported(CVAT_FOR_IMAGES, files(CVAT_FOR_IMAGES, dataset(objects, IMAGES)), IMAGES)
    assert flat_shapes(found.shapes) == flat_shapes(some_shapes)
    assert flat_tags(found.tags) == flat_tags(some_tags)
    assert not found.tracks


@settings(deadline=None)
@given(st.lists(shapes(), max_size=4).map(tuple), st.lists(tracks(), max_size=3).map(tuple))
def test_a_video_comes_back(some_shapes: tuple[Shape, ...], some_tracks: tuple[Track, ...]) -> None:
    objects = AnnotationSet(shapes=some_shapes, tracks=some_tracks).in_order()
    found = imported(CVAT_FOR_VIDEO, files(CVAT_FOR_VIDEO, dataset(objects)))
    assert flat_shapes(found.shapes) == flat_shapes(some_shapes)
    assert flat_tracks(found.tracks) == flat_tracks(some_tracks)


@settings(deadline=None)
@given(st.lists(shapes(), max_size=4).map(tuple), st.lists(tracks(), max_size=3).map(tuple))
def test_what_came_back_is_written_to_the_same_bytes(
    some_shapes: tuple[Shape, ...], some_tracks: tuple[Track, ...]
) -> None:
    objects = AnnotationSet(shapes=some_shapes, tracks=some_tracks).in_order()
    written = files(CVAT_FOR_VIDEO, dataset(objects))
    again = imported(CVAT_FOR_VIDEO, written).in_order()
    assert files(CVAT_FOR_VIDEO, dataset(again)) == written
