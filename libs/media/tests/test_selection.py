import pytest
from hypothesis import given
from hypothesis import strategies as st
from yard.media.errors import MediaError
from yard.media.selection import FrameSelection


@given(st.integers(0, 60), st.none() | st.integers(0, 60), st.integers(1, 70), st.integers(0, 50))
def test_selected_frames_are_those_of_a_range(start: int, stop: int | None, step: int, source: int) -> None:
    selection = FrameSelection(start=start, stop=stop, step=step)
    expected = range(source)[start : source if stop is None else stop + 1 : step]
    if not expected:
        with pytest.raises(MediaError, match="no frame is selected"):
            selection.count(source)
        return
    assert selection.count(source) == len(expected)
    assert [selection.absolute(relative) for relative in range(len(expected))] == [*expected]
    assert [selection.relative(absolute) for absolute in expected] == [*range(len(expected))]


def test_stop_zero_is_the_first_frame_and_not_unset() -> None:
    assert FrameSelection(stop=0).count(10) == 1
    assert FrameSelection().count(10) == 10


@pytest.mark.parametrize("absolute", [0, 1, 3, 11])
def test_frames_that_are_not_selected_have_no_number(absolute: int) -> None:
    with pytest.raises(MediaError, match=f"source frame {absolute} is not selected"):
        FrameSelection(start=2, stop=10, step=2).relative(absolute)


@pytest.mark.parametrize("wrong", [{"start": -1}, {"stop": -1}, {"step": 0}, {"step": -3}])
def test_a_selection_has_limits(wrong: dict[str, int]) -> None:
    with pytest.raises(MediaError, match="must be 0 or more"):
        FrameSelection(**wrong)
