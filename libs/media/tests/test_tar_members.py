import bz2
import gzip
import io
import lzma
import subprocess
import tarfile
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from backports import zstd
from hypothesis import given, settings
from hypothesis import strategies as st
from yard.media.budget import ArchiveLimits, Skipped
from yard.media.errors import MediaError
from yard.media.tar_members import TarMember, read_tar

Members = dict[str, bytes]
NESTED: Members = {
    "a/one.jpg": b"first" * 300,
    "a/b/two.jpg": b"",
    "grün/" + "long" * 60 + "/three": bytes(range(256)) * 50,
    "n" * 90 + "/" + "m" * 120 + ".png": b"x" * 512,
}
PACK: dict[str, Callable[[bytes], bytes]] = {
    "plain": bytes,
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": zstd.compress,
}


def tarred(members: Members, form: int = tarfile.PAX_FORMAT) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=form) as archive:
        for name, content in members.items():
            add(archive, name, content)
    return target.getvalue()


def add(archive: tarfile.TarFile, name: str, content: bytes = b"", kind: bytes = tarfile.REGTYPE) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.type = len(content), kind
    info.linkname = "/etc/passwd" if kind in {tarfile.SYMTYPE, tarfile.LNKTYPE} else ""
    archive.addfile(info, io.BytesIO(content))


def contents(archive: bytes, piece: int = 1000) -> Members:
    found: Members = {}
    for member in read_tar(io.BytesIO(archive)):
        assert isinstance(member, TarMember)
        found[member.name] = b"".join(iter(lambda member=member: member.read(piece), b""))  # type: ignore[misc]
        assert member.size == len(found[member.name])
        if member.offset is not None:
            assert archive[member.offset : member.offset + member.size] == found[member.name]
    return found


def reasons(archive: bytes, limits: ArchiveLimits | None = None) -> list[tuple[str, str]]:
    found = read_tar(io.BytesIO(archive), limits or ArchiveLimits())
    return [(s.name, s.reason) for s in found if isinstance(s, Skipped)]


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
@pytest.mark.parametrize("packing", PACK)
def test_every_file_comes_with_its_bytes(packing: str, form: int) -> None:
    assert contents(PACK[packing](tarred(NESTED, form))) == NESTED


def test_the_old_form_has_prefixes() -> None:
    members = {"p" * 80 + "/" + "n" * 90: b"x", "short": b"y"}
    assert contents(tarred(members, tarfile.USTAR_FORMAT)) == members


def test_only_an_archive_that_is_not_packed_has_offsets() -> None:
    for packing, pack in PACK.items():
        members = [m for m in read_tar(io.BytesIO(pack(tarred(NESTED)))) if isinstance(m, TarMember)]
        assert len(members) == 4
        assert all((member.offset is not None) == (packing == "plain") for member in members)


def test_what_the_tool_itself_makes(tmp_path: Path) -> None:
    for name, content in NESTED.items():
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_bytes(content)
    for options in (["--format=gnu"], ["--format=posix", "-z"], ["--format=v7"]):
        members = [*NESTED] if "--format=v7" not in options else ["a"]
        command = ["tar", *options, "-cf", str(tmp_path / "x.tar"), "-C", str(tmp_path / "in"), *members]
        subprocess.run(command, check=True)
        expected = NESTED if members != ["a"] else {k: v for k, v in NESTED.items() if k.startswith("a/")}
        assert contents((tmp_path / "x.tar").read_bytes()) == expected


def test_files_with_holes_are_left_out_and_those_behind_come(tmp_path: Path) -> None:
    with (tmp_path / "holes").open("wb") as file:
        for number in range(40):
            file.seek(number << 20)
            file.write(b"x" * 4096)
    (tmp_path / "plain").write_bytes(b"plain")
    for form in ("gnu", "posix"):
        command: list[str | Path] = [
            "tar",
            "-S",
            f"--format={form}",
            "-cf",
            tmp_path / "x.tar",
            "-C",
            tmp_path,
            "holes",
            "plain",
        ]
        subprocess.run(command, check=True)
        with (tmp_path / "x.tar").open("rb") as archive:
            found = [*read_tar(archive)]
        assert [type(member) for member in found] == [Skipped, TarMember]
        assert isinstance(found[0], Skipped)
        assert found[0].reason == "is a link, a device or a file with holes"


def test_folders_are_passed_over_and_content_need_not_be_read() -> None:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as archive:
        add(archive, "a", kind=tarfile.DIRTYPE)
        add(archive, "a/b", b"x" * 5000)
        add(archive, "a/c", b"y" * 5000)
    found = [m for m in read_tar(io.BytesIO(gzip.compress(target.getvalue()))) if isinstance(m, TarMember)]
    assert [member.name for member in found] == ["a/b", "a/c"]
    with pytest.raises(ValueError, match="before the next one"):
        found[0].read(1)


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_are_left_out(kind: bytes) -> None:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as archive:
        add(archive, "x.jpg", kind=kind)
        add(archive, "y.jpg", b"y")
    assert reasons(target.getvalue()) == [("x.jpg", "is a link, a device or a file with holes")]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("../x.jpg", "its name leads out of the archive"),
        ("/etc/passwd", "its name is an absolute path"),
        ("a\nb.jpg", "its name has control characters"),
        ("n" * 1025, "its name has 1025 characters, 1 to 1024 are allowed"),
    ],
)
def test_names_that_are_no_labels(name: str, reason: str) -> None:
    assert [r for _, r in reasons(tarred({name: b"x", "good.jpg": b"y"}))] == [reason]


def test_of_equal_names_the_first_is_taken() -> None:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as archive:
        for name in ("a", "b", "./a"):
            add(archive, name, name.encode())
    assert reasons(target.getvalue()) == [("a", "its name is that of a member before")]


def test_streams_one_after_the_other_are_one() -> None:
    archive = tarred(NESTED)
    for name in ("gz", "bz2", "xz", "zst"):
        pack = PACK[name]
        assert contents(pack(archive[:700]) + pack(archive[700:]) + b"rubbish") == NESTED


@pytest.mark.parametrize("packing", PACK)
def test_a_cut_archive_yields_what_came_before_the_cut(packing: str) -> None:
    archive = PACK[packing](tarred({f"{n}": bytes(i * n % 251 for i in range(99_999)) for n in range(1, 40)}))
    names: list[str] = []

    def read() -> None:
        for member in read_tar(io.BytesIO(archive[: len(archive) * 3 // 4])):
            assert isinstance(member, TarMember)
            while member.read(50_000):
                pass
            names.append(member.name)

    with pytest.raises(MediaError) as caught:
        read()
    assert caught.value.code == "truncated"
    assert names == [str(number) for number in range(1, len(names) + 1)]


@pytest.mark.parametrize("packing", ["gz", "bz2", "xz", "zst"])
def test_damage_within_a_packed_stream_is_found(packing: str) -> None:
    options: dict[int, int] = {zstd.CompressionParameter.checksum_flag: 1}
    archive = tarred({"x": bytes(i * i % 251 for i in range(99_999))})
    packed = bytearray(
        zstd.compress(archive, options=options) if packing == "zst" else PACK[packing](archive)
    )
    packed[len(packed) // 2] ^= 0x10
    with pytest.raises(MediaError) as caught:
        contents(bytes(packed))
    assert caught.value.code in {"invalid_media", "truncated"}


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "truncated"),
        (b"text" * 1000, "invalid_media"),
        (gzip.compress(b"one file alone" * 100), "invalid_media"),
        (gzip.compress(b"short"), "truncated"),
        (tarred({"a": b"x"})[:600] + b"rubbish" * 500, "invalid_media"),
    ],
)
def test_what_is_no_tar_is_refused(content: bytes, code: str) -> None:
    with pytest.raises(MediaError) as caught:
        contents(content)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        (ArchiveLimits(members=2), "more than 2 members"),
        (ArchiveLimits(total_bytes=10_000), "unpacks to more than 10000 bytes"),
        (ArchiveLimits(free_bytes=3000, expansion=5), "more than 5 times"),
    ],
)
def test_limits_are_kept_while_reading(limits: ArchiveLimits, message: str) -> None:
    with pytest.raises(MediaError, match=message) as caught:
        for _ in read_tar(io.BytesIO(gzip.compress(tarred(NESTED))), limits):
            pass
    assert caught.value.code == "limit"


def test_a_file_that_is_too_large_is_left_out() -> None:
    assert reasons(tarred({"large": b"x" * 5000, "small": b"x"}), ArchiveLimits(member_bytes=4000)) == [
        ("large", "has 5000 bytes, more than 4000")
    ]


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress, zstd.compress])
def test_a_bomb_is_refused_in_little_memory(pack: Callable[[bytes], bytes]) -> None:
    archive = pack(tarred({"bomb": bytes(150 << 20)}))
    tracemalloc.start()
    try:
        with pytest.raises(MediaError, match="more than 200 times"):
            for _ in read_tar(io.BytesIO(archive)):
                pass
        assert tracemalloc.get_traced_memory()[1] < 16 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("kind", [b"L", b"x", b"g"])
def test_a_name_of_any_length_is_not_taken_into_memory(kind: bytes) -> None:
    info = tarfile.TarInfo("x")
    info.type, info.size = kind, 1 << 30
    with pytest.raises(MediaError, match="tar header of 1073741824 bytes"):
        contents(info.tobuf(tarfile.GNU_FORMAT) + bytes(5000))


@pytest.mark.parametrize(
    "record",
    [b"8 path=x\n", b"0 path=x\n", b"99999999999999999999999 a=b\n", b"x path=x\n", b"12 size=-1\n\n"],
)
def test_damaged_extensions_are_refused(record: bytes) -> None:
    info = tarfile.TarInfo("x")
    info.type, info.size = b"x", len(record)
    archive = info.tobuf(tarfile.GNU_FORMAT) + record.ljust(512, b"\0") + tarred({"a": b"x"})
    with pytest.raises(MediaError, match="damaged pax header"):
        contents(archive)


SEEDS = [tarred({"a": b"x" * 700, "b" * 150: b"y"}), tarred({"a": b"x", "b" * 150: b"y"}, tarfile.GNU_FORMAT)]


@given(
    archive=st.sampled_from(SEEDS),
    packing=st.sampled_from([*PACK]),
    is_inside=st.booleans(),
    cut=st.integers(0, 12_000),
    flips=st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 255)), max_size=6),
)
@settings(max_examples=400, deadline=None)
def test_damage_of_any_kind_is_a_fault_at_most(
    archive: bytes, packing: str, is_inside: bool, cut: int, flips: list[tuple[int, int]]
) -> None:
    hostile = bytearray(archive if is_inside else PACK[packing](archive))[:cut]
    for position, byte in flips:
        if position < len(hostile):
            hostile[position] = byte
    try:
        for member in read_tar(io.BytesIO(PACK[packing](bytes(hostile)) if is_inside else bytes(hostile))):
            if isinstance(member, TarMember):
                member.read(100)
    except MediaError:
        return
