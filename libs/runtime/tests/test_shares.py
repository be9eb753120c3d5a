from __future__ import annotations

import io
import os
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from yard.embedded.servers.s3 import S3
from yard.runtime import errors, shares
from yard.runtime.settings import RuntimeSettings, SettingsError
from yard.runtime.shares import Entry, Share, Unusable, Wanted
from yard.testkit.fixtures import s3_client

if TYPE_CHECKING:
    from minio import Minio

Fill = Callable[[Mapping[str, bytes]], Share]

FILES = {
    "a-b/x.jpg": b"1",
    "a/x.jpg": b"22",
    "a/deep/er/y.JPG": b"333",
    "ab": b"4444",
    "films/b.mp4": b"55555",
    "films/a.mp4": b"",
    "z.txt": b"7" * 70,
}


def settings_of(server: S3, bucket: str = "frameyard") -> RuntimeSettings:
    return RuntimeSettings(
        database_url="",
        nats_url="",
        s3_endpoint=server.address,
        s3_access_key=server.access_key,
        s3_secret_key=server.secret_key,
        s3_bucket=bucket,
    )


@pytest.fixture
def client(s3_server: S3) -> Minio:
    return s3_client(s3_server)


@pytest.fixture(params=["folder", "bucket"])
async def fill(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    s3_server: S3,
    client: Minio,
    fresh_bucket: Callable[[], str],
) -> AsyncIterator[Fill]:
    """`fill(files)`: a share of each kind with these files, and a sibling whose name begins as its own."""
    made: list[shares.Shares] = []
    bucket = fresh_bucket()

    def filled(files: Mapping[str, bytes]) -> Share:
        for path, content in {
            **{f"nas/{path}": file for path, file in files.items()},
            "nas2/x": b"x",
        }.items():
            if request.param == "folder":
                (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
                (tmp_path / path).write_bytes(content)
            else:
                client.put_object(bucket, f"top/{path}", io.BytesIO(content), len(content))
        place = f"{tmp_path}/nas" if request.param == "folder" else f"s3://{bucket}/top/nas"
        made.append(shares.connect(settings_of(s3_server), [f"nas={place}"]))
        return made[-1].named("nas")

    yield filled
    for each in made:
        await each.close()


async def listed(share: Share, directory: str = "", limit: int = 100, **wanted: object) -> list[Entry]:
    found: list[Entry] = []
    after = None
    while True:
        page = await share.page(directory, Wanted(**wanted), after, limit)  # type: ignore[arg-type]
        assert len(page.entries) <= limit
        found += page.entries
        if page.rest is None:
            return found
        after = page.rest


async def walked(share: Share, directory: str = "") -> list[Entry | Unusable]:
    return [entry async for batch in share.walk(directory) for entry in batch]


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
async def test_directories_come_first_each_part_by_name(fill: Fill, limit: int) -> None:
    share = fill(FILES)
    found = await listed(share, limit=limit)
    assert [(entry.path, entry.is_directory, entry.size_bytes) for entry in found] == [
        ("a", True, 0),
        ("a-b", True, 0),
        ("films", True, 0),
        ("ab", False, 4),
        ("z.txt", False, 70),
    ]
    below = await listed(share, "films", limit=limit)
    assert [entry.path for entry in below] == ["films/a.mp4", "films/b.mp4"]
    assert all(entry.modified_ns > 1_600_000_000 * 10**9 for entry in below)
    assert [entry.path for entry in await listed(share, "a/deep/")] == ["a/deep/er"]


async def test_entries_are_filtered(fill: Fill) -> None:
    share = fill({**FILES, "films/c.MOV": b"c" * 9, "films/bonus/x": b"x"})

    async def names(**wanted: object) -> list[str]:
        return [entry.name for entry in await listed(share, "films", limit=2, **wanted)]

    assert await names(name_prefix="b") == ["bonus", "b.mp4"]
    assert await names(name_prefix="nothing") == []
    assert await names(files=False) == ["bonus"]
    assert await names(directories=False) == ["a.mp4", "b.mp4", "c.MOV"]
    assert await names(directories=False, suffixes=(".mov", ".avi")) == ["c.MOV"]
    assert await names(directories=False, least_bytes=1, most_bytes=5) == ["b.mp4"]
    assert await names(directories=False, most_bytes=0) == ["a.mp4"]


async def test_a_tree_is_walked_by_whole_paths(fill: Fill) -> None:
    share = fill(FILES)
    found = await walked(share)
    assert [entry.path for entry in found] == sorted(FILES)
    assert [entry.size_bytes for entry in found if isinstance(entry, Entry)] == [
        len(FILES[path]) for path in sorted(FILES)
    ]
    assert [entry.path for entry in await walked(share, "a")] == ["a/deep/er/y.JPG", "a/x.jpg"]


async def test_what_lies_at_a_path_is_told(fill: Fill) -> None:
    share = fill(FILES)
    found = await share.stat("films/b.mp4")
    assert (found.path, found.is_directory, found.size_bytes) == ("films/b.mp4", False, 5)
    assert (await share.stat("films/")).is_directory
    assert (await share.stat("")).is_directory


HOSTILE = [
    "..",
    "../nas2",
    "../nas2/x",
    "films/../../nas2/x",
    "films/../films",
    "./films",
    "/etc",
    "/",
    "absent",
    "film",
    "2/x",
    "films/b.mp4/x",
    "films\0",
    "films//b.mp4",
    "x" * 5_000,
    "\udcff",
]


async def test_what_is_not_in_the_share_is_not_there(fill: Fill) -> None:
    share = fill(FILES)
    for path in HOSTILE:
        with pytest.raises(errors.NotFound):
            await share.stat(path)
        with pytest.raises(errors.NotFound):
            await listed(share, path)
        with pytest.raises(errors.NotFound):
            await walked(share, path)
        with pytest.raises(errors.NotFound):
            await share.read(path, 0, 1)
    for file in ("films/b.mp4", "films/b.mp4/"):
        with pytest.raises(errors.NotFound):
            await listed(share, file)


async def test_many_paths_are_looked_at_together(fill: Fill) -> None:
    share = fill({f"{number:02d}": f"file {number}".encode() for number in range(30)})
    paths = [*(f"{number:02d}" for number in range(30)), "absent", "../x"]
    assert await share.heads(paths, 6) == [
        *(f"file {number}".encode()[:6] for number in range(30)),
        None,
        None,
    ]
    sizes = [None if found is None else found.size_bytes for found in await share.stats(paths)]
    assert sizes == [*[6] * 10, *[7] * 20, None, None]
    assert await share.stats([]) == []


async def test_ranges_of_a_file_are_read(fill: Fill) -> None:
    share = fill({"films/b.mp4": bytes(range(250))})
    file = share.source("films/b.mp4", 250)
    assert file.size == 250
    assert await file.read(10, 5) == bytes(range(10, 15))
    assert await file.read(0, 250) == bytes(range(250))


async def test_a_file_that_has_gone_or_changed_is_named(fill: Fill) -> None:
    share = fill({"b.mp4": b"12345"})
    file = share.source("b.mp4", 5)
    assert await file.read(0, 2) == b"12"
    fill({"b.mp4": b"67890"})
    with pytest.raises(errors.FailedPrecondition, match="mp4 in the share nas has changed") as changed:
        await file.read(2, 2)
    assert changed.value.metadata == {"file": "b.mp4", "share": "nas"}
    for size in (4, 6):
        with pytest.raises(errors.FailedPrecondition, match="has changed"):
            await share.source("b.mp4", size).read(size - 2, 2)
    with pytest.raises(errors.Unavailable, match="mp4 is not in the share nas any more") as gone:
        await share.source("gone.mp4", 5).read(0, 5)
    assert gone.value.reason == "SHARE_FILE_GONE"


async def test_a_file_that_changes_at_equal_length_before_it_is_read_is_noticed(fill: Fill) -> None:
    share = fill({"a.mp4": b"12345", "b.mp4": b"54321"})
    [batch] = [batch async for batch in share.walk("")]
    found = {entry.path: entry for entry in batch if isinstance(entry, Entry)}
    assert await share.stat("a.mp4") == found["a.mp4"]
    page = await share.page("", Wanted(), None, 10)
    assert {entry.path: entry for entry in page.entries} == found
    fill({"a.mp4": b"67890"})
    good = share.source("b.mp4", 5, found["b.mp4"].stamp)
    assert await good.read(0, 5) == b"54321"
    changed = share.source("a.mp4", 5, found["a.mp4"].stamp)
    with pytest.raises(errors.FailedPrecondition, match=r"a\.mp4 in the share nas has changed"):
        await changed.read(0, 5)
    assert await share.source("a.mp4", 5).read(0, 5) == b"67890"


@pytest.fixture
def nas(tmp_path: Path) -> Path:
    (tmp_path / "nas" / "films").mkdir(parents=True)
    (tmp_path / "nas" / "films" / "b.mp4").write_bytes(b"12345")
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "key.pem").write_bytes(b"private")
    return tmp_path / "nas"


@pytest.fixture
async def folder(nas: Path, s3_server: S3) -> AsyncIterator[Share]:
    connected = shares.connect(settings_of(s3_server), [f"nas={nas}"])
    yield connected.named("nas")
    await connected.close()


def make_links(nas: Path) -> None:
    (nas / "inside").symlink_to(nas / "films")
    (nas / "inside.mp4").symlink_to("films/b.mp4")
    (nas / "outside").symlink_to(nas.parent / "secret")
    (nas / "outside.pem").symlink_to("../secret/key.pem")
    (nas / "self").symlink_to(".")
    (nas / "loop").symlink_to(nas / "loop")
    os.mkfifo(nas / "pipe")
    (nas / os.fsdecode(b"\xff.jpg")).write_bytes(b"x")


async def test_links_are_followed_inside_only(folder: Share, nas: Path) -> None:
    make_links(nas)
    assert [entry.path for entry in await listed(folder)] == ["films", "inside", "self", "inside.mp4"]
    assert await folder.source("inside/b.mp4", 5).read(0, 5) == b"12345"
    for path in ("outside", "outside/key.pem", "outside.pem", "loop", "pipe", "self/../../secret"):
        with pytest.raises(errors.NotFound):
            await folder.stat(path)
        with pytest.raises(errors.NotFound):
            await folder.read(path, 0, 1)


async def test_walking_ends_and_says_what_it_leaves_out(folder: Share, nas: Path) -> None:
    make_links(nas)
    found = await walked(folder)
    assert [entry.path for entry in found if isinstance(entry, Entry)] == ["films/b.mp4", "inside.mp4"]
    assert {entry.path: entry.reason for entry in found if isinstance(entry, Unusable)} == {
        "inside": "is a link to a directory",
        "self": "is a link to a directory",
        "outside": "is a link that leads out or nowhere",
        "outside.pem": "is a link that leads out or nowhere",
        "loop": "is a link that leads out or nowhere",
        "pipe": "is no regular file",
        "\\xff.jpg": "has a name that is not UTF-8",
    }


async def test_a_place_that_is_swapped_for_a_link_is_not_followed(folder: Share, nas: Path) -> None:
    file = folder.source("films/b.mp4", 5)
    (nas / "films").rename(nas / "old")
    (nas.parent / "secret" / "b.mp4").write_bytes(b"54321")
    (nas / "films").symlink_to(nas.parent / "secret")
    with pytest.raises(errors.Unavailable, match="mp4 is not in the share"):
        await file.read(0, 5)


async def test_a_share_that_is_gone_is_unavailable(folder: Share, nas: Path) -> None:
    nas.rename(nas.parent / "unmounted")
    with pytest.raises(errors.Unavailable, match="it is not connected"):
        await listed(folder)
    with pytest.raises(errors.Unavailable, match=r"films/b.mp4 cannot be read") as gone:
        await folder.source("films/b.mp4", 5).read(0, 5)
    assert gone.value.metadata["file"] == "films/b.mp4"


async def test_keys_that_are_no_paths_are_left_out(
    s3_server: S3, client: Minio, fresh_bucket: Callable[[], str]
) -> None:
    bucket = fresh_bucket()
    for key in ("in/ok.jpg", "in/folder/", "in/ok 2+%20.jpg", "in/\u00e9.jpg"):
        client.put_object(bucket, key, io.BytesIO(b"x"), 1 if not key.endswith("/") else 0)
    connected = shares.connect(settings_of(s3_server), [f"all=s3://{bucket}", f"in=s3://{bucket}/in/"])
    share = connected.named("in")
    assert [entry.path for entry in await listed(share)] == [
        "folder",
        "ok 2+%20.jpg",
        "ok.jpg",
        "\u00e9.jpg",
    ]
    assert await share.source("ok 2+%20.jpg", 1).read(0, 1) == b"x"
    assert [entry.path for entry in await walked(connected.named("all"))][-1] == "in/\u00e9.jpg"
    await connected.close()


async def test_a_bucket_that_is_gone_is_unavailable(s3_server: S3) -> None:
    connected = shares.connect(settings_of(s3_server), ["gone=s3://no-such-bucket/in"])
    share = connected.named("gone")
    with pytest.raises(errors.Unavailable):
        await listed(share)
    with pytest.raises(errors.Unavailable):
        await walked(share)
    with pytest.raises(errors.Unavailable, match=r"b\.mp4"):
        await share.source("b.mp4", 1).read(0, 1)
    await connected.close()


def test_settings_name_all_faults(tmp_path: Path, s3_server: S3) -> None:
    wrong = (
        f"nas={tmp_path}",
        f"nas={tmp_path}",
        "relative=films",
        "=/tmp",
        "a b=/tmp",
        f"gone={tmp_path}/absent",
        "x",
        "own=s3://frameyard",
        "uploads=s3://frameyard/uploads/",
        "deep=s3://frameyard/media/x",
        "up=s3://other/../x",
        "bad=s3://UPPER/x",
    )
    with pytest.raises(SettingsError) as caught:
        shares.connect(settings_of(s3_server), wrong)
    assert len(caught.value.faults) == len(wrong) - 1
    fine = shares.connect(settings_of(s3_server), ["a=s3://frameyard/shares/a", "b=s3://uploads", "c=/"])
    assert fine.names == ("a", "b", "c")
    with pytest.raises(errors.NotFound):
        fine.named("d")
