"""Archives as hostile as they come: each is refused with its file and a reason, before much is unpacked."""

import io
import struct
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from yard.export.archives.directory import Directory, descriptor, local_header
from yard.export.archives.directory import Entry as Packed
from yard.export.archives.opened import Entry, Opened
from yard.export.archives.opening import open_upload
from yard.export.archives.refusals import RefusedError
from yard.media.budget import ArchiveLimits

LIMITS = ArchiveLimits(
    members=100, member_bytes=4 << 20, total_bytes=8 << 20, expansion=50, free_bytes=1 << 20
)
TEXT = b"<annotations>" * 20


def opened(content: bytes, name: str = "a.zip", limits: ArchiveLimits = LIMITS) -> Opened:
    return open_upload(io.BytesIO(content), name, limits)


def archive(*members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    made = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(made, "w", method) as file:
        warnings.simplefilter("ignore")
        for name, content in members:
            file.writestr(name, content)
    return made.getvalue()


def refusal(act: Callable[[], object]) -> tuple[str, str]:
    with pytest.raises(RefusedError) as caught:
        act()
    (fault,) = caught.value.faults
    return fault.where, fault.reason


def everything(content: bytes, limits: ArchiveLimits = LIMITS) -> None:
    """Reads all members, as no reader does."""
    found = opened(content, limits=limits)
    for entry in found.entries():
        with found.open(entry) as file:
            for _ in iter(lambda: file.read(1 << 16), b""):
                pass


def patched(content: bytes, signature: bytes, offset: int, form: str, *values: int) -> bytes:
    """The archive with numbers of its first record of a kind changed."""
    made = bytearray(content)
    struct.pack_into(form, made, content.index(signature) + offset, *values)
    return bytes(made)


LOCAL, CENTRAL = b"PK\x03\x04", b"PK\x01\x02"


def test_members_are_read_as_they_were_written() -> None:
    long = bytes(range(256)) * 9000
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        whole = archive(("a/b.txt", TEXT), ("a/c.bin", long), ("a/ü.txt", b""), method=method)
        found = opened(whole, limits=replace(LIMITS, expansion=1000))
        entries = list(found.entries())
        assert entries == [Entry("a/b.txt", len(TEXT)), Entry("a/c.bin", len(long)), Entry("a/ü.txt", 0)]
        files = [found.open(entry) for entry in entries]
        assert [file.read() for file in reversed(files)] == [b"", long, TEXT]
        assert found.open(entries[1]).read(5) == long[:5]


def test_files_are_found_below_the_folder_that_holds_all() -> None:
    inner = archive(("x/y/annotations/a.json", b"1"), ("x/y/images/1.png", b""), ("__MACOSX/x/._a", b""))
    found = opened(inner)
    assert found.find("annotations/a.json") == Entry("x/y/annotations/a.json", 1)
    assert found.find("y/annotations/a.json") == Entry("x/y/annotations/a.json", 1)
    assert found.find("x/y/annotations/a.json") == Entry("x/y/annotations/a.json", 1)
    assert found.find("a.json") is None
    assert opened(archive(("annotations/a.json", b"1"))).find("a.json") == Entry("annotations/a.json", 1)


def test_members_of_more_than_four_gigabytes_are_read(tmp_path: Path) -> None:
    """They are holes in the file."""
    sizes = (3, 5 << 30, 1)
    with (tmp_path / "large.zip").open("w+b") as file, Directory() as directory:
        for number, size in enumerate(sizes):
            member = Packed(
                b"%d.bin" % number, False, size > 4 << 30, zlib.crc32(bytes(size % 9)), size, size
            )
            file.write(local_header(member))
            file.seek(size - 1, io.SEEK_CUR)
            file.write(b"\0")
            if member.streamed:
                file.write(descriptor(member))
            directory.add(member)
        for block in directory.finished():
            file.write(block)
        found = open_upload(file, "large.zip", ArchiveLimits(member_bytes=6 << 30))
        entries = list(found.entries())
        assert [entry.size for entry in entries] == list(sizes)
        assert [found.open(entry).read(9) for entry in entries] == [bytes(3), bytes(9), bytes(1)]
        assert found.find("2.bin") == entries[2]


def test_a_bare_file_is_its_own_entry() -> None:
    found = opened(TEXT, "in/a.xml")
    (entry,) = found.entries()
    assert (entry, found.find("in/a.xml")) == (Entry("in/a.xml", len(TEXT)), entry)
    assert [found.open(entry).read() for _ in range(2)] == [TEXT, TEXT]
    assert refusal(lambda: opened(b"x" * (5 << 20), "a.xml")) == (
        "a.xml",
        "has 5242880 bytes, at most 4194304 are read",
    )


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("../../etc/passwd", "its name leads out of the archive"),
        ("/etc/passwd", "its name is an absolute path"),
        ("C:\\windows\\a.xml", "its name is an absolute path"),
        ("a\x01.xml", "its name has control characters"),
    ],
)
def test_names_that_are_no_labels_are_refused(name: str, reason: str) -> None:
    where, told = refusal(lambda: opened(archive(("good.xml", TEXT), (name, TEXT))))
    assert told == reason
    assert "\x01" not in where


def hostile() -> Iterator[tuple[str, bytes, str, str]]:
    whole = archive(("a.xml", TEXT))
    yield "encrypted", patched(whole, CENTRAL, 8, "<H", 1), "a.xml", "is encrypted"
    yield "method", patched(whole, CENTRAL, 10, "<H", 14), "a.xml", "is packed by method 14"
    yield "checksum", patched(whole, CENTRAL, 16, "<I", 7), "a.xml", "another checksum"
    yield "longer", patched(whole, CENTRAL, 24, "<I", 9), "a.xml", "other than the 9 bytes"
    yield "shorter", patched(whole, CENTRAL, 24, "<I", 999), "a.xml", "other than the 999 bytes"
    yield "damaged", patched(whole, LOCAL, 37, "<I", 0xFFFFFFFF), "a.xml", "does not unpack"
    yield "elsewhere", patched(whole, LOCAL, 26, "<H", 4), "a.xml", "is another file"
    yield "beyond", patched(whole, CENTRAL, 20, "<I", 1 << 20), "a.xml", "beyond the end"
    yield "cut", whole[:-10], "a.zip", "without its directory"
    yield "twice", archive(("a.xml", TEXT), ("a.xml", TEXT)), "a.xml", "more than once"
    yield "link", patched(whole, CENTRAL, 38, "<I", 0o120777 << 16), "a.xml", "is a link or a device"
    yield "bomb", archive(("a.xml", bytes(4 << 20))), "a.zip", "expands"
    large = archive(("a.xml", bytes(5 << 20)), method=zipfile.ZIP_STORED)
    yield "long", large, "a.xml", "at most 4194304"
    yield "many", archive(*((f"{number}", b"") for number in range(101))), "a.zip", "more than 100 members"


@pytest.mark.parametrize(
    ("content", "where", "reason"), [pytest.param(*row[1:], id=row[0]) for row in hostile()]
)
def test_hostile_archives_are_refused(content: bytes, where: str, reason: str) -> None:
    place, told = refusal(lambda: everything(content))
    assert place == where
    assert reason in told


def test_members_that_share_bytes_are_refused() -> None:
    whole = archive(("a.xml", TEXT), ("b.xml", TEXT))
    second = whole.rindex(CENTRAL)
    made = bytearray(whole)
    struct.pack_into("<I", made, second + 42, 10)
    assert refusal(lambda: opened(bytes(made)))[1] == "is a zip whose members overlap"


def test_a_long_member_that_lies_about_itself_is_refused_while_it_is_read() -> None:
    long = bytes(range(256)) * 9000
    limits = replace(LIMITS, expansion=1 << 20)
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        whole = archive(("a.bin", long), method=method)
        assert "checksum" in refusal(lambda: everything(patched(whole, CENTRAL, 16, "<I", 7), limits))[1]  # noqa: B023
    short = patched(archive(("a.bin", long)), CENTRAL, 24, "<I", 2 << 20)
    assert "other than the 2097152 bytes" in refusal(lambda: everything(short, limits))[1]
