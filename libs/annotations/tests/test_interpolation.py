import pytest
from hypothesis import given
from hypothesis import strategies as st
from yard.annotations.interpolation import Path, mixed_rotation, state_at, states
from yard.annotations.model import Keyframe, ShapeKind, Track
from yard.annotations.outlines import OutlineMatch

from libs.annotations.tests.examples import key, outlines, track, tracks


def test_a_rectangle_moves_linearly_and_holds_after_its_last_keyframe() -> None:
    moving = track(key(2, 0, 0, 10, 10), key(6, 8, 4, 18, 14))
    assert state_at(moving, 1) is None
    assert state_at(moving, 4) == key(4, 4, 2, 14, 12)
    assert state_at(moving, 99) == key(99, 8, 4, 18, 14)


@pytest.mark.parametrize(
    ("before", "after", "share", "expected"),
    [(350, 10, 0.5, 0), (10, 350, 0.25, 5), (0, 180, 0.5, 90), (180, 0, 0.5, 270), (90, 90, 0.3, 90)],
)
def test_rotation_takes_the_shorter_arc_a_half_turn_included(
    before: float, after: float, share: float, expected: float
) -> None:
    assert mixed_rotation(before, after, share) == pytest.approx(expected)


@given(st.floats(0, 359.999), st.floats(0, 359.999), st.floats(0, 1))
def test_a_mixed_rotation_is_an_angle(before: float, after: float, share: float) -> None:
    assert 0 <= mixed_rotation(before, after, share) < 360


def test_outside_holds_until_the_next_keyframe_and_attributes_step() -> None:
    gone = track(
        key(0, 0, 0, 1, 1, attributes={12: "5"}),
        key(4, 4, 0, 5, 1, outside=True),
        key(8, 8, 0, 9, 1, occluded=True, attributes={12: "10"}),
    )
    found = list(states(gone, 0, 9))
    assert [state.outside for state in found] == [False] * 4 + [True] * 4 + [False] * 2
    assert [state.attributes[12] for state in found] == ["5"] * 8 + ["10"] * 2
    assert list(found[6].points) == [4, 0, 5, 1]
    assert [state.occluded for state in found] == [False] * 8 + [True] * 2


@given(st.data(), st.sampled_from([ShapeKind.RECTANGLE, ShapeKind.POLYGON, ShapeKind.POLYLINE]))
def test_interpolation_is_exact_at_keyframes(data: st.DataObject, kind: ShapeKind) -> None:
    drawn: Track = data.draw(tracks(20, kind))
    path = Path(drawn)
    for keyframe in drawn.keyframes:
        state = path.at(keyframe.frame)
        assert state is not None
        assert (state.points, state.rotation, state.outside) == (
            keyframe.points,
            keyframe.rotation,
            keyframe.outside,
        )
        assert path.is_keyframe(keyframe.frame)


def test_polygons_of_equal_shape_move_vertex_by_vertex() -> None:
    square = (0.0, 0.0, 4.0, 0.0, 4.0, 4.0, 0.0, 4.0)
    moved = tuple(number + 10 for number in square)
    assert OutlineMatch(square, moved, is_closed=True).at(0.5) == tuple(number + 5 for number in square)


def test_a_vertex_that_only_one_outline_has_grows_out_of_the_other() -> None:
    line, bent = (0.0, 0.0, 10.0, 0.0), (0.0, 0.0, 5.0, 5.0, 10.0, 0.0)
    found = OutlineMatch(line, bent, is_closed=False).at(0.999)
    assert found[:2] == pytest.approx((0, 0), abs=0.01)
    assert found[-2:] == pytest.approx((10, 0), abs=0.01)
    assert len(found) == 6


@given(outlines(3), outlines(3), st.floats(0, 1), st.booleans())
def test_outlines_stay_between_both(
    before: tuple[float, ...], after: tuple[float, ...], share: float, is_closed: bool
) -> None:
    found = OutlineMatch(before, after, is_closed=is_closed).at(share)
    assert len(found) % 2 == 0
    assert len(found) >= 2
    for axis in (0, 1):
        both = (*before[axis::2], *after[axis::2])
        assert min(both) - 1e-6 <= min(found[axis::2])
        assert max(found[axis::2]) <= max(both) + 1e-6


def test_outlines_without_length_do_not_divide_by_zero() -> None:
    assert OutlineMatch((1, 1, 1, 1, 1, 1), (3, 3, 3, 3, 3, 3), is_closed=True).at(0.5)[:2] == (2, 2)


def test_points_move_while_their_number_stays() -> None:
    def at(frame: int, *points: float) -> Keyframe:
        return key(frame, *points, kind=ShapeKind.POINTS)

    moving = track(at(0, 0, 0, 2, 2), at(2, 2, 2, 4, 4), at(4, 9, 9))
    assert [state.points for state in states(moving, 1, 3)] == [(1, 1, 3, 3), (2, 2, 4, 4), (2, 2, 4, 4)]
