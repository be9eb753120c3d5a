"""Short ways to say objects, and random ones for properties."""

from hypothesis import strategies as st
from yard.annotations.labels import Attribute, AttributeInput, Label, LabelSchema
from yard.annotations.merge import JobAnnotations
from yard.annotations.model import AnnotationSet, Keyframe, Shape, ShapeKind, Source, Tag, Track
from yard.annotations.slicing import Window

COLOUR = Attribute(id=11, name="colour", input=AttributeInput.SELECT, values=("red", "blue", "green"))
SPEED = Attribute(id=12, name="speed", input=AttributeInput.NUMBER, values=("0", "100", "5"), mutable=True)
CAR = Label(id=1, name="car", attributes=(COLOUR, SPEED))
PERSON = Label(id=2, name="person")
SCHEMA = LabelSchema([CAR, PERSON])


def box(frame: int, *points: float, **more: object) -> Shape:
    values = {"label_id": 1, "kind": ShapeKind.RECTANGLE, **more}
    return Shape(frame=frame, points=points, **values)  # type: ignore[arg-type]


def key(frame: int, *points: float, **more: object) -> Keyframe:
    values = {"kind": ShapeKind.RECTANGLE, **more}
    return Keyframe(frame=frame, points=points, **values)  # type: ignore[arg-type]


def track(*keyframes: Keyframe, **more: object) -> Track:
    return Track(keyframes=keyframes, **{"label_id": 1, **more})  # type: ignore[arg-type]


numbers = st.floats(-1e4, 1e4, allow_nan=False, width=32)
attributes = st.dictionaries(st.sampled_from([11, 12]), st.sampled_from(["", "red", "5"]), max_size=2)
ids = st.integers(0, 2**62)
common = {
    "id": ids,
    "label_id": st.integers(1, 2),
    "group": st.integers(0, 3),
    "source": st.sampled_from(list(Source)),
    "attributes": attributes,
    "job_id": ids,
    "origin": st.sampled_from(["", "a", "b"]),
}


@st.composite
def boxes(draw: st.DrawFn) -> tuple[float, ...]:
    """A box of 1 to 40 pixels near the origin, on whole pixels so that equal ones occur."""
    x, y = draw(st.integers(0, 60)), draw(st.integers(0, 60))
    return (float(x), float(y), float(x + draw(st.integers(1, 40))), float(y + draw(st.integers(1, 40))))


@st.composite
def outlines(draw: st.DrawFn, least: int) -> tuple[float, ...]:
    pairs = draw(st.lists(st.tuples(numbers, numbers), min_size=least, max_size=9))
    return tuple(number for pair in pairs for number in pair)


@st.composite
def tracks(draw: st.DrawFn, frames: int, kind: ShapeKind = ShapeKind.RECTANGLE) -> Track:
    """A track that is visible at its first keyframe."""
    chosen = sorted(draw(st.sets(st.integers(0, frames - 1), min_size=1, max_size=6)))
    points = boxes() if kind is ShapeKind.RECTANGLE else outlines(3)
    rotation = st.sampled_from([0.0, 15.0, 90.0, 350.0]) if kind is ShapeKind.RECTANGLE else st.just(0.0)
    keyframes = []
    for index, frame in enumerate(chosen):
        keyframes.append(
            Keyframe(
                frame=frame,
                kind=kind,
                points=draw(points),
                rotation=draw(rotation),
                occluded=draw(st.booleans()),
                outside=index > 0 and draw(st.booleans()),
                z_order=draw(st.integers(-1, 1)),
                attributes=draw(st.sampled_from([{}, {12: "5"}, {12: "10"}])),
            )
        )
    return Track(keyframes=tuple(keyframes), label_id=draw(st.integers(1, 2)), id=draw(st.integers(1, 99)))


shapes = st.builds(
    Shape,
    frame=st.integers(0, 30),
    kind=st.just(ShapeKind.RECTANGLE),
    points=boxes(),
    rotation=st.sampled_from([0.0, 30.0, 180.0]),
    occluded=st.booleans(),
    z_order=st.integers(-2, 2),
    **common,
)
tags = st.builds(Tag, frame=st.integers(0, 30), **common)


def sets(frames: int = 31) -> st.SearchStrategy[AnnotationSet]:
    return st.builds(
        AnnotationSet,
        tags=st.lists(tags, max_size=6).map(tuple),
        shapes=st.lists(shapes, max_size=6).map(tuple),
        tracks=st.lists(tracks(frames), max_size=4).map(tuple),
    )


WINDOWS = (Window(0, 9), Window(5, 14), Window(10, 19), Window(15, 20))
APART = (Window(0, 9), Window(10, 19), Window(20, 20))
SIZE = 21


def job(number: int, window: Window, **objects: tuple[object, ...]) -> JobAnnotations:
    annotations = AnnotationSet(**objects)  # type: ignore[arg-type]
    return JobAnnotations(job_id=number, first=window.first, last=window.last, annotations=annotations)
