from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace

import pytest
from yard.annotations.model import Keyframe, Shape, ShapeKind, Source, Track
from yard.annotations.slicing import Window
from yard.task.domain.annotation_changes import Changes, Site, content, copies_of, replaced, update

A = Site(job_id=1, window=Window(0, 9))
B = Site(job_id=2, window=Window(5, 14))
C = Site(job_id=3, window=Window(12, 20))
ALL = (A, B, C)


@pytest.fixture
def new_origin() -> Callable[[], str]:
    numbers = itertools.count(1)
    return lambda: f"new-{next(numbers)}"


def box(frame: int, **more: object) -> Shape:
    values = {"label_id": 1, "kind": ShapeKind.RECTANGLE, "points": (0.0, 0.0, 9.0, 9.0), **more}
    return Shape(frame=frame, **values)  # type: ignore[arg-type]


def stored(changes: Changes[Shape], first_id: int = 1) -> list[Shape]:
    """The rows as they are after the changes, in the order in which they are read."""
    changes.numbered(range(first_id, first_id + len(changes.created)))
    return sorted(changes.inserted, key=lambda shape: (shape.frame, shape.id))


def test_each_job_that_sees_the_frame_gets_a_copy() -> None:
    assert [copy.job_id for copy in copies_of(box(7, id=9, origin="x"), ALL)] == [1, 2]
    assert copies_of(box(7, id=9, origin="x"), ALL)[0] == box(7, job_id=1)
    assert [copy.job_id for copy in copies_of(box(17), ALL)] == [3]


def test_a_job_that_is_asked_alone_cuts_nothing() -> None:
    keyframes = tuple(Keyframe(frame=f, kind=ShapeKind.RECTANGLE, points=(0, 0, 1, 1)) for f in (2, 30))
    track = Track(label_id=1, keyframes=keyframes)
    (copy,) = copies_of(track, [replace(A, is_whole=True)])
    assert copy.keyframes == keyframes


def test_new_copies_share_an_origin_and_single_objects_have_none(new_origin: Callable[[], str]) -> None:
    changes = replaced([copies_of(box(7), ALL), copies_of(box(1), ALL)], [], new_origin)
    assert [(row.job_id, row.origin) for row in changes.created] == [(1, "new-1"), (2, "new-1"), (1, "")]
    assert changes.heads == [0, 2]


def test_equal_objects_stay_as_they_are(new_origin: Callable[[], str]) -> None:
    wanted = [copies_of(box(7), ALL), copies_of(box(7), ALL), copies_of(box(1), ALL)]
    rows = stored(replaced(wanted, [], new_origin))
    again = replaced(wanted, rows, new_origin)
    assert (again.created, again.updated, again.deleted) == ([], [], [])
    assert [head.id for head in again.heads if isinstance(head, Shape)] == [1, 3, 5]


def test_a_missing_copy_joins_the_one_that_is_there(new_origin: Callable[[], str]) -> None:
    row = box(7, id=4, job_id=2, origin="old")
    changes = replaced([copies_of(box(7), ALL)], [row], new_origin)
    assert changes.created == [box(7, job_id=1, origin="old")]
    assert changes.deleted == []


def test_rows_that_do_not_belong_together_are_written_again(new_origin: Callable[[], str]) -> None:
    rows = [box(7, id=4, job_id=1), box(7, id=5, job_id=2)]
    changes = replaced([copies_of(box(7), ALL)], rows, new_origin)
    assert {row.origin for row in changes.created} == {"new-1"}
    assert changes.deleted == rows


def test_an_update_keeps_ids_where_there_are_copies(new_origin: Callable[[], str]) -> None:
    rows = [box(7, id=4, job_id=1, origin="old"), box(7, id=5, job_id=2, origin="old")]
    changes: Changes[Shape] = Changes()
    update(changes, copies_of(box(13), ALL), rows, new_origin)
    assert changes.updated == [
        (rows[1], box(13, id=5, job_id=2, origin="old")),
        (rows[0], box(13, id=4, job_id=3, origin="old")),
    ]
    assert (changes.created, changes.deleted) == ([], [])


def test_an_update_to_the_same_is_none(new_origin: Callable[[], str]) -> None:
    changes: Changes[Shape] = Changes()
    row = box(1, id=4, job_id=1, origin="of a copy")
    update(changes, copies_of(box(1), [replace(A, is_whole=True)]), [row], new_origin)
    assert (changes.created, changes.updated, changes.deleted) == ([], [], [])


@pytest.mark.parametrize(
    "change",
    [
        {"frame": 2},
        {"points": (0.0, 0.0, 9.0, 8.0)},
        {"kind": ShapeKind.ELLIPSE},
        {"rotation": 1.0},
        {"occluded": True},
        {"z_order": 1},
        {"group": 1},
        {"source": Source.AUTO},
        {"label_id": 2},
        {"attributes": {1: ""}},
    ],
)
def test_every_field_is_content_but_ids_and_places(change: dict[str, object]) -> None:
    plain = box(1)
    assert content(plain) == content(box(1, id=3, job_id=4, origin="x"))
    assert content(plain) != content(replace(plain, **change))  # type: ignore[arg-type]
