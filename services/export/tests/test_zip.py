"""The archive as readers of zips see it that know nothing of how it was written."""

import io
import shutil
import subprocess
import tracemalloc
import zipfile
from collections.abc import Iterator
from itertools import pairwise, repeat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yard.export.archives.archive import BLOCK_BYTES, HELD_BYTES, Member, zipped
from yard.export.archives.directory import Directory, Entry, local_header
from yard.runtime import errors

MEGABYTE = b"0123456789abcdef" * 65_536
MEMBERS = [
    Member(name="empty.txt", content=[]),
    Member(name="a/small.xml", content=[b"<a/>"]),
    Member(name="a/größe 人.txt", content=iter([b"x", b"", b"y" * 1000])),
    Member(name="exact.bin", content=[MEGABYTE]),
    Member(name="large.json", content=[MEGABYTE, b"!"] * 3),
    Member(name="large.jpg", content=[MEGABYTE, b"!"] * 3, is_media=True),
    Member(name="small.jpg", content=(b"y" for _ in range(9)), is_media=True),
]
CONTENTS = [
    b"",
    b"<a/>",
    b"x" + b"y" * 1000,
    MEGABYTE,
    (MEGABYTE + b"!") * 3,
    (MEGABYTE + b"!") * 3,
    b"y" * 9,
]


def fresh() -> Iterator[Member]:
    """The members again, as iterators are read once."""
    for member, content in zip(MEMBERS, CONTENTS, strict=True):
        yield Member(name=member.name, content=iter([content]), is_media=member.is_media)


@pytest.mark.parametrize("stored", [True, False])
def test_every_member_comes_back(tmp_path: Path, stored: bool) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(b"".join(zipped(fresh(), stored=stored)))
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == [member.name for member in MEMBERS]
        assert [archive.read(name) for name in archive.namelist()] == CONTENTS
        infos = archive.infolist()
    is_deflated = [info.compress_type == zipfile.ZIP_DEFLATED for info in infos]
    assert is_deflated == [not (stored or member.is_media) for member in MEMBERS]
    # Sizes in front of the data but for those that are too large to be held.
    assert [bool(info.flag_bits & 8) for info in infos] == [len(content) > HELD_BYTES for content in CONTENTS]
    assert all(info.flag_bits & 0x800 for info in infos)
    if unzip := shutil.which("unzip"):
        assert subprocess.run([unzip, "-tqq", path], check=False).returncode == 0


def test_how_content_is_cut_changes_nothing() -> None:
    in_pieces = [Member(name="a", content=(MEGABYTE[at : at + 7] for at in range(0, 7000, 7)))]
    assert b"".join(zipped(in_pieces)) == b"".join(zipped([Member(name="a", content=[MEGABYTE[:7000]])]))


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), st.binary(max_size=99)))
def test_names_and_contents_of_all_kinds_come_back(given_files: dict[str, bytes]) -> None:
    files = {f"x{number}/{name}": content for number, (name, content) in enumerate(given_files.items())}
    archive = b"".join(zipped(Member(name=name, content=[content]) for name, content in files.items()))
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        assert [opened.read(info) for info in opened.infolist()] == list(files.values())


def test_names_are_composed() -> None:
    archive = b"".join(zipped([Member(name="o\u0308.txt", content=[b""])]))
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        assert opened.namelist() == ["\u00f6.txt"]


@pytest.mark.parametrize(("one", "other"), [("a.txt", "a.txt"), ("b/../a.txt", "b/a.txt")])
def test_equal_names_are_refused(one: str, other: str) -> None:
    members = [Member(name=name, content=[b""]) for name in (one, "z.txt", other)]
    with pytest.raises(errors.Internal, match=r"'(b/)?a\.txt'"):
        list(zipped(members))


def test_more_members_than_a_plain_zip_can_count_take_little_memory() -> None:
    many = 70_000
    buffer = io.BytesIO()
    tracemalloc.start()
    for block in zipped(Member(name=f"{number:06}.txt", content=[b"."]) for number in range(many)):
        assert len(block) <= BLOCK_BYTES
        buffer.write(block)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2 * len(buffer.getbuffer()) + 8_000_000
    with zipfile.ZipFile(buffer) as archive:
        assert len(archive.infolist()) == many
        assert archive.read(f"{many - 1:06}.txt") == b"."


def test_places_beyond_four_gigabytes_are_told(tmp_path: Path) -> None:
    """The large members are holes in the file."""
    sizes = (3 << 30, 5 << 30, 1)
    with (tmp_path / "large.zip").open("w+b") as file, Directory() as directory:
        for number, size in enumerate(sizes):
            entry = Entry(b"%d.bin" % number, False, size > 4 << 30, 0xD202EF8D, size, size)
            file.write(local_header(entry))
            file.seek(size - 1, io.SEEK_CUR)
            file.write(b"\0")
            if entry.streamed:
                file.seek(24, io.SEEK_CUR)
            directory.add(entry)
        for block in directory.finished():
            file.write(block)
        with zipfile.ZipFile(file) as archive:
            infos = archive.infolist()
            assert [info.file_size for info in infos] == list(sizes)
            assert archive.read("2.bin") == b"\0"
            with archive.open("1.bin") as opened:
                assert opened.read(100) == bytes(100)
    assert all(after.header_offset > before.header_offset for before, after in pairwise(infos))


def test_memory_does_not_grow_with_a_member() -> None:
    tracemalloc.start()
    size = sum(map(len, zipped([Member(name="a", content=repeat(MEGABYTE, 64))], stored=True)))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size > 64 * len(MEGABYTE)
    assert peak < 8 * len(MEGABYTE)
