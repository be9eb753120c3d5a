import zlib
from dataclasses import fields
from fractions import Fraction
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from yard.media.errors import MediaError
from yard.media.hard_clips import make_clip
from yard.media.index_block import (
    FRAMES_PER_BLOCK,
    ImageAddress,
    Method,
    decode_frames,
    decode_video,
    encode_frames,
    encode_video,
    frame_count,
    seal,
    unseal,
)
from yard.media.video_index import UNKNOWN, index_video

ADDRESSES = st.builds(
    ImageAddress,
    order=st.integers(-(1 << 63), (1 << 63) - 1),
    name=st.text(max_size=20),
    width=st.integers(0, (1 << 32) - 1),
    height=st.integers(0, (1 << 32) - 1),
    source=st.integers(0, (1 << 32) - 1),
    offset=st.integers(0, (1 << 64) - 1),
    length=st.integers(0, (1 << 64) - 1),
    size=st.integers(0, (1 << 64) - 1),
    page=st.integers(0, (1 << 32) - 1),
    method=st.sampled_from(get_args(Method)),
    orientation=st.integers(1, 8),
)


@given(st.lists(ADDRESSES, max_size=5))
def test_images_come_back_as_they_were(addresses: list[ImageAddress]) -> None:
    block = encode_frames(addresses)
    assert decode_frames(block) == addresses
    assert frame_count(block) == len(addresses)


def test_a_block_has_a_limit() -> None:
    full = [ImageAddress(name="x")] * FRAMES_PER_BLOCK
    assert frame_count(encode_frames(full)) == FRAMES_PER_BLOCK
    with pytest.raises(MediaError, match="holds 10000 frames, got 10001"):
        encode_frames([*full, full[0]])


@pytest.mark.parametrize("clip", ["negative_start", "without_times", "rotated_90"])
def test_a_video_comes_back_as_it_was(clip: str, tmp_path: Path) -> None:
    with make_clip(clip, tmp_path).open("rb") as file:
        index = index_video(file, clip)
    back = decode_video(encode_video(index))
    for field in fields(index):
        before, after = getattr(index, field.name), getattr(back, field.name)
        assert np.array_equal(before, after), field.name
    assert isinstance(back.time_base, Fraction)
    assert (UNKNOWN in back.keyframes) == (clip == "without_times")
    assert frame_count(encode_video(index)) == index.frames


def test_damage_anywhere_is_found() -> None:
    block = encode_frames([ImageAddress(name="a.jpg", width=3, height=4)])
    for position in range(len(block)):
        damaged = bytearray(block)
        damaged[position] ^= 1
        with pytest.raises(MediaError):
            decode_frames(bytes(damaged))


def test_a_block_that_ends_too_early_is_refused() -> None:
    block = encode_frames([ImageAddress(name="a.jpg")])
    for length in range(len(block)):
        with pytest.raises(MediaError):
            decode_frames(block[:length])


def test_a_block_is_not_taken_for_another_kind() -> None:
    with pytest.raises(MediaError, match="expected index block b'YVID'"):
        decode_video(encode_frames([]))


@pytest.mark.parametrize(
    "body", [b"", b"\x05\0\0\0", b"\xff\xff\xff\xff", b"\x02\0\0\0{}", b"\x02\0\0\0[]", b"\x01\0\0\0{"]
)
def test_bodies_that_make_no_sense_are_refused(body: bytes) -> None:
    with pytest.raises(MediaError):
        decode_video(seal(b"YVID", body))
    if body != b"":
        with pytest.raises(MediaError):
            decode_frames(seal(b"YFRM", body))


def test_an_unknown_method_is_refused() -> None:
    body = bytearray(unseal(b"YFRM", encode_frames([ImageAddress(name="")])))
    place = 4 + 8 + 4 + 4 + 4 + 8 + 8 + 8 + 4
    body[place] = 200
    with pytest.raises(MediaError, match="unknown method 200"):
        decode_frames(seal(b"YFRM", bytes(body)))


def test_packed_nonsense_is_refused() -> None:
    good = seal(b"YFRM", b"")
    packed = b"not zlib"
    header = bytearray(good[:20])
    header[8:12] = zlib.crc32(packed).to_bytes(4, "little")
    header[12:20] = len(packed).to_bytes(8, "little")
    with pytest.raises(MediaError, match="does not unpack"):
        unseal(b"YFRM", bytes(header) + packed)
