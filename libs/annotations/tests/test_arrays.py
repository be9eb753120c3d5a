import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from yard.annotations.arrays import KeyframeArrays
from yard.annotations.interpolation import Path
from yard.annotations.model import Keyframe, ShapeKind, Track

from libs.annotations.tests.examples import key, track, tracks

FRAMES = 25


@given(st.lists(tracks(FRAMES), min_size=1, max_size=4), st.data())
def test_whole_ranges_of_many_tracks_are_those_of_single_frames_to_the_bit(
    drawn: list[Track], data: st.DataObject
) -> None:
    first = data.draw(st.integers(0, FRAMES))
    last = data.draw(st.integers(first, FRAMES + 5))
    arrays = [
        KeyframeArrays(drawn, ShapeKind.RECTANGLE),
        KeyframeArrays(drawn, ShapeKind.RECTANGLE, first=first, last=last),
    ]
    for states in (each.between(first, last) for each in arrays):
        for number, whole in enumerate(drawn):
            path = Path(whole)
            for column, frame in enumerate(range(first, last + 1)):
                state = path.at(frame)
                place = sum(keyframe.frame <= frame for keyframe in whole.keyframes) - 1
                assert states.place[number, column] == place
                assert bool(states.visible[number, column]) is (state is not None and not state.outside)
                if state is not None:
                    assert states.values[number, column].tolist() == [*state.points, state.rotation]


@pytest.mark.parametrize(("kind", "numbers"), [(ShapeKind.ELLIPSE, 4), (ShapeKind.CUBOID, 16)])
def test_other_kinds_that_move_linearly_do_so(kind: ShapeKind, numbers: int) -> None:
    ends = [Keyframe(frame=frame, kind=kind, points=(float(frame),) * numbers) for frame in (2, 6)]
    states = KeyframeArrays([track(*ends)], kind).between(4, 7)
    assert states.values[0, :, 0].tolist() == [4, 5, 6, 6]
    assert states.values.shape == (1, 4, numbers + 1)


@given(st.lists(tracks(FRAMES), min_size=1, max_size=3), st.integers(1, 7))
def test_blocks_of_frames_are_the_range_in_pieces(drawn: list[Track], size: int) -> None:
    arrays = KeyframeArrays(drawn, ShapeKind.RECTANGLE)
    pieces = list(arrays.blocks(3, FRAMES, states=size * len(drawn)))
    assert [first for first, _ in pieces] == list(range(3, FRAMES + 1, size))
    joined = np.concatenate([states.values for _, states in pieces], axis=1)
    assert np.array_equal(joined, arrays.between(3, FRAMES).values)


@given(tracks(FRAMES))
def test_a_path_goes_through_its_keyframes_in_even_steps_along_the_shorter_arc(drawn: Track) -> None:
    values = KeyframeArrays([drawn], ShapeKind.RECTANGLE).between(0, FRAMES).values[0]
    for one, other in zip(drawn.keyframes, drawn.keyframes[1:], strict=False):
        assert values[one.frame].tolist() == [*one.points, one.rotation]
        if one.outside:
            continue
        steps = np.diff(values[one.frame : other.frame + 1], axis=0)
        turn = (other.rotation - one.rotation) % 360
        arc = turn if turn <= 180 else turn - 360
        expected = np.append(np.subtract(other.points, one.points), arc) / (other.frame - one.frame)
        steps[:, -1] = (steps[:, -1] + 180) % 360 - 180
        expected[-1] = (expected[-1] + 180) % 360 - 180
        apart = np.abs(steps - expected)
        apart[:, -1] = np.minimum(apart[:, -1], 360 - apart[:, -1])
        assert apart.max() < 1e-9


def test_a_half_turn_goes_clockwise_through_a_quarter() -> None:
    turning = track(key(0, 0, 0, 9, 9, rotation=270.0), key(2, 0, 0, 9, 9, rotation=90.0))
    values = KeyframeArrays([turning], ShapeKind.RECTANGLE).between(0, 2).values
    assert values[0, :, 4].tolist() == [270, 0, 90]
