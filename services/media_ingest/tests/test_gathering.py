import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yard.media_ingest.domain.uploads import LEAST_PART_BYTES, PART_BYTES, may_be_part, part_bytes
from yard.media_ingest.handlers.digests import MOST_KEPT, Digests
from yard.media_ingest.handlers.gathering import Gathering


@given(st.lists(st.binary(min_size=1, max_size=9)), st.lists(st.integers(1, 12)))
def test_bytes_leave_in_the_order_in_which_they_came(pieces: list[bytes], sizes: list[int]) -> None:
    gathering, left = Gathering(), b"".join(pieces)
    for piece in pieces:
        gathering.add(piece)
    for size in sizes:
        if size <= gathering.size_bytes:
            assert gathering.take_first(size) == left[:size]
            left = left[size:]
        assert gathering.size_bytes == len(left)
    assert gathering.take() == left
    assert (gathering.size_bytes, gathering.take()) == (0, b"")


def test_a_digest_is_taken_once_and_for_its_length_only() -> None:
    state, digests = hashlib.sha256(b"abc"), Digests()
    digests.keep("upload", 3, state)
    assert (digests.take("other", 3), digests.take("upload", 2), digests.take("upload", 3)) == (
        None,
        None,
        None,
    )
    digests.keep("upload", 3, state)
    assert digests.take("upload", 3) is state
    assert digests.take("upload", 3) is None


def test_the_digests_that_wait_longest_are_forgotten() -> None:
    digests = Digests()
    for number in range(MOST_KEPT + 1):
        digests.keep(str(number), 1, hashlib.sha256())
    assert digests.take("0", 1) is None
    assert digests.take("1", 1) is not None


@pytest.mark.parametrize("size", [PART_BYTES, 1 << 30, 1 << 36, 1 << 40])
def test_short_parts_leave_numbers_for_the_rest(size: int) -> None:
    """Streams that are as short as a part may be, as many as there may be of them, then one long one."""
    assert not may_be_part(LEAST_PART_BYTES - 1, 1, size, size)
    left, number = size - LEAST_PART_BYTES, 1
    while left > 0 and may_be_part(LEAST_PART_BYTES, number, left, size):
        number, left = number + 1, left - LEAST_PART_BYTES
    assert number - 1 + -(-left // part_bytes(size)) <= 9_000
