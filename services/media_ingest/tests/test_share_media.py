"""Media of files that lie in a connected share."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from frameyard.media.v1 import media_pb2
from frameyard.media.v1.media_pb2 import MediaSource, ShareSource
from hypothesis import given
from hypothesis import strategies as st
from yard.embedded.servers.s3 import S3
from yard.media_ingest.domain.arranged import Arranged
from yard.media_ingest.domain.columns import SharedFiles
from yard.media_ingest.domain.files import Place
from yard.media_ingest.domain.selecting import Excluded, distinct, faults_of_share
from yard.media_ingest.handlers.expanding import expanded
from yard.media_ingest.settings import Settings
from yard.runtime import app, auth, errors, shares
from yard.testkit.fixtures import SettingsFor, s3_client

from services.media_ingest.tests.contents import animation, clip, photo, photos
from services.media_ingest.tests.neighbours import Client, TaskSide
from services.media_ingest.tests.plans import read_plan

if TYPE_CHECKING:
    from minio import Minio

Put = Callable[[Mapping[str, bytes]], None]
PHOTOS = photos("a/1.jpg", "a/2.jpg", "a/deep/3.jpg", "b/4.jpg", "5.jpg")


@pytest.fixture
def cloud(s3_server: S3, fresh_bucket: Callable[[], str]) -> tuple[Minio, str]:
    return s3_client(s3_server), fresh_bucket()


@pytest.fixture
def settings(
    settings_for: SettingsFor, issuer: auth.TokenIssuer, nas: Path, cloud: tuple[Minio, str]
) -> Settings:
    connected = (f"nas={nas}", f"cloud=s3://{cloud[1]}/in/")
    return settings_for(Settings, jwks=issuer.jwks, index_batch_files=4, shares=connected)


@pytest.fixture
def put(nas: Path, cloud: tuple[Minio, str]) -> Put:
    """The same files into both shares."""

    def files(contents: Mapping[str, bytes]) -> None:
        for path, content in contents.items():
            (nas / path).parent.mkdir(parents=True, exist_ok=True)
            (nas / path).write_bytes(content)
            cloud[0].put_object(cloud[1], f"in/{path}", io.BytesIO(content), len(content))

    return files


def of(share: str, *paths: str, exclude: Sequence[str] = ()) -> MediaSource:
    return MediaSource(share=ShareSource(share=share, paths=paths, exclude=exclude))


async def objects(running: app.Running[Settings], media_id: str) -> list[str]:
    found = [blob.key async for blob in running.runtime.blobs.list("")]
    return sorted(key.removeprefix(f"media/{media_id}/") for key in found)


@pytest.mark.parametrize("share", ["nas", "cloud"])
async def test_images_of_a_share_stay_where_they_are(
    share: str, task: TaskSide, running: app.Running[Settings], put: Put
) -> None:
    put({**PHOTOS, "a/notes.txt": b"not an image"})
    media = await task.media(sources=[of(share, "a/", "5.jpg", exclude=["deep"])])
    assert (media.kind, media.size, media.data.copy_data) == (media_pb2.MEDIA_KIND_IMAGES, 3, False)
    assert [(file.name, file.reason) for file in media.skipped] == [
        ("a/notes.txt", "is neither an image nor a video")
    ]
    plan = await read_plan(running, media)
    assert plan.names == ["5.jpg", "a/1.jpg", "a/2.jpg"]
    assert [(source.share, source.is_tree, source.key) for source in plan.head.sources] == [(share, True, "")]
    assert [image.size for image in plan.images] == [
        len(PHOTOS[name]) for name in ("5.jpg", "a/1.jpg", "a/2.jpg")
    ]
    assert not [key for key in await objects(running, media.id) if key not in ("given", "plan", "results")]


@pytest.mark.parametrize("share", ["nas", "cloud"])
async def test_a_video_of_a_share_is_read_by_ranges(
    share: str, task: TaskSide, running: app.Running[Settings], put: Put
) -> None:
    put({"films/a film.mp4": clip()})
    media = await task.media(sources=[of(share, "films")])
    assert (media.kind, media.size) == (media_pb2.MEDIA_KIND_VIDEO, 40)
    [source] = (await read_plan(running, media)).head.sources
    assert (source.share, source.key, source.is_tree) == (share, "films/a film.mp4", False)
    assert source.size_bytes == len(clip())


async def test_several_sources_make_one_media(
    ann: Client, task: TaskSide, running: app.Running[Settings], nas: Path, cloud: tuple[Minio, str]
) -> None:
    (nas / "n.jpg").write_bytes(photo(1))
    (nas / "many.gif").write_bytes(animation(2))
    cloud[0].put_object(cloud[1], "in/c.jpg", io.BytesIO(photo(2)), len(photo(2)))
    upload = await ann.upload({"u.jpg": photo(3)})
    media = await task.media(
        upload, sources=[of("nas", ""), of("cloud", "c.jpg")], sorting=media_pb2.SORTING_METHOD_PREDEFINED
    )
    plan = await read_plan(running, media)
    assert plan.names == ["u.jpg", "many.gif/000000.png", "many.gif/000001.png", "n.jpg", "c.jpg"]
    assert {(source.share, source.key) for source in plan.head.sources if source.share} == {
        ("nas", "many.gif"),
        ("nas", ""),
        ("cloud", ""),
    }


@pytest.mark.usefixtures("running")
async def test_equal_names_of_two_shares_are_named(task: TaskSide, put: Put) -> None:
    put({"x.jpg": photo()})
    fault = await task.refusal(sources=[of("nas", "x.jpg"), of("cloud", "x.jpg")])
    assert isinstance(fault, errors.InvalidArgument)
    assert "x.jpg is the name of two files" in fault.message


@pytest.mark.usefixtures("running")
async def test_what_cannot_be_selected_is_named(task: TaskSide, put: Put, nas: Path) -> None:
    put({"x.jpg": photo()})
    (nas / "out").symlink_to(nas.parent)
    fault = await task.refusal(sources=[of("nas", "x.jpg", "absent", "../nas", "/etc", "out")])
    assert isinstance(fault, errors.InvalidArgument)
    assert [violation.field for violation in fault.violations] == [
        f"data.sources[0].share.paths[{number}]" for number in (1, 2, 3, 4)
    ]
    fault = await task.refusal(sources=[of("nas", "x.jpg"), of("other", "x.jpg")])
    assert isinstance(fault, errors.InvalidArgument)
    assert [violation.field for violation in fault.violations] == ["data.sources[1].share.share"]
    wrong = [of("", exclude=["", *["x"] * 100]), MediaSource()]
    fault = await task.refusal(sources=wrong)
    assert isinstance(fault, errors.InvalidArgument)
    assert [violation.field for violation in fault.violations] == [
        "data.sources[0].share.share",
        "data.sources[0].share.paths",
        "data.sources[0].share.exclude",
        "data.sources[0].share.exclude[0]",
        "data.sources[1]",
    ]


@pytest.mark.usefixtures("running")
async def test_what_is_no_file_is_left_out_with_its_reason(task: TaskSide, put: Put, nas: Path) -> None:
    put({"x.jpg": photo(), "empty.jpg": b""})
    (nas.parent / "secret.jpg").write_bytes(photo())
    (nas / "out.jpg").symlink_to(nas.parent / "secret.jpg")
    media = await task.media(sources=[of("nas", "")])
    assert media.size == 1
    assert {file.name: file.reason for file in media.skipped} == {
        "empty.jpg": "is empty",
        "out.jpg": "is a link that leads out or nowhere",
    }


@pytest.mark.parametrize("share", ["nas", "cloud"])
async def test_files_are_copied_if_that_is_asked_for(
    share: str, task: TaskSide, running: app.Running[Settings], put: Put
) -> None:
    put(PHOTOS)
    media = await task.media(sources=[of(share, "")], copy_data=True)
    assert media.data.copy_data
    plan = await read_plan(running, media)
    assert plan.names == sorted(PHOTOS)
    blobs = running.runtime.blobs
    for image in plan.images:
        source = plan.head.sources[image.source]
        assert (source.share, image.method) == ("", "stored")
        content = await blobs.get(source.key, offset=image.offset, length=image.length)
        assert content == PHOTOS[image.name]
    left = [key for key in await objects(running, media.id) if key not in ("given", "plan", "results")]
    assert left == ["packs/0"]


async def test_a_large_file_is_copied_in_parts(
    task: TaskSide, running: app.Running[Settings], nas: Path
) -> None:
    content = clip() + bytes(20 * 1024 * 1024)
    (nas / "film.mp4").write_bytes(content)
    media = await task.media(sources=[of("nas", "film.mp4")], copy_data=True)
    [source] = (await read_plan(running, media)).head.sources
    assert (source.share, source.size_bytes, source.name) == ("", len(content), "film.mp4")
    assert await running.runtime.blobs.get(source.key) == content


def test_patterns_leave_out_names_and_paths() -> None:
    def left(*patterns: str) -> list[str]:
        is_out = Excluded(patterns)
        paths = ["a/x.jpg", "a/tmp/y.jpg", "a/tmp/deep/z.png", "b/tmp", "tmp2/x.PNG", "[1].jpg"]
        return [path for path in paths if not is_out(path)]

    assert left() == ["a/x.jpg", "a/tmp/y.jpg", "a/tmp/deep/z.png", "b/tmp", "tmp2/x.PNG", "[1].jpg"]
    assert left("tmp") == ["a/x.jpg", "tmp2/x.PNG", "[1].jpg"]
    assert left("tmp/") == left("tmp")
    assert left("*.jpg") == ["a/tmp/deep/z.png", "b/tmp", "tmp2/x.PNG"]
    assert left("a/tmp") == ["a/x.jpg", "b/tmp", "tmp2/x.PNG", "[1].jpg"]
    assert left("a/*.png", "tmp?") == ["a/x.jpg", "a/tmp/y.jpg", "b/tmp", "[1].jpg"]
    assert left("*/deep/*") == ["a/x.jpg", "a/tmp/y.jpg", "b/tmp", "tmp2/x.PNG", "[1].jpg"]
    assert left("[[]1].jpg", "b") == ["a/x.jpg", "a/tmp/y.jpg", "a/tmp/deep/z.png", "tmp2/x.PNG"]


def test_paths_that_others_bring_along_add_nothing() -> None:
    assert distinct(["b/x", "a", "a/b/c", "ab", "a/", "b"]) == ["a", "ab", "b"]
    assert distinct(["b", "", "a"]) == [""]
    assert not faults_of_share("f", ShareSource(share="nas", paths=["", "a"], exclude=["*.tmp"]))


@given(st.lists(st.text("ab/*?[]!", min_size=1, max_size=8), max_size=4), st.text("ab/", max_size=8))
def test_no_pattern_is_a_fault(patterns: list[str], path: str) -> None:
    assert Excluded(patterns)(path) in (True, False)


async def test_an_attempt_goes_on_behind_any_path(nas: Path, settings: Settings) -> None:
    for path in ("b/2.jpg", "b/deep/1", "b-/x", "a/1", "a/tmp/2", "z.jpg", "0.jpg"):
        (nas / path).parent.mkdir(parents=True, exist_ok=True)
        (nas / path).write_bytes(b"x")
    (nas / "b" / "out").symlink_to(nas.parent)
    connected = shares.connect(settings, settings.shares)
    share = connected.named("nas")
    wanted = ShareSource(share="nas", paths=["z.jpg", "b/", "a", "b/deep", "0.jpg"], exclude=["tmp"])

    async def paths(last: str = "") -> list[str]:
        return [found.path async for batch in expanded(share, wanted, "field", last) for found in batch]

    everything = await paths()
    assert everything == ["z.jpg", "b/2.jpg", "b/deep/1", "b/out", "a/1", "0.jpg"]
    for number, last in enumerate(everything, 1):
        assert await paths(last) == everything[number:]
    await connected.close()


def test_many_files_are_held_in_columns() -> None:
    files = SharedFiles("nas")
    files.add("a/\u00e9.jpg", 5, "image", "jpeg", "")
    files.add("", 0, "", "", "is no regular file")
    files.add("b.mp4", 1 << 40, "video", "mp4", "")
    assert [(file.name, file.size_bytes, file.family, file.format) for file in files] == [
        ("a/\u00e9.jpg", 5, "image", "jpeg"),
        ("", 0, "", ""),
        ("b.mp4", 1 << 40, "video", "mp4"),
    ]
    assert files[-1].place == Place(key="b.mp4", size_bytes=1 << 40, share="nas")
    assert [file.trouble for file in files[1:]] == ["is no regular file", ""]
    other = Arranged(files, [2, 0])
    assert ([file.name for file in other], len(other), other[1].name) == (
        ["b.mp4", "a/\u00e9.jpg"],
        2,
        files[0].name,
    )
    assert [file.name for file in other[:1]] == ["b.mp4"]
    with pytest.raises(IndexError):
        files[3]
