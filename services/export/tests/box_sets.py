"""Small sets of boxes for property tests, in the frames of `sample`."""

from hypothesis import strategies as st
from yard.annotations.model import AnnotationSet, Keyframe, Shape, ShapeKind, Source, Track

FRAMES, WIDTH, HEIGHT = 4, 20, 10


def _corners(low: int, size: int) -> st.SearchStrategy[tuple[float, float]]:
    """Two different numbers with two decimals inside of the frame."""
    return st.lists(st.integers(low, size * 100), min_size=2, max_size=2, unique=True).map(
        lambda pair: (min(pair) / 100, max(pair) / 100)
    )


BOXES = st.tuples(_corners(0, WIDTH), _corners(0, HEIGHT)).map(
    lambda sides: (sides[0][0], sides[1][0], sides[0][1], sides[1][1])
)
SHAPES = st.lists(
    st.builds(
        Shape,
        frame=st.integers(0, FRAMES - 1),
        label_id=st.sampled_from([4, 7]),
        kind=st.just(ShapeKind.RECTANGLE),
        points=BOXES,
        source=st.just(Source.FILE),
    ),
    max_size=12,
).map(lambda shapes: AnnotationSet(shapes=tuple(shapes)).in_order())


@st.composite
def _track(draw: st.DrawFn) -> Track:
    """A track with a keyframe on each frame on which it is, and one behind each run of them."""
    visible = draw(st.sets(st.integers(0, FRAMES - 1), min_size=1))
    keyframes: list[Keyframe] = []
    for frame in range(FRAMES):
        if frame in visible:
            box, occluded = draw(BOXES), draw(st.booleans())
            keyframes.append(Keyframe(frame=frame, kind=ShapeKind.RECTANGLE, points=box, occluded=occluded))
        elif keyframes and not keyframes[-1].outside:
            last = keyframes[-1]
            keyframes.append(
                Keyframe(
                    frame=frame,
                    kind=last.kind,
                    points=last.points,
                    occluded=last.occluded,
                    outside=True,
                )
            )
    return Track(label_id=draw(st.sampled_from([4, 7])), keyframes=tuple(keyframes), source=Source.FILE)


TRACKS = st.lists(_track(), max_size=5).map(lambda tracks: AnnotationSet(tracks=tuple(tracks)).in_order())
