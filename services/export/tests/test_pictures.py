"""Pictures, states and objects made by columns are those of a plain walk over objects."""

import random
from collections.abc import Iterator
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from yard.annotations.interpolation import Path
from yard.annotations.model import AnnotationSet, Keyframe, Shape, ShapeKind, Source, Tag, Track
from yard.export.datasets.drawn import Drawn, Tagged, Values
from yard.export.domain import Subject

from services.export.tests.sample import IMAGES, SUBJECT, dataset

NUMBERS = {ShapeKind.RECTANGLE: 4, ShapeKind.ELLIPSE: 4, ShapeKind.CUBOID: 16}
FRAMES = 9
LAST = FRAMES - 1


def values(subject: Subject, label_id: int, *given_values: dict[int, str]) -> Values:
    merged = {key: value for attributes in given_values for key, value in attributes.items()}
    return tuple(subject.labels.completed(label_id, merged).items())


def expected(objects: AnnotationSet, subject: Subject) -> Iterator[tuple[int, list[Drawn], list[Tagged]]]:
    """Frame by frame, object by object, as the model defines it."""
    paths = [(track, Path(track)) for track in objects.tracks]
    for frame in range(subject.first, subject.last + 1):
        if any(first <= frame <= last for first, last in subject.deleted):
            continue
        drawn = [
            Drawn(
                frame,
                shape.kind,
                list(shape.points),
                shape.rotation,
                shape.occluded,
                shape.z_order,
                shape.label_id,
                shape.group,
                shape.source,
                values(subject, shape.label_id, dict(shape.attributes)),
                -1,
                False,
            )
            for shape in objects.shapes
            if shape.frame == frame
        ]
        for number, (track, path) in enumerate(paths):
            state = path.at(frame)
            if state is not None and not state.outside:
                drawn.append(of_track(subject, track, number, state, is_keyframe=path.is_keyframe(frame)))
        tags = [
            Tagged(
                tag.frame,
                tag.label_id,
                tag.group,
                tag.source,
                values(subject, tag.label_id, dict(tag.attributes)),
            )
            for tag in objects.tags
            if tag.frame == frame
        ]
        yield frame, sorted(drawn, key=lambda one: one.z_order), tags


def of_track(subject: Subject, track: Track, number: int, state: Keyframe, *, is_keyframe: bool) -> Drawn:
    attributes = values(subject, track.label_id, dict(track.attributes), dict(state.attributes))
    return Drawn(
        state.frame,
        state.kind,
        list(state.points),
        state.rotation,
        state.occluded,
        state.z_order,
        track.label_id,
        track.group,
        track.source,
        attributes,
        number,
        is_keyframe,
    )


def expected_states(subject: Subject, number: int, track: Track) -> Iterator[tuple[Drawn, bool]]:
    path = Path(track)
    for frame in range(track.first_frame, subject.last + 1):
        state, is_keyframe = path.at(frame), path.is_keyframe(frame)
        if state is not None and (is_keyframe or not state.outside):
            yield of_track(subject, track, number, state, is_keyframe=is_keyframe), state.outside


floats = st.floats(-10, 1000, allow_nan=False, width=32) | st.sampled_from([0.0, -0.0, 0.1, 1 / 3])
rotations = st.floats(0, 359.9) | st.just(0.0)
texts = st.text(max_size=3)


def attributes_of(mutable: bool | None) -> st.SearchStrategy[dict[int, str]]:
    ids = [
        key
        for key, is_mutable in ((1, False), (2, True), (3, False), (5, False))
        if mutable in (None, is_mutable)
    ]
    return st.dictionaries(st.sampled_from(ids), texts, max_size=2)


@st.composite
def geometries(draw: st.DrawFn, kind: ShapeKind) -> tuple[float, ...]:
    if kind in NUMBERS:
        return tuple(draw(st.lists(floats, min_size=NUMBERS[kind], max_size=NUMBERS[kind])))
    if kind is ShapeKind.MASK:
        return draw(st.sampled_from([(1.0, 2.0, 1.0, 5.0, 5.0, 6.0, 6.0), (0.0, 1.0, 0.0, 0.0, 0.0, 0.0)]))
    corners = draw(st.integers(3, 5))
    return tuple(draw(st.lists(floats, min_size=2 * corners, max_size=2 * corners, unique=True)))


@st.composite
def shapes(draw: st.DrawFn) -> Shape:
    kind = draw(st.sampled_from(ShapeKind))
    return Shape(
        frame=draw(st.integers(0, LAST)),
        kind=kind,
        points=draw(geometries(kind)),
        rotation=draw(rotations),
        occluded=draw(st.booleans()),
        z_order=draw(st.integers(-2, 2)),
        label_id=draw(st.sampled_from([4, 7, 99])),
        group=draw(st.integers(0, 2)),
        source=draw(st.sampled_from(Source)),
        attributes=draw(attributes_of(None)),
    )


@st.composite
def tracks(draw: st.DrawFn) -> Track:
    frames = sorted(draw(st.sets(st.integers(0, LAST), min_size=1, max_size=5)))
    kind = draw(st.sampled_from(ShapeKind))
    is_mixed = draw(st.integers(0, 9)) == 0
    keyframes = []
    for frame in frames:
        own = draw(st.sampled_from(ShapeKind)) if is_mixed else kind
        keyframes.append(
            Keyframe(
                frame=frame,
                kind=own,
                points=draw(geometries(own)),
                rotation=draw(rotations),
                occluded=draw(st.booleans()),
                outside=draw(st.booleans()),
                z_order=draw(st.integers(-1, 1)),
                attributes=draw(attributes_of(True)),
            )
        )
    return Track(
        label_id=draw(st.sampled_from([4, 7, 99])),
        keyframes=tuple(keyframes),
        group=draw(st.integers(0, 2)),
        source=draw(st.sampled_from(Source)),
        attributes=draw(attributes_of(False)),
    )


tags = st.builds(
    Tag,
    frame=st.integers(0, LAST),
    label_id=st.sampled_from([4, 7]),
    group=st.integers(0, 2),
    source=st.sampled_from(Source),
    attributes=attributes_of(None),
)
sets = st.builds(
    AnnotationSet,
    tags=st.lists(tags, max_size=5).map(tuple),
    shapes=st.lists(shapes(), max_size=9).map(tuple),
    tracks=st.lists(tracks(), max_size=4).map(tuple),
).map(AnnotationSet.in_order)
deletions = st.sampled_from([(), ((0, 0),), ((2, 4),), ((0, 1), (3, 3), (6, LAST)), ((0, LAST),)])


def read(objects: AnnotationSet, subject: Subject, rows: int) -> None:
    with dataset(objects, subject, rows=rows) as made:
        found = [(picture.frame.number, picture.objects, picture.tags) for picture in made.pictures()]
        assert repr(found) == repr(list(expected(objects, subject)))
        part = made.parts[0]
        numbers = [number for number, _, _ in found]
        assert [frame.number for frame in part.frames()] == numbers
        assert [drawn.frame for drawn in part.shapes()] == [
            shape.frame for shape in objects.shapes if shape.frame in numbers
        ]
        assert [tag.frame for tag in part.tags()] == [
            tag.frame for tag in objects.tags if tag.frame in numbers
        ]
        assert list(part.tracks()) == list(objects.tracks)


@given(sets, deletions, st.integers(1, 4), st.sampled_from([SUBJECT, IMAGES]))
def test_pictures_are_those_of_a_plain_walk(
    objects: AnnotationSet, deleted: tuple[tuple[int, int], ...], rows: int, subject: Subject
) -> None:
    read(objects, replace(subject, last=LAST, deleted=deleted), rows)


@given(sets)
def test_a_job_sees_its_frames_of_tracks_that_began_before(objects: AnnotationSet) -> None:
    subject = replace(SUBJECT, first=3, last=6, job_id=31)
    with dataset(replace(objects, tags=(), shapes=()), subject) as made:
        found = [(picture.frame.number, picture.objects, picture.tags) for picture in made.pictures()]
    assert repr(found) == repr(list(expected(replace(objects, tags=(), shapes=()), subject)))


@given(tracks())
def test_states_are_those_of_a_plain_walk(track: Track) -> None:
    subject = replace(SUBJECT, last=LAST)
    with dataset(AnnotationSet(tracks=(track,)), subject) as made:
        found = list(made.parts[0].states(5, track))
    assert repr(found) == repr(list(expected_states(subject, 5, track)))


@given(tracks(), deletions)
def test_keyframes_around_deleted_frames_say_what_was_there(
    track: Track, deleted: tuple[tuple[int, int], ...]
) -> None:
    """What a reader makes of the written keyframes is on each shown frame what the track is there."""
    subject = replace(SUBJECT, last=LAST, deleted=deleted)
    with dataset(AnnotationSet(tracks=(track,)), subject) as made:
        states = list(made.parts[0].states(0, track))
    shown = [frame for frame in range(FRAMES) if not any(first <= frame <= last for first, last in deleted)]
    assert all(state.frame in shown for state, _ in states)
    assert [state.frame for state, _ in states] == sorted({state.frame for state, _ in states})
    visible = {
        state.frame: repr(state._replace(is_keyframe=False)) for state, is_outside in states if not is_outside
    }
    path = Path(track)
    there = {
        frame: repr(of_track(subject, track, 0, state, is_keyframe=False))
        for frame in shown
        if (state := path.at(frame)) is not None and not state.outside
    }
    assert visible == there
    # By keyframes alone: held from one to the next, which says where it is visible.
    keyframes = [(state.frame, is_outside) for state, is_outside in states if state.is_keyframe]
    held = {
        frame
        for frame in shown
        if (begun := [is_outside for number, is_outside in keyframes if number <= frame]) and not begun[-1]
    }
    assert held == set(there)


def long_track(chance: random.Random, kind: ShapeKind, first: int, keyframes: int) -> Track:
    numbers = NUMBERS.get(kind, 6)
    frame = first
    kept = []
    for _ in range(keyframes):
        kept.append(
            Keyframe(
                frame=frame,
                kind=kind,
                points=tuple(chance.random() * 100 for _ in range(numbers)),
                rotation=chance.choice([0.0, chance.random() * 359]),
                outside=chance.random() < 0.1,
                z_order=chance.randrange(2),
                attributes={2: str(chance.randrange(3))} if chance.random() < 0.2 else {},
            )
        )
        frame += chance.randrange(1, 4)
    return Track(label_id=7, keyframes=tuple(kept), attributes={3: str(first)})


def test_tracks_of_many_keyframes_are_cut_and_many_states_come_in_blocks() -> None:
    chance = random.Random(3)
    kinds = [ShapeKind.RECTANGLE] * 45 + [ShapeKind.CUBOID] * 3 + [ShapeKind.POLYGON] * 3 + [ShapeKind.POINTS]
    made = [
        long_track(chance, kind, chance.randrange(60), chance.choice([3, 128, 129, 130, 300]))
        for kind in kinds
    ]
    objects = AnnotationSet(tracks=tuple(made)).in_order()
    read(objects, replace(SUBJECT, last=699), rows=1000)
    subject = replace(SUBJECT, last=699)
    with dataset(objects, subject) as held:
        for number, track in enumerate(objects.tracks):
            found = list(held.parts[0].states(number, track))
            assert repr(found) == repr(list(expected_states(subject, number, track)))
