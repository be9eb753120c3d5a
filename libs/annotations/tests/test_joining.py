from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yard.annotations.joining import join_copies, join_each
from yard.annotations.model import Keyframe, ShapeKind, Track
from yard.annotations.slicing import Window, slice_track

from libs.annotations.tests.examples import key, track, tracks

SIZE = 21
WINDOWS = (Window(0, 9), Window(5, 14), Window(10, 19), Window(15, 20))
APART = (Window(0, 9), Window(10, 19), Window(20, 20))


def _copies(whole: Track, windows: tuple[Window, ...]) -> list[tuple[int, Track]]:
    cuts = enumerate(slice_track(whole, window) for window in windows)
    return [(job, cut) for job, cut in cuts if cut is not None]


def _as_cuboid(whole: Track) -> Track:
    keyframes = [
        replace(one, kind=ShapeKind.CUBOID, points=one.points * 4, rotation=0.0) for one in whole.keyframes
    ]
    return replace(whole, keyframes=tuple(keyframes))


def _moved(one: Keyframe) -> Keyframe:
    return replace(one, points=tuple(number + 1 for number in one.points))


def _hidden(one: Keyframe) -> Keyframe:
    return replace(one, occluded=not one.occluded)


def _gone(one: Keyframe) -> Keyframe:
    return replace(one, outside=True)


def _faster(one: Keyframe) -> Keyframe:
    return replace(one, attributes={12: "95"})


changes = st.sampled_from([None, None, _moved, _hidden, _gone, _faster])


@given(
    st.lists(tracks(SIZE), min_size=1, max_size=4),
    st.sampled_from([WINDOWS, APART]),
    st.sampled_from([lambda whole: whole, _as_cuboid]),
    st.data(),
)
def test_joining_all_tracks_at_once_is_joining_each(
    drawn: list[Track],
    windows: tuple[Window, ...],
    kind: Callable[[Track], Track],
    data: st.DataObject,
) -> None:
    groups = []
    for whole in drawn:
        copies = _copies(kind(whole), windows)
        if change := data.draw(changes):
            number = data.draw(st.integers(0, len(copies) - 1))
            job, cut = copies[number]
            place = data.draw(st.integers(0, len(cut.keyframes) - 1))
            keyframes = list(cut.keyframes)
            keyframes[place] = change(keyframes[place])
            copies[number] = (job, replace(cut, keyframes=tuple(keyframes)))
        if len(copies) > 1 and data.draw(st.booleans()):
            del copies[data.draw(st.integers(0, len(copies) - 1))]
        groups.append(copies)
    joined = join_copies(groups, windows)
    assert joined == [join_each(copies, windows) for copies in groups]


def test_copies_of_another_label_are_not_of_one_track() -> None:
    (first, one), (second, other) = _copies(track(key(0, 0, 0, 9, 9)), WINDOWS[:2])
    assert join_copies([[(first, one), (second, replace(other, label_id=2))]], WINDOWS) == [None]


@pytest.mark.parametrize("spacing", [1, 3, 7, 20])
def test_only_keyframes_that_the_cut_made_are_left_out_again(spacing: int) -> None:
    whole = track(*(key(frame, frame * frame, 0, frame * frame + 9, 9) for frame in range(0, SIZE, spacing)))
    assert join_copies([_copies(whole, WINDOWS)], WINDOWS) == [whole]


def test_an_attribute_set_on_a_keyframe_that_is_left_out_moves_to_the_next() -> None:
    straight = track(key(0, 0, 0, 9, 9, attributes={12: "5"}), key(20, 20, 0, 29, 9, attributes={12: "10"}))
    assert join_copies([_copies(straight, WINDOWS)], WINDOWS) == [straight]
