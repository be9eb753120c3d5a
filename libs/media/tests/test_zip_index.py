import io
import struct
import time
import zipfile
import zlib
from collections.abc import Callable
from typing import BinaryIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from yard.media.budget import ArchiveLimits, Skipped
from yard.media.errors import MediaError
from yard.media.zip_index import ZipEntry, read_zip

Members = dict[str, bytes]
NESTED: Members = {"a/one.jpg": b"first" * 300, "a/b/two.jpg": b"", "three": bytes(range(256)) * 50}


def zipped(members: Members, method: int = zipfile.ZIP_STORED, comment: bytes = b"") -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as archive:
        archive.comment = comment
        for name, content in members.items():
            archive.writestr(name, content)
    return target.getvalue()


def read(content: bytes, limits: ArchiveLimits | None = None) -> list[ZipEntry | Skipped]:
    return [*read_zip(io.BytesIO(content), limits or ArchiveLimits())]


def contents(archive: bytes) -> Members:
    """What the addresses lead to, and the heads, which have to agree."""
    found: Members = {}
    for entry in read_zip(io.BytesIO(archive)):
        assert isinstance(entry, ZipEntry)
        packed = archive[entry.offset : entry.offset + entry.length]
        found[entry.name] = packed if entry.method == "stored" else zlib.decompress(packed, -15)
        assert entry.head(1 << 20) == found[entry.name]
        assert entry.head(7) == found[entry.name][:7]
        assert (entry.size, entry.crc32) == (len(found[entry.name]), zlib.crc32(found[entry.name]))
    return found


def reasons(archive: bytes, limits: ArchiveLimits | None = None) -> list[tuple[str, str]]:
    return [(s.name, s.reason) for s in read(archive, limits) if isinstance(s, Skipped)]


class Unseekable(io.RawIOBase):
    """A target that makes zipfile write sizes behind the members, as a stream does."""

    def __init__(self) -> None:
        super().__init__()
        self.content = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, piece: "bytes | bytearray | memoryview") -> int:  # type: ignore[override]
        self.content += piece
        return len(piece)


def streamed(members: Members) -> bytes:
    target = Unseekable()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return bytes(target.content)


def with_large_numbers(members: Members) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in members.items():
            with archive.open(name, "w", force_zip64=True) as member:
                member.write(content)
    return target.getvalue()


@pytest.mark.parametrize(
    "archive",
    [
        zipped(NESTED),
        zipped(NESTED, zipfile.ZIP_DEFLATED),
        zipped(NESTED, comment=b"PK\x05\x06 is no end record" * 50),
        b"#!/bin/sh\nexit\n" * 99 + zipped(NESTED, zipfile.ZIP_DEFLATED),
        streamed(NESTED),
        with_large_numbers(NESTED),
    ],
    ids=["stored", "deflated", "comment", "prepended", "streamed", "zip64"],
)
def test_every_file_is_found_with_its_bytes(archive: bytes) -> None:
    assert contents(archive) == NESTED


def test_an_empty_archive_has_no_files() -> None:
    assert read(zipped({})) == []


def test_a_large_end_record_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 2)
    archive = zipped(NESTED)
    assert b"PK\x06\x06" in archive
    assert contents(archive) == NESTED
    assert contents(b"before" + archive) == NESTED
    with pytest.raises(MediaError, match="large end record"):
        read(archive.replace(b"PK\x06\x06", b"PK\x06\x05"))


def test_folders_are_passed_over() -> None:
    assert contents(zipped({"a/": b"", "a/b/": b"", "a/b/c.png": b"x"})) == {"a/b/c.png": b"x"}


@pytest.mark.parametrize("name", ["grün/日本.jpg", "plain.jpg"])
def test_names_in_utf_8(name: str) -> None:
    assert [*contents(zipped({name: b"x"}))] == [name]


def test_names_in_the_old_code_page_and_in_unmarked_utf_8() -> None:
    archive = zipped({"xx.jpg": b"a", "yy.png": b"b"})
    archive = archive.replace(b"xx.jpg", "ü".encode("cp437") + b"u.jpg").replace(
        b"yy.png", "ü".encode() + b".png"
    )
    assert [*contents(archive)] == ["üu.jpg", "ü.png"]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("../x.jpg", "its name leads out of the archive"),
        ("a/../../x.jpg", "its name leads out of the archive"),
        ("..\\x.jpg", "its name leads out of the archive"),
        ("/etc/passwd", "its name is an absolute path"),
        ("C:\\x.jpg", "its name is an absolute path"),
        ("\\\\server\\x.jpg", "its name is an absolute path"),
        ("a\nb.jpg", "its name has control characters"),
        ("a\x9bb.jpg", "its name has control characters"),
        ("./.", "its name is a folder"),
        ("n" * 1025, "its name has 1025 characters, 1 to 1024 are allowed"),
    ],
)
def test_names_that_are_no_labels(name: str, reason: str) -> None:
    assert [r for _, r in reasons(zipped({name: b"x", "good.jpg": b"y"}))] == [reason]


def test_a_name_with_a_null_is_refused() -> None:
    assert [r for _, r in reasons(zipped({"aXb.jpg": b"x"}).replace(b"aXb", b"a\0b"))] == [
        "its name has control characters"
    ]


def test_names_are_made_plain() -> None:
    assert [*contents(zipped({"./a//b\\c.jpg": b"x"}))] == ["a/b/c.jpg"]


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_of_equal_names_the_first_is_taken() -> None:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name in ("a.jpg", "b.jpg", "a.jpg", "./a.jpg"):
            archive.writestr(name, name)
    found = read(target.getvalue())
    assert [entry.name for entry in found if isinstance(entry, ZipEntry)] == ["a.jpg", "b.jpg"]
    assert found.count(Skipped("a.jpg", "its name is that of a member before")) == 2


def with_mode(mode: int) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        info = zipfile.ZipInfo("link.jpg")
        info.create_system, info.external_attr = 3, mode << 16
        archive.writestr(info, "/etc/passwd")
    return target.getvalue()


@pytest.mark.parametrize("mode", [0o120777, 0o060666, 0o010666])
def test_links_and_devices_are_left_out(mode: int) -> None:
    assert reasons(with_mode(mode)) == [("link.jpg", "is a link or a device")]


def directory_of(archive: bytes) -> int:
    return archive.index(b"PK\x01\x02")


def patched(archive: bytes, *changes: tuple[int, bytes]) -> bytes:
    content = bytearray(archive)
    for offset, piece in changes:
        content[offset : offset + len(piece)] = piece
    return bytes(content)


ONE = zipped({"a.jpg": b"content"})
ONE_DEFLATED = zipped({"a.jpg": b"content" * 900}, zipfile.ZIP_DEFLATED)
AT = directory_of(ONE)
AT_DEFLATED = directory_of(ONE_DEFLATED)


@pytest.mark.parametrize(
    ("archive", "reason"),
    [
        (patched(ONE, (AT + 8, b"\x01")), "is encrypted"),
        (patched(ONE, (AT + 10, b"\x0c")), "is packed by method 12; stored and deflated are read"),
        (patched(ONE, (AT + 24, b"\xff")), "is stored, but has 7 bytes in the archive and claims 255"),
        (patched(ONE, (0, b"PK\x07\x08")), "has no local header where the directory says"),
        (patched(ONE, (30, b"b.jpg")), "has a local header of another file"),
        (patched(ONE, (8, b"\x08")), "has a local header of another file"),
        (patched(ONE, (18, b"\x09")), "has other sizes in its local header than in the directory"),
        (patched(ONE, (28, b"\xff\xff")), "overlaps another member"),
    ],
)
def test_members_that_cannot_be_trusted_are_left_out(archive: bytes, reason: str) -> None:
    assert reasons(archive) == [("a.jpg", reason)]


@pytest.mark.parametrize(
    ("archive", "code", "message"),
    [
        (b"", "truncated", "without its directory"),
        (b"PK\x03\x04" + bytes(100), "truncated", "without its directory"),
        (ONE[:-5], "truncated", "without its directory"),
        (patched(ONE, (len(ONE) - 6, b"\xff\xff")), "invalid_media", "does not fit"),
        (patched(ONE, (len(ONE) - 18, b"\x01")), "unsupported", "in several files"),
        (patched(ONE, (AT, b"PK\x01\x03")), "invalid_media", "damaged directory"),
        (patched(ONE, (AT + 28, b"\xff\xff")), "invalid_media", "damaged directory"),
        (patched(ONE, (len(ONE) - 12, b"\x02")), "invalid_media", "lists 1 members and claims 2"),
        (patched(ONE, (AT + 42, b"\xff")), "invalid_media", "lies beyond the end"),
        (patched(ONE, (AT + 20, b"\xff\xff\xff\x7f")), "invalid_media", "lies beyond the end"),
    ],
)
def test_damaged_archives_are_refused(archive: bytes, code: str, message: str) -> None:
    with pytest.raises(MediaError, match=message) as caught:
        read(archive)
    assert caught.value.code == code


@pytest.mark.parametrize("is_turned", [False, True])
def test_overlapping_members_are_refused(is_turned: bool) -> None:
    """A bomb whose members share one kernel of packed bytes."""
    archive = zipped({"a.jpg": b"x" * 900, "b.jpg": b"y" * 900})
    at = directory_of(archive)
    second = at + 46 + 5
    offset = struct.unpack_from("<I", archive, second + 42)[0]
    change = (at + 42, struct.pack("<I", offset)) if is_turned else (second + 42, struct.pack("<I", 100))
    with pytest.raises(MediaError, match="members overlap"):
        read(patched(archive, change))


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        (ArchiveLimits(members=2), "more than 2 members"),
        (ArchiveLimits(total_bytes=10_000), "more than 10000 bytes"),
        (ArchiveLimits(free_bytes=100, expansion=5), "more than 5 times as many"),
    ],
)
def test_limits_are_kept_before_anything_is_yielded(limits: ArchiveLimits, message: str) -> None:
    with pytest.raises(MediaError, match=message) as caught:
        next(read_zip(io.BytesIO(zipped(NESTED, zipfile.ZIP_DEFLATED)), limits))
    assert caught.value.code == "limit"


def test_a_file_that_is_too_large_is_left_out() -> None:
    assert reasons(zipped(NESTED), ArchiveLimits(member_bytes=5000)) == [
        ("three", "has 12800 bytes, more than 5000")
    ]


@pytest.mark.parametrize(
    ("archive", "size"),
    [
        (patched(ONE_DEFLATED, (AT_DEFLATED + 24, b"\x05\0"), (22, b"\x05\0")), 100),
        (patched(ONE_DEFLATED, (AT_DEFLATED + 24, b"\xff\xff"), (22, b"\xff\xff")), 9000),
        (patched(ONE_DEFLATED, (35, b"\xff\xff\xff")), 100),
    ],
)
def test_heads_that_do_not_unpack_as_told_are_faults(archive: bytes, size: int) -> None:
    [entry] = read(archive)
    assert isinstance(entry, ZipEntry)
    with pytest.raises(MediaError, match=r"a\.jpg: .*unpack"):
        entry.head(size)


class Counting(io.BytesIO):
    """Bytes that say which ranges were read."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self.reads: list[int] = []

    def read(self, size: int | None = -1, /) -> bytes:
        content = super().read(size)
        self.reads.append(len(content))
        return content


class Trickling(io.RawIOBase):
    """A raw file, which may return fewer bytes than are asked for."""

    def __init__(self, content: bytes) -> None:
        super().__init__()
        self._file = io.BytesIO(content)

    def readable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        return self._file.readinto(memoryview(buffer)[:77])


def heads(file: BinaryIO) -> int:
    return sum(len(entry.head(4096)) for entry in read_zip(file) if isinstance(entry, ZipEntry))


def test_small_files_are_read_by_large_ranges_once() -> None:
    content = zipped({f"{number:05d}.jpg": bytes(20_000) for number in range(1000)})
    file = Counting(content)
    assert heads(file) == 1000 * 4096
    assert len(file.reads) < 20
    assert sum(file.reads) < 1.1 * len(content)


@pytest.mark.parametrize("size", [1, 30_000, 1 << 20])
def test_damage_inside_a_stored_file_that_is_read_in_passing_is_named(size: int) -> None:
    members = {"a.jpg": bytes(5_000), "b.jpg": bytes(size), "c.jpg": bytes(700_000)}
    archive = zipped(members)
    bad = patched(archive, (archive.index(b"b.jpg") + 5 + size // 2, b"!"))
    assert [found.name for found in read(bad)] == ["a.jpg", "b.jpg", "c.jpg"]
    [(name, reason)] = reasons(bad)
    assert name == "b.jpg"
    assert reason.startswith("is damaged: its content has the checksum ")


def test_of_large_files_only_the_heads_are_read() -> None:
    content = zipped({f"{number:05d}.jpg": bytes(3_000_000) for number in range(10)})
    file = Counting(content)
    heads(file)
    assert sum(file.reads) < 1_000_000


def test_a_directory_in_any_order_is_read_by_offset() -> None:
    archive = zipped({f"{number:03d}.jpg": bytes(9000) for number in range(300)})
    at, end = directory_of(archive), archive.rindex(b"PK\x05\x06")
    records = [archive[start : start + 53] for start in range(at, end, 53)]
    turned = archive[:at] + b"".join(reversed(records)) + archive[end:]
    file = Counting(turned)
    assert heads(file) == 300 * 4096
    assert len(file.reads) < 12


def survives(act: Callable[[], object]) -> None:
    try:
        act()
    except MediaError:
        return


SEEDS = [
    zipped({"a.jpg": b"x" * 50, "b/c.png": b"y" * 300}, zipfile.ZIP_DEFLATED),
    with_large_numbers({"a.jpg": b"x" * 50}),
    zipped({"a.jpg": b"x" * 50}, comment=b"comment"),
]


def read_all(archive: bytes) -> None:
    for entry in read(archive):
        if isinstance(entry, ZipEntry):
            survives(lambda entry=entry: entry.head(100))  # type: ignore[misc]


@given(
    archive=st.sampled_from(SEEDS),
    cut=st.integers(0, 700),
    flips=st.lists(st.tuples(st.integers(0, 700), st.integers(0, 255)), max_size=6),
)
@settings(max_examples=600, deadline=None)
def test_damage_of_any_kind_is_a_fault_at_most(
    archive: bytes, cut: int, flips: list[tuple[int, int]]
) -> None:
    hostile = bytearray(archive if cut >= len(archive) else archive[:cut] + archive[-22:])
    for position, byte in flips:
        hostile[position % len(hostile)] = byte
    survives(lambda: read_all(bytes(hostile)))


def test_a_raw_file_that_gives_little_at_once_will_do() -> None:
    content = zipped(NESTED, zipfile.ZIP_DEFLATED)
    found = [entry for entry in read_zip(Trickling(content)) if isinstance(entry, ZipEntry)]
    assert {entry.name: entry.head(1 << 20) for entry in found} == NESTED


def test_an_index_takes_little_time() -> None:
    archive = zipped({f"{number:05d}.jpg": b"x" * 100 for number in range(20_000)})
    began = time.process_time()
    assert heads(io.BytesIO(archive)) == 2_000_000
    assert time.process_time() - began < 3
