"""Small sets of annotations for hypothesis, and what is seen of such a set frame by frame."""

from typing import Any

import numpy as np
from hypothesis import strategies as st
from yard.annotations.model import AnnotationSet, Keyframe, Shape, ShapeKind, Tag, Track
from yard.export.datasets.drawn import Picture

from services.export.tests.sample import IMAGES, dataset

WIDTH, HEIGHT = 20, 10
FRAMES = st.integers(0, 3)
XS = st.integers(0, WIDTH * 100).map(lambda number: number / 100)
YS = st.integers(0, HEIGHT * 100).map(lambda number: number / 100)
ROTATIONS = st.sampled_from([0.0, 0.0, 33.25, 359.99])
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=5)
CAR_VALUES = st.fixed_dictionaries(
    {}, optional={1: st.sampled_from(["red", "blue"]), 2: st.sampled_from(["0", "5.5", "90"]), 3: TEXTS}
)
ROAD_VALUES = st.fixed_dictionaries({}, optional={5: st.just("false")})


def _spans(values: st.SearchStrategy[float]) -> st.SearchStrategy[tuple[float, float]]:
    return st.tuples(values, values).filter(lambda pair: pair[0] < pair[1])


BOXES = st.tuples(_spans(XS), _spans(YS)).map(
    lambda spans: (spans[0][0], spans[1][0], spans[0][1], spans[1][1])
)
ELLIPSES = BOXES.map(lambda box: (box[0], box[3], box[2], box[1]))


def outlines(least: int) -> st.SearchStrategy[tuple[float, ...]]:
    return st.lists(st.tuples(XS, YS), min_size=least, max_size=5).map(
        lambda pairs: tuple(number for pair in pairs for number in pair)
    )


@st.composite
def masks(draw: st.DrawFn) -> tuple[float, ...]:
    """A mask in its tight box, as anything else comes back with other numbers."""
    bits = st.lists(st.booleans(), min_size=12, max_size=12).filter(any)
    pixels = np.array(draw(bits)).reshape(3, 4)
    rows, columns = np.flatnonzero(pixels.any(1)), np.flatnonzero(pixels.any(0))
    pixels = pixels[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    left, top = draw(st.integers(0, WIDTH - 4)), draw(st.integers(0, HEIGHT - 3))
    flat = pixels.ravel()
    edges = np.flatnonzero(np.diff(flat, prepend=False))
    runs = np.diff([0, *edges.tolist(), len(flat)])
    return (*map(float, runs), left, top, left + pixels.shape[1] - 1, top + pixels.shape[0] - 1)


POINTS = {
    ShapeKind.RECTANGLE: BOXES,
    ShapeKind.ELLIPSE: ELLIPSES,
    ShapeKind.POLYGON: outlines(3),
    ShapeKind.POLYLINE: outlines(2),
    ShapeKind.POINTS: outlines(1),
    ShapeKind.MASK: masks(),
}
TURNED = (ShapeKind.RECTANGLE, ShapeKind.ELLIPSE)


@st.composite
def shapes(draw: st.DrawFn, kinds: tuple[ShapeKind, ...]) -> Shape:
    kind, label = draw(st.sampled_from(kinds)), draw(st.sampled_from([4, 7]))
    return Shape(
        frame=draw(FRAMES),
        kind=kind,
        points=draw(POINTS[kind]),
        rotation=draw(ROTATIONS) if kind in TURNED else 0.0,
        occluded=draw(st.booleans()),
        z_order=draw(st.integers(-2, 2)),
        label_id=label,
        group=draw(st.integers(0, 3)),
        attributes=draw(CAR_VALUES if label == 7 else ROAD_VALUES),
    )


@st.composite
def tracks(draw: st.DrawFn, kinds: tuple[ShapeKind, ...]) -> Track:
    kind = draw(st.sampled_from(kinds))
    frames = sorted(draw(st.sets(FRAMES, min_size=1)))
    outside = draw(
        st.lists(st.booleans(), min_size=len(frames), max_size=len(frames)).filter(lambda o: not all(o))
    )
    speeds = st.sampled_from([{}, {2: "1"}, {2: "7.5"}])
    keyframes = tuple(
        Keyframe(
            frame=frame,
            kind=kind,
            points=draw(POINTS[kind]),
            rotation=draw(ROTATIONS) if kind in TURNED else 0.0,
            outside=is_outside,
            occluded=draw(st.booleans()),
            z_order=draw(st.integers(-2, 2)),
            attributes=draw(speeds),
        )
        for frame, is_outside in zip(frames, outside, strict=True)
    )
    return Track(label_id=7, group=draw(st.integers(0, 3)), attributes={1: "red"}, keyframes=keyframes)


TAGS = st.builds(Tag, frame=FRAMES, label_id=st.just(7), group=st.integers(0, 3), attributes=CAR_VALUES)


def sets(
    kinds: tuple[ShapeKind, ...], moving: tuple[ShapeKind, ...], *, tagged: bool
) -> st.SearchStrategy[AnnotationSet]:
    """Objects of these kinds, tracks of those."""
    return st.builds(
        AnnotationSet,
        tags=st.lists(TAGS, max_size=2 if tagged else 0).map(tuple),
        shapes=st.lists(shapes(kinds), max_size=5).map(tuple),
        tracks=st.lists(tracks(moving), max_size=3).map(tuple),
    ).map(AnnotationSet.in_order)


def pictures(objects: AnnotationSet) -> list[Picture]:
    """The pictures of a data set with these objects."""
    with dataset(objects, IMAGES) as made:
        return list(made.pictures())


def seen(objects: AnnotationSet, *dropped: str) -> list[Any]:
    """Tags, and objects frame by frame without the named fields; interpolated numbers to six decimals."""
    gone = {"source", "track", "is_keyframe", *dropped}
    found: list[Any] = []
    for picture in pictures(objects):
        found += sorted(map(repr, (tag._replace(source=0) for tag in picture.tags)))  # type: ignore[arg-type]
        for drawn in picture.objects:
            fields = drawn._asdict() | {
                "points": [round(number, 6) + 0.0 for number in drawn.points],
                "rotation": round(drawn.rotation, 6) % 360,
                "is_tracked": drawn.track >= 0,
            }
            found.append([(name, value) for name, value in fields.items() if name not in gone])
    return sorted(map(repr, found))
