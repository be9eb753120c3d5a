import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yard.annotations.interpolation import state_at
from yard.annotations.merge import JobAnnotations, MergeReport, merge
from yard.annotations.model import AnnotationSet, ShapeKind, Tag, Track
from yard.annotations.slicing import Window, slice_track, sliced

from libs.annotations.tests.examples import SCHEMA, box, key, sets, shapes, tags, track, tracks

WINDOWS = (Window(0, 9), Window(5, 14), Window(10, 19), Window(15, 20))
APART = (Window(0, 9), Window(10, 19), Window(20, 20))
SIZE = 21


def job(number: int, window: Window, **objects: tuple[object, ...]) -> JobAnnotations:
    annotations = AnnotationSet(**objects)  # type: ignore[arg-type]
    return JobAnnotations(job_id=number, first=window.first, last=window.last, annotations=annotations)


A, B = Window(0, 9), Window(5, 14)


def test_boxes_with_an_iou_of_three_quarters_become_one_and_the_earlier_job_wins() -> None:
    first = box(6, 0, 0, 100, 75, id=1, attributes={11: "red"})
    second = box(6, 0, 0, 100, 100, id=2, attributes={11: "blue", 12: "5"})
    merged = merge([job(1, A, shapes=(first,)), job(2, B, shapes=(second,))], SCHEMA)
    assert merged.annotations.shapes == (replace(first, attributes={11: "blue", 12: "5"}),)
    assert merged.report == MergeReport(merged_shapes=1)


def test_the_parts_of_what_became_one_are_told() -> None:
    ours, theirs = box(6, 0, 0, 9, 9, id=1), box(6, 0, 0, 9, 9, id=2)
    copies = tuple(track(key(frame, 0, 0, 9, 9, outside=frame > 8), id=frame, origin="o") for frame in (7, 7))
    first = job(1, A, shapes=(ours, box(1, 0, 0, 9, 9, id=3)), tracks=copies[:1])
    parts = merge([first, job(2, B, shapes=(theirs,), tracks=copies[1:])], SCHEMA).parts
    assert (parts.tags, parts.shapes, parts.tracks) == ((), ((ours, theirs),), (copies,))


def test_an_attribute_that_the_earlier_job_set_stays() -> None:
    first = box(6, 0, 0, 9, 9, attributes={11: "green"})
    second = box(6, 0, 0, 9, 9, attributes={11: "blue"})
    merged = merge([job(1, A, shapes=(first,)), job(2, B, shapes=(second,))], SCHEMA)
    assert merged.annotations.shapes == (first,)


@pytest.mark.parametrize(
    "second",
    [
        box(6, 0, 0, 100, 102),
        box(6, 0, 0, 100, 75, label_id=2),
        box(6, 0, 0, 100, 75, rotation=45.0),
        box(7, 0, 0, 100, 75),
    ],
    ids=["less overlap", "other label", "turned", "other frame"],
)
def test_boxes_that_differ_stay_two(second: object) -> None:
    first = box(6, 0, 0, 100, 75)
    merged = merge([job(1, A, shapes=(first,)), job(2, B, shapes=(second,))], SCHEMA)
    assert len(merged.annotations.shapes) == 2


@pytest.mark.parametrize("kind", [ShapeKind.POLYGON, ShapeKind.POLYLINE, ShapeKind.POINTS, ShapeKind.ELLIPSE])
def test_only_boxes_merge(kind: ShapeKind) -> None:
    shape = box(6, 0, 0, 9, 0, 9, 9, kind=kind)
    merged = merge([job(1, A, shapes=(shape,)), job(2, B, shapes=(shape,))], SCHEMA)
    assert len(merged.annotations.shapes) == 2


def test_the_assignment_is_optimal_not_greedy() -> None:
    ours = (box(6, 0, 0, 100, 100, id=1), box(6, 0, 0, 100, 88, id=2))
    theirs = (box(6, 0, 0, 100, 90, id=3), box(6, 0, 0, 100, 78, id=4))
    merged = merge([job(1, A, shapes=ours), job(2, B, shapes=theirs)], SCHEMA)
    assert {shape.id for shape in merged.annotations.shapes} == {1, 2}


def test_a_pair_below_the_threshold_does_not_keep_a_good_one_apart() -> None:
    ours = (box(6, 0, 0, 100, 100, id=1), box(6, 26, 0, 126, 100, id=2))
    theirs = (box(6, 14, 0, 114, 100, id=3),)
    merged = merge([job(1, A, shapes=ours), job(2, B, shapes=theirs)], SCHEMA)
    assert merged.report.merged_shapes == 1


def test_equal_tags_on_the_overlap_become_one() -> None:
    ours = (Tag(frame=6, label_id=1, id=1), Tag(frame=2, label_id=1, id=2))
    theirs = (Tag(frame=6, label_id=1, id=3), Tag(frame=6, label_id=2, id=4))
    merged = merge([job(1, A, tags=ours), job(2, B, tags=theirs)], SCHEMA)
    assert [tag.id for tag in merged.annotations.tags] == [2, 1, 4]
    assert merged.report.merged_tags == 1


def test_tracks_unite_their_keyframes_and_the_earlier_start_gives_id_and_attributes() -> None:
    ours = track(key(6, 0, 0, 10, 10), key(9, 0, 0, 11, 10), id=1, attributes={11: "red"})
    theirs = track(
        key(5, 0, 0, 10, 10), key(9, 0, 0, 12, 10), key(14, 5, 0, 15, 10), id=2, attributes={11: "blue"}
    )
    merged = merge([job(1, A, tracks=(ours,)), job(2, B, tracks=(theirs,))], SCHEMA)
    (one,) = merged.annotations.tracks
    assert (one.id, one.attributes) == (2, {11: "blue"})
    assert one.keyframes == (theirs.keyframes[0], *ours.keyframes, theirs.keyframes[2])
    assert merged.report.merged_tracks == 1


def test_a_frame_on_which_only_one_track_is_visible_counts_as_no_overlap() -> None:
    ours = track(key(0, 0, 0, 10, 10))
    late = track(key(8, 0, 0, 10, 10))
    merged = merge([job(1, A, tracks=(ours,)), job(2, B, tracks=(late,))], SCHEMA)
    assert len(merged.annotations.tracks) == 2
    early = track(key(7, 0, 0, 10, 10))
    merged = merge([job(1, A, tracks=(ours,)), job(2, B, tracks=(early,))], SCHEMA)
    assert len(merged.annotations.tracks) == 1


def test_an_unmatched_visible_track_ends_after_its_job_but_not_in_the_last_one() -> None:
    ours, theirs = track(key(3, 0, 0, 9, 9), id=1), track(key(12, 50, 50, 60, 60), id=2)
    merged = merge([job(1, A, tracks=(ours,)), job(2, B, tracks=(theirs,))], SCHEMA)
    first, second = merged.annotations.tracks
    assert first.keyframes == (key(3, 0, 0, 9, 9), key(10, 0, 0, 9, 9, outside=True))
    assert second == theirs


def test_without_overlap_a_visible_track_ends_one_frame_after_its_job() -> None:
    ours = track(key(3, 0, 0, 9, 9))
    merged = merge([job(1, Window(0, 9), tracks=(ours,)), job(2, Window(10, 19))], SCHEMA)
    assert merged.annotations.tracks[0].keyframes[-1] == key(10, 0, 0, 9, 9, outside=True)


def test_a_chain_of_three_jobs_is_one_track() -> None:
    parts = [
        track(key(window.first, 0, 0, 10, 10), key(window.last, 1, 0, 11, 10), id=number)
        for number, window in enumerate(WINDOWS[:3], 1)
    ]
    jobs = [job(n, w, tracks=(part,)) for n, (w, part) in enumerate(zip(WINDOWS, parts, strict=False))]
    merged = merge(jobs, SCHEMA)
    (one,) = merged.annotations.tracks
    assert [keyframe.frame for keyframe in one.keyframes] == [0, 5, 9, 10, 14, 19]
    assert merged.report.merged_tracks == 2


def test_copies_of_one_origin_are_joined_whatever_their_kind_unless_one_was_changed() -> None:
    polygon = box(6, 0, 0, 9, 0, 9, 9, kind=ShapeKind.POLYGON, origin="o", id=1)
    copy = replace(polygon, id=7)
    merged = merge([job(1, A, shapes=(polygon,)), job(2, B, shapes=(copy,))], SCHEMA)
    assert merged.annotations.shapes == (polygon,)
    assert merged.report == MergeReport(joined_origins=1)
    changed = replace(copy, occluded=True)
    merged = merge([job(1, A, shapes=(polygon,)), job(2, B, shapes=(changed,))], SCHEMA)
    assert len(merged.annotations.shapes) == 2


def test_two_equal_objects_of_one_job_stay_two_even_if_they_share_an_origin() -> None:
    ours = (box(6, 0, 0, 9, 9, origin="o", id=1), box(6, 0, 0, 9, 9, origin="o", id=2))
    merged = merge([job(1, A, shapes=ours), job(2, B)], SCHEMA)
    assert len(merged.annotations.shapes) == 2


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
        if a[0] != pytest.approx(b[0], abs=1e-4) or a[2:] != b[2:]:
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


def test_a_hundred_thousand_boxes_of_two_annotators_merge_pair_by_pair() -> None:
    window, after = Window(0, 4999), Window(2500, 7499)
    ours, theirs = (
        tuple(
            box(frame, 20 * n, 0, 20 * n + 15, 15) for frame in range(w.first, w.last + 1) for n in range(10)
        )
        for w in (window, after)
    )
    merged = merge([job(1, window, shapes=ours), job(2, after, shapes=theirs)], SCHEMA)
    assert merged.report.merged_shapes == 25_000
    assert len(merged.annotations.shapes) == 75_000


def test_slicing_puts_keyframes_where_it_cuts() -> None:
    moving = track(key(0, 0, 0, 10, 10, attributes={12: "5"}), key(20, 20, 0, 30, 10))
    cut = slice_track(moving, Window(5, 9))
    assert cut is not None
    assert cut.keyframes == (key(5, 5, 0, 15, 10, attributes={12: "5"}), key(9, 9, 0, 19, 10))


def test_slicing_drops_what_is_not_visible() -> None:
    gone = track(key(0, 0, 0, 1, 1), key(4, 0, 0, 1, 1, outside=True), key(12, 0, 0, 1, 1))
    assert slice_track(gone, Window(5, 9)) is None
    cut = slice_track(gone, Window(5, 14))
    assert cut is not None
    assert [keyframe.frame for keyframe in cut.keyframes] == [12]
