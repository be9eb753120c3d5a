import io
from pathlib import Path

import pytest
from yard.media.completeness import missing
from yard.media.hard_clips import HARD_CLIPS, make_clip


@pytest.mark.parametrize("clip", HARD_CLIPS)
def test_whole_files_lack_nothing(clip: str, tmp_path: Path) -> None:
    with make_clip(clip, tmp_path).open("rb") as file:
        assert missing(file) == ""
        assert file.tell() == 0


@pytest.mark.parametrize("clip", ["b_frames", "variable_rate", "transport_stream", "without_times", "vp9"])
@pytest.mark.parametrize("lost", [1, 5_000])
def test_a_cut_file_says_how_much_is_there(clip: str, lost: int, tmp_path: Path) -> None:
    content = make_clip(clip, tmp_path).read_bytes()[:-lost]
    assert missing(io.BytesIO(content)).startswith(f"is cut off: {len(content)} of at least ")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"G",
        b"text",
        b"\x1aE\xdf\xa3",
        b"\x1aE\xdf\xa3\x80\x18\x53\x80\x67",
        b"\x1aE\xdf\xa3\x80\x18\x53\x80\x67\x01" + b"\xff" * 7,
        b"\x00\x00\x00\x00mdat",
        b"\x00\x00\x00\x05mdat",
        b"\x00\x00\x00\x08free" * 100,
    ],
)
def test_headers_that_promise_nothing_lack_nothing(content: bytes) -> None:
    assert missing(io.BytesIO(content)) == ""


def test_large_boxes_are_counted() -> None:
    content = b"\x00\x00\x00\x01mdat" + (1 << 33).to_bytes(8, "big")
    assert missing(io.BytesIO(content)) == f"is cut off: 16 of at least {1 << 33} bytes are there"
