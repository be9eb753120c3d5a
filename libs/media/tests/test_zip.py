import io
import zipfile
from collections.abc import Iterator

import pytest
from yard.media import zip_chunk
from yard.media.errors import MediaError
from yard.media.zip_chunk import zip_frames, zip_stored


def test_members_are_what_was_put_in() -> None:
    frames = [b"first", b"", b"\x00" * 100_000]
    content = b"".join(zip_frames(frames))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["000000.jpeg", "000001.jpeg", "000002.jpeg"]
        assert [archive.read(name) for name in archive.namelist()] == frames
        assert {entry.compress_type for entry in archive.infolist()} == {zipfile.ZIP_STORED}


def test_each_member_leaves_before_the_next_is_asked_for() -> None:
    asked: list[int] = []

    def frames() -> Iterator[bytes]:
        for number in range(3):
            asked.append(number)
            yield b"%d" % number

    pieces = zip_frames(frames())
    assert next(pieces).endswith(b"0")
    assert asked == [0]


def test_an_empty_zip_is_one() -> None:
    with zipfile.ZipFile(io.BytesIO(b"".join(zip_frames([])))) as archive:
        assert archive.namelist() == []


def test_the_limit_of_the_format_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zip_chunk, "_LARGEST", 100)
    with pytest.raises(MediaError, match="4 GiB"):
        list(zip_stored([("a", b"x" * 60), ("b", b"x" * 60)]))
