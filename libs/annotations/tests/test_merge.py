from dataclasses import replace

import pytest
from yard.annotations.merge import MergeReport, merge
from yard.annotations.model import AnnotationSet, ShapeKind, Tag
from yard.annotations.slicing import Window, slice_track

from libs.annotations.tests.examples import (
    SCHEMA,
    WINDOWS,
    box,
    job,
    key,
    track,
)

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


def test_turned_boxes_merge_at_exactly_three_quarters_of_their_own_overlap() -> None:
    first, second = box(6, 0, 0, 100, 100, rotation=30.0), box(6, 0, 12.5, 100, 87.5, rotation=30.0)
    merged = merge([job(1, A, shapes=(first,)), job(2, B, shapes=(second,))], SCHEMA)
    assert merged.annotations.shapes == (first,)
    less = replace(second, points=(0.0, 12.6, 100.0, 87.5))
    assert len(merge([job(1, A, shapes=(first,)), job(2, B, shapes=(less,))], SCHEMA).annotations) == 2
    upright = replace(second, rotation=120.0)
    assert len(merge([job(1, A, shapes=(first,)), job(2, B, shapes=(upright,))], SCHEMA).annotations) == 1


def test_tracks_merge_at_exactly_half_of_their_overlap_and_not_below() -> None:
    ours, theirs = track(key(0, 0, 0, 10, 10)), track(key(5, 0, 0, 10, 5), id=2)
    assert len(merge([job(1, A, tracks=(ours,)), job(2, B, tracks=(theirs,))], SCHEMA).annotations) == 1
    less = track(key(5, 0, 0, 10, 4.99), id=2)
    assert len(merge([job(1, A, tracks=(ours,)), job(2, B, tracks=(less,))], SCHEMA).annotations) == 2


def test_frames_on_which_both_are_outside_do_not_count() -> None:
    ours = track(key(0, 0, 0, 10, 10), key(7, 0, 0, 10, 10, outside=True))
    theirs = track(key(5, 0, 0, 10, 10), key(7, 0, 0, 10, 10, outside=True), key(9, 0, 0, 10, 10))
    merged = merge([job(1, A, tracks=(ours,)), job(2, B, tracks=(theirs,))], SCHEMA)
    (one,) = merged.annotations.tracks
    assert [(k.frame, k.outside) for k in one.keyframes] == [(0, False), (5, False), (7, True), (9, False)]
    seen_later = replace(theirs, keyframes=(*theirs.keyframes[:2], key(8, 0, 0, 10, 10)))
    merged = merge([job(1, A, tracks=(ours,)), job(2, B, tracks=(seen_later,))], SCHEMA)
    assert merged.report.merged_tracks == 1
    never_together = replace(theirs, keyframes=(key(7, 0, 0, 10, 10),))
    assert (
        len(merge([job(1, A, tracks=(ours,)), job(2, B, tracks=(never_together,))], SCHEMA).annotations) == 2
    )


def test_a_track_that_turns_by_half_merges_with_one_that_goes_the_same_way() -> None:
    ours = track(key(0, 0, 0, 40, 10, rotation=0.0), key(9, 0, 0, 40, 10, rotation=180.0))
    theirs = track(
        key(5, 0, 0, 40, 10, rotation=100.0), key(14, 0, 0, 40, 10, rotation=280.0), label_id=1, id=2
    )
    merged = merge([job(1, A, tracks=(ours,)), job(2, B, tracks=(theirs,))], SCHEMA)
    (one,) = merged.annotations.tracks
    assert [(k.frame, k.rotation) for k in one.keyframes] == [(0, 0), (5, 100), (9, 180), (14, 280)]


def test_a_chain_grows_over_four_jobs_from_a_track_that_starts_earlier_in_a_later_one() -> None:
    first = track(key(7, 0, 0, 10, 10), key(9, 0, 0, 10, 10), id=1)
    second = track(key(5, 0, 0, 10, 10), key(14, 0, 0, 10, 10), id=2)
    third = track(key(11, 0, 0, 10, 10), key(19, 0, 0, 10, 10), id=3)
    fourth = track(key(15, 0, 0, 10, 10), key(20, 0, 0, 10, 10, outside=True), id=4)
    jobs = [
        job(n, w, tracks=(t,))
        for n, (w, t) in enumerate(zip(WINDOWS, (first, second, third, fourth), strict=True), 1)
    ]
    (one,) = merge(jobs, SCHEMA).annotations.tracks
    assert (one.id, [k.frame for k in one.keyframes]) == (2, [5, 7, 9, 11, 14, 15, 19, 20])
    without = [*jobs[:2], replace(jobs[2], annotations=AnnotationSet()), jobs[3]]
    ended, alone = merge(without, SCHEMA).annotations.tracks
    assert [(k.frame, k.outside) for k in ended.keyframes][-2:] == [(14, False), (15, True)]
    assert alone == fourth


def test_of_objects_in_one_place_those_that_say_the_same_become_one() -> None:
    ours = tuple(box(6, 0, 0, 9, 9, attributes=value, id=n) for n, value in enumerate(({11: "blue"}, {}), 1))
    theirs = tuple(
        box(6, 0, 0, 9, 9, attributes=value, id=n) for n, value in enumerate(({}, {11: "blue"}), 3)
    )
    merged = merge([job(1, A, shapes=ours), job(2, B, shapes=theirs)], SCHEMA)
    assert merged.annotations.shapes == ours
