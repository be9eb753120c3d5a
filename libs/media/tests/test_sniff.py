import io
from pathlib import Path

import pytest
from PIL import Image
from yard.media.hard_clips import make_clip
from yard.media.sniff import HEAD_BYTES, Kind, sniff


@pytest.mark.parametrize(
    ("form", "name"),
    [
        ("JPEG", "jpeg"),
        ("PNG", "png"),
        ("GIF", "gif"),
        ("WEBP", "webp"),
        ("BMP", "bmp"),
        ("TIFF", "tiff"),
        ("AVIF", "heif"),
    ],
)
def test_images_are_known_by_their_first_bytes(form: str, name: str) -> None:
    target = io.BytesIO()
    Image.new("RGB", (40, 30)).save(target, form)
    assert sniff(target.getvalue()[:HEAD_BYTES]) == Kind(family="image", name=name)


@pytest.mark.parametrize(
    ("clip", "name"),
    [
        ("b_frames", "mp4"),
        ("negative_start", "mp4"),
        ("variable_rate", "mkv"),
        ("vp9", "webm"),
        ("transport_stream", "ts"),
        ("without_times", "avi"),
    ],
)
def test_videos_are_known_by_their_first_bytes(clip: str, name: str, tmp_path: Path) -> None:
    head = make_clip(clip, tmp_path, frames=3).read_bytes()[:HEAD_BYTES]
    assert sniff(head) == Kind(family="video", name=name)


@pytest.mark.parametrize(
    ("head", "family", "name"),
    [
        (b"PK\x03\x04rest", "archive", "zip"),
        (b"\x1f\x8b\x08rest", "archive", "tar.gz"),
        (b"\x28\xb5\x2f\xfdrest", "archive", "tar.zst"),
        (bytes(257) + b"ustar", "archive", "tar"),
        (b"%PDF-1.7", "document", "pdf"),
        (b"\x00\x00\x00\x14ftypqt  ", "video", "mov"),
        (b"\x00\x00\x00\x08wide", "video", "mov"),
        (b"\x00\x00\x00\x01\x67", "video", "h264"),
        (b"\x00\x00\x01\x40", "video", "hevc"),
    ],
)
def test_other_formats(head: bytes, family: str, name: str) -> None:
    found = sniff(head)
    assert found is not None
    assert (found.family, found.name) == (family, name)


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"\xff",
        b"BM is how this text begins, and it is long enough for a header",
        b"RIFF\0\0\0\0WAVEfmt ",
        b"just text",
        b"GG",
        b"\x00\x00\x00\x01",
        b"G" + bytes(400),
        b'{"version": "1.1"}\n{"type": "images"}',
    ],
)
def test_the_rest_is_unknown(head: bytes) -> None:
    assert sniff(head) is None


@pytest.mark.parametrize("length", range(0, 40, 3))
def test_short_files_are_fine(length: int) -> None:
    for head in (
        b"RIFF\0\0\0\0WEBPVP8 ",
        b"\x1aE\xdf\xa3\x01webm",
        b"\x00\x00\x00\x18ftypavif",
        b"BM" + bytes(30),
    ):
        found = sniff(head[:length])
        assert found is None or length > 3
