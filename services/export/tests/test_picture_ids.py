"""Ids of pictures beside a dictionary."""

import sys

from hypothesis import given
from hypothesis import strategies as st
from yard.export.formats.picture_ids import REFUSED, PictureIds

IDS = st.one_of(
    st.integers(min_value=-3, max_value=12),
    st.sampled_from([2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 2**80]),
    st.text(max_size=2),
)


@given(st.dictionaries(IDS, st.integers(min_value=REFUSED, max_value=2**31 - 1)), IDS)
def test_each_id_has_its_frame(frames: dict[int | str, int], other: int | str) -> None:
    ids = PictureIds()
    for number, frame in frames.items():
        assert ids.find(number) is None
        ids.add(number, frame)
    for number in (*frames, other):
        assert ids.find(number) == frames.get(number)


def test_ascending_numbers_take_little_room() -> None:
    ids = PictureIds()
    for number in range(100_000):
        ids.add(number + 10**12, number)
    held = [getattr(ids, name) for name in ("_ids", "_frames", "_others")]
    assert sum(map(sys.getsizeof, held)) < 100_000 * 14
    assert ids.find(10**12 + 99_999) == 99_999
