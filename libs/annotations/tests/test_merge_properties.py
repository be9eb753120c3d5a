import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yard.annotations.interpolation import state_at
from yard.annotations.merge import JobAnnotations, merge
from yard.annotations.model import AnnotationSet, ShapeKind, Tag, Track
from yard.annotations.slicing import Window, sliced

from libs.annotations.tests.examples import (
    APART,
    SCHEMA,
    SIZE,
    WINDOWS,
    job,
    sets,
    shapes,
    tags,
    tracks,
)


def _jobs(annotations: AnnotationSet, windows: tuple[Window, ...]) -> list[JobAnnotations]:
    return [
        JobAnnotations(job_id=n, first=w.first, last=w.last, annotations=sliced(annotations, w))
        for n, w in enumerate(windows, 1)
    ]


def _with_origins(annotations: AnnotationSet) -> AnnotationSet:
    """Each object its own origin, as one that was written at the level of the task."""
    marks, stills = enumerate(annotations.tags), enumerate(annotations.shapes)
    moving = enumerate(annotations.tracks)
    return AnnotationSet(
        tags=tuple(replace(tag, frame=tag.frame % SIZE, id=i, origin=f"g{i}") for i, tag in marks),
        shapes=tuple(replace(one, frame=one.frame % SIZE, id=i, origin=f"s{i}") for i, one in stills),
        tracks=tuple(replace(one, id=i, origin=f"t{i}") for i, one in moving),
    )


def _seen(track: Track) -> list[object]:
    found: list[object] = []
    for frame in range(SIZE):
        state = state_at(track, frame)
        if state is None or state.outside:
            found.append(None)
        else:
            found.append(
                (state.points, state.rotation, state.occluded, state.z_order, dict(state.attributes))
            )
    return found


def _same_sight(one: Track, other: Track) -> bool:
    for a, b in zip(_seen(one), _seen(other), strict=True):
        if a is None or b is None:
            if a is not b:
                return False
            continue
        assert isinstance(a, tuple)
        assert isinstance(b, tuple)
        turn = abs(a[1] - b[1])
        if a[0] != pytest.approx(b[0], abs=1e-4) or min(turn, 360 - turn) > 1e-4 or a[2:] != b[2:]:
            return False
    return True


@given(sets(SIZE), st.sampled_from([WINDOWS, APART]))
def test_slicing_and_merging_gives_one_annotators_objects_back(
    drawn: AnnotationSet, windows: tuple[Window, ...]
) -> None:
    whole = _with_origins(drawn)
    merged = merge(_jobs(whole, windows), SCHEMA).annotations
    assert merged.tags == whole.in_order().tags
    assert merged.shapes == whole.in_order().shapes
    assert len(merged.tracks) == len(whole.tracks)
    found = {track.origin: track for track in merged.tracks}
    for track_ in whole.tracks:
        assert _same_sight(track_, found[track_.origin])
        assert (track_.id, track_.label_id) == (found[track_.origin].id, found[track_.origin].label_id)


@given(tracks(SIZE, ShapeKind.POLYGON), st.sampled_from([WINDOWS, APART]))
def test_polygon_tracks_keep_their_keyframes_through_slicing_and_merging(
    drawn: Track, windows: tuple[Window, ...]
) -> None:
    whole = replace(drawn, origin="o")
    (merged,) = merge(_jobs(AnnotationSet(tracks=(whole,)), windows), SCHEMA).annotations.tracks
    visible = {keyframe.frame for keyframe in drawn.keyframes if not keyframe.outside}
    kept = {keyframe.frame: keyframe.points for keyframe in merged.keyframes}
    borders = {frame for window in windows for frame in (window.first, window.last)}
    for keyframe in drawn.keyframes:
        if keyframe.frame in visible - borders:
            assert kept[keyframe.frame] == keyframe.points


@given(
    st.lists(
        st.tuples(st.lists(shapes, max_size=5), st.lists(tracks(SIZE), max_size=3)), min_size=4, max_size=4
    ),
    st.randoms(use_true_random=False),
)
def test_the_order_of_jobs_and_objects_does_not_matter(
    drawn: list[tuple[list[object], list[Track]]], shuffle: random.Random
) -> None:
    jobs = []
    for number, (window, (stills, moving)) in enumerate(zip(WINDOWS, drawn, strict=True), 1):
        whole = AnnotationSet(shapes=tuple(stills), tracks=tuple(moving))  # type: ignore[arg-type]
        jobs.append(job(number, window, **_objects(sliced(whole, window))))
    mixed = []
    for one in jobs:
        objects = {
            name: shuffle.sample(items, len(items)) for name, items in _objects(one.annotations).items()
        }
        mixed.append(
            replace(one, annotations=AnnotationSet(**{n: tuple(i) for n, i in objects.items()}))  # type: ignore[arg-type]
        )
    shuffle.shuffle(mixed)
    assert merge(mixed, SCHEMA) == merge(jobs, SCHEMA)


def _objects(annotations: AnnotationSet) -> dict[str, tuple[object, ...]]:
    return {"tags": annotations.tags, "shapes": annotations.shapes, "tracks": annotations.tracks}


@given(st.lists(st.lists(shapes, max_size=6), min_size=4, max_size=4), st.lists(tags, max_size=5))
def test_no_object_is_lost_or_doubled(drawn: list[list[object]], marks: list[Tag]) -> None:
    jobs = [
        job(n, w, **_objects(sliced(AnnotationSet(shapes=tuple(s), tags=tuple(marks)), w)))  # type: ignore[arg-type]
        for n, (w, s) in enumerate(zip(WINDOWS, drawn, strict=True), 1)
    ]
    plain = [replace(j, annotations=_without_origins(j.annotations)) for j in jobs]
    merged = merge(plain, SCHEMA)
    given_ = sum(len(j.annotations.shapes) for j in jobs)
    assert len(merged.annotations.shapes) == given_ - merged.report.merged_shapes


def _without_origins(annotations: AnnotationSet) -> AnnotationSet:
    return AnnotationSet(
        tags=tuple(replace(tag, origin="") for tag in annotations.tags),
        shapes=tuple(replace(shape, origin="") for shape in annotations.shapes),
    )


def _numbered(jobs: list[JobAnnotations]) -> list[JobAnnotations]:
    """Every object its own id and no origin, as people draw them."""
    ids = iter(range(1, 10_000))
    return [
        replace(
            one,
            annotations=AnnotationSet(
                **{  # type: ignore[arg-type]
                    name: tuple(replace(item, id=next(ids), origin="") for item in items)  # type: ignore[type-var]
                    for name, items in _objects(one.annotations).items()
                }
            ),
        )
        for one in jobs
    ]


drawn_jobs = st.lists(sets(SIZE), min_size=4, max_size=4).map(
    lambda drawn: _numbered(
        [
            job(number, window, **_objects(sliced(whole, window)))
            for number, (window, whole) in enumerate(zip(WINDOWS, drawn, strict=True), 1)
        ]
    )
)


def _by_ids(merged: AnnotationSet) -> dict[int, object]:
    return {item.id: item for items in _objects(merged).values() for item in items}  # type: ignore[attr-defined]


@given(drawn_jobs)
def test_no_keyframe_is_lost_and_on_the_same_frame_the_earlier_jobs_stands(
    jobs: list[JobAnnotations],
) -> None:
    merged = merge(jobs, SCHEMA)
    found = _by_ids(merged.annotations)
    several = {part.id: parts for parts in merged.parts.tracks for part in parts}
    for whole in (each for one in jobs for each in one.annotations.tracks):
        parts = several.get(whole.id, (whole,))
        head = min(parts, key=lambda part: part.first_frame)
        one = found[head.id]
        assert isinstance(one, Track)
        assert (one.label_id, one.attributes) == (head.label_id, head.attributes)
        expected = {k.frame: k for part in reversed(parts) for k in part.keyframes}
        kept = {k.frame: k for k in one.keyframes}
        assert {frame: kept.get(frame) for frame in expected} == expected
        assert all(kept[frame].outside for frame in kept.keys() - expected.keys())


@given(drawn_jobs, st.randoms(use_true_random=False))
def test_the_order_in_which_objects_were_saved_does_not_matter(
    jobs: list[JobAnnotations], shuffle: random.Random
) -> None:
    ids = [item.id for one in jobs for items in _objects(one.annotations).values() for item in items]  # type: ignore[attr-defined]
    later = shuffle.sample(ids, len(ids))
    new_id = dict(zip(ids, later, strict=True))
    saved_otherwise = [
        replace(
            one,
            annotations=AnnotationSet(
                **{  # type: ignore[arg-type]
                    name: tuple(replace(item, id=new_id[item.id]) for item in items)  # type: ignore[type-var, attr-defined]
                    for name, items in _objects(one.annotations).items()
                }
            ),
        )
        for one in jobs
    ]
    one, other = merge(jobs, SCHEMA), merge(saved_otherwise, SCHEMA)
    assert one.report == other.report
    assert _nameless(one.annotations) == _nameless(other.annotations)


def _nameless(annotations: AnnotationSet) -> list[str]:
    items = [item for items in _objects(annotations).values() for item in items]
    return sorted(repr(replace(item, id=0, job_id=0, origin="")) for item in items)  # type: ignore[type-var]


@given(drawn_jobs)
def test_merging_what_was_merged_changes_nothing(jobs: list[JobAnnotations]) -> None:
    once = merge(jobs, SCHEMA).annotations
    assert merge([job(1, Window(0, SIZE - 1), **_objects(once))], SCHEMA).annotations == once
    stills = AnnotationSet(tags=once.tags, shapes=once.shapes)
    again = merge(_numbered(_jobs(stills, WINDOWS)), SCHEMA).annotations
    assert _nameless(again) == _nameless(stills)


@given(drawn_jobs, st.sampled_from([WINDOWS, APART]))
def test_a_merged_task_written_to_its_jobs_is_merged_to_the_same(
    jobs: list[JobAnnotations], windows: tuple[Window, ...]
) -> None:
    once = _with_origins(merge(jobs, SCHEMA).annotations)
    again = merge(_jobs(once, windows), SCHEMA).annotations
    assert (again.tags, again.shapes) == (once.in_order().tags, once.in_order().shapes)
    found = {track.origin: track for track in again.tracks}
    assert len(found) == len(once.tracks)
    assert all(_same_sight(whole, found[whole.origin]) for whole in once.tracks)
