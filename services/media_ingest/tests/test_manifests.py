"""Media that a manifest describes, from an upload and from a share."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
from frameyard.media.v1 import media_pb2, media_service_pb2
from frameyard.media.v1.media_pb2 import MediaSource, ShareSource
from yard.media.claims import CLAIMED
from yard.media.manifest import ManifestImage, ManifestKeyframe, ManifestVideo, write_images, write_video
from yard.media_ingest.settings import Settings
from yard.runtime import app, auth, errors
from yard.testkit.fixtures import SettingsFor
from yard.testkit.refusals import refused

from services.media_ingest.tests.contents import SIZE, animation, clip, photo, photos
from services.media_ingest.tests.neighbours import Client, TaskSide
from services.media_ingest.tests.plans import read_plan
from services.media_ingest.tests.test_reading import frames
from services.media_ingest.tests.test_results import brief, granted, results

PREDEFINED = media_pb2.SORTING_METHOD_PREDEFINED
TAKEN = media_pb2.FILE_OUTCOME_TAKEN


@pytest.fixture
def settings(settings_for: SettingsFor, issuer: auth.TokenIssuer, nas: Path) -> Settings:
    return settings_for(Settings, jwks=issuer.jwks, index_batch_files=4, shares=(f"nas={nas}",))


def images(names: Iterable[str], size: tuple[int, int] = SIZE) -> bytes:
    width, height = size
    lines = [ManifestImage(name=name, width=width, height=height) for name in names]
    return b"".join(write_images(lines))


def put(nas: Path, files: Mapping[str, bytes]) -> None:
    for path, content in files.items():
        (nas / path).parent.mkdir(parents=True, exist_ok=True)
        (nas / path).write_bytes(content)


def of_share(*paths: str, **fields: Any) -> MediaSource:
    return MediaSource(share=ShareSource(share="nas", paths=paths, **fields))


async def exported(client: Client, media_id: str, grant: str = "") -> bytes:
    request = media_service_pb2.ExportManifestRequest(media_id=media_id, grant=grant)
    return b"".join([piece.content async for piece in client.media.ExportManifest(request)])


async def test_images_come_in_the_order_of_the_manifest_and_are_not_opened(
    ann: Client, export: Client, task: TaskSide, running: app.Running[Settings]
) -> None:
    names = ["c.jpg", "a.jpg", "b.jpg"]
    files = {**photos(*sorted(names)), "other.jsonl": b"{}", "manifest.jsonl": images(names, (640, 480))}
    upload = await ann.upload(files)
    media = await task.media(upload, sorting=PREDEFINED)
    assert (media.size, media.width, media.height, media.skipped_count) == (3, 640, 480, 1)
    plan = await read_plan(running, media)
    assert plan.names == names
    assert {image.orientation for image in plan.images} == {CLAIMED}
    assert [image.size for image in plan.images] == [len(files[name]) for name in names]
    assert [frame.width for frame in await frames(export, media.id)] == [640] * 3
    assert ("manifest.jsonl", TAKEN, 0) in brief(await results(export, media.id))
    assert (await read_plan(running, await task.media(upload))).names == sorted(names)


async def test_files_and_manifest_must_fit(ann: Client, task: TaskSide) -> None:
    files = {**photos("a.jpg", "x.jpg"), "manifest.jsonl": images(["a.jpg", "b.jpg"])}
    fault = await task.refusal(await ann.upload(files))
    assert isinstance(fault, errors.InvalidArgument)
    assert fault.metadata["file"] == "manifest.jsonl"
    assert "1 image is not among the files: b.jpg; 1 file is not in it: x.jpg" in fault.message
    for content, said in (
        (b"{}\n", "line 1: expected 'version'"),
        (images(["a.jpg"]) + b"nonsense\n", "line 4: is not JSON"),
        (b"".join(write_video(VIDEO, [KEYFRAME])), "describes a video"),
    ):
        fault = await task.refusal(await ann.upload({**photos("a.jpg"), "d/manifest.jsonl": content}))
        assert said in fault.message
    fault = await task.refusal(await ann.upload({"manifest.jsonl": images(["a.jpg"])}))
    assert "not given with it" in fault.message


VIDEO = ManifestVideo(name="film.mp4", width=320, height=240, frames=40)
KEYFRAME = ManifestKeyframe(number=0, pts=0)


async def test_a_video_is_checked_at_once(ann: Client, export: Client, task: TaskSide) -> None:
    media = await task.media(await ann.upload({"film.mp4": clip()}))
    manifest = await exported(export, media.id)
    assert b'"length":40' in manifest
    again = await task.media(await ann.upload({"film.mp4": clip(), "manifest.jsonl": manifest}))
    assert (again.size, again.kind) == (40, media_pb2.MEDIA_KIND_VIDEO)
    lie = manifest.replace(b'"length":40', b'"length":41')
    fault = await task.refusal(await ann.upload({"film.mp4": clip(), "manifest.jsonl": lie}))
    assert fault.message == "manifest.jsonl: it says 41 frames, there are 40 in film.mp4"


async def test_an_exported_manifest_makes_an_equal_task(
    ann: Client, export: Client, task: TaskSide, running: app.Running[Settings]
) -> None:
    files = {**photos(*(f"d/{number}.jpg" for number in (2, 10, 1))), "e.gif": animation(3)}
    wanted = {"sorting": media_pb2.SORTING_METHOD_NATURAL, "start_frame": 1, "frame_step": 2}
    media = await task.media(await ann.upload(files), **wanted)
    manifest = await exported(export, media.id)
    assert manifest.splitlines()[2::2] == [b"{}"] * 3
    again = await task.media(await ann.upload({**files, "manifest.jsonl": manifest}), **wanted)
    first, second = [(await read_plan(running, each)).images for each in (media, again)]
    assert [(a.name, a.order, a.width, a.height, a.page, a.method) for a in first] == [
        (b.name, b.order, b.width, b.height, b.page, b.method) for b in second
    ]
    assert await exported(export, again.id) == manifest
    assert ("d/10.jpg", TAKEN, 1) in brief(await results(export, again.id))
    other = await task.refusal(await ann.upload({**files, "manifest.jsonl": manifest}))
    assert "does not describe frame 0" in other.message


async def test_only_who_sees_all_frames_gets_a_manifest(
    ann: Client, ben: Client, task: TaskSide, running: app.Running[Settings]
) -> None:
    media = await task.media(await ann.upload(photos("a.jpg", "b.jpg")))
    good = granted(running, media.id)
    assert (await exported(ann, media.id, good)).count(b"\n") == 4
    for client, grant in ((ann, ""), (ben, good), (ann, granted(running, media.id, last=0))):
        assert isinstance(await refused(exported(client, media.id, grant)), errors.NotFound)


async def test_a_folder_of_a_share_is_taken_as_its_manifest_says(
    task: TaskSide, export: Client, running: app.Running[Settings], nas: Path
) -> None:
    names = ["10.jpg", "9.jpg", "deep/1.jpg"]
    files = {f"set/{name}": photo(number) for number, name in enumerate(names)}
    put(nas, {**files, "set/manifest.jsonl": images(names), "set/left.jpg": photo(9)})
    media = await task.media(sources=[of_share("set/")], sorting=PREDEFINED, start_frame=1)
    plan = await read_plan(running, media)
    assert plan.names == ["set/9.jpg", "set/deep/1.jpg"]
    assert [image.order for image in plan.images] == [1, 2]
    assert [(source.share, source.key, source.is_tree) for source in plan.head.sources] == [("nas", "", True)]
    assert (media.size, media.source_frames, media.width, media.height) == (2, 3, *SIZE)
    assert brief(await results(export, media.id)) == [("set/manifest.jsonl", TAKEN, 0), ("set/", TAKEN, 3)]
    assert [frame.name for frame in await frames(export, media.id)] == plan.names


async def test_a_manifest_of_an_upload_describes_a_folder_of_a_share(
    ann: Client, export: Client, task: TaskSide, running: app.Running[Settings], nas: Path
) -> None:
    put(nas, {f"set/{number}.jpg": photo(number) for number in range(3)})
    first = await task.media(sources=[of_share("set")])
    manifest = await exported(export, first.id)
    upload = await ann.upload({"manifest.jsonl": manifest})
    again = await task.media(upload, sources=[of_share("set")], sorting=PREDEFINED)
    one, two = [await read_plan(running, each) for each in (first, again)]
    assert (one.names, one.head.sources) == (two.names, two.head.sources)
    assert {image.orientation for image in two.images} == {CLAIMED}


async def test_a_manifest_that_does_not_fit_its_folder_is_refused_by_name(
    task: TaskSide, running: app.Running[Settings], nas: Path
) -> None:
    put(nas, {"set/a.jpg": photo(), "set/manifest.jsonl": images(["a.jpg", "b.jpg"])})
    fault = await task.refusal(sources=[of_share("set")])
    assert "1 image is not among the files: b.jpg" in fault.message


async def test_members_of_an_archive_come_in_the_order_of_a_manifest(
    ann: Client, task: TaskSide, running: app.Running[Settings]
) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for number, name in enumerate(["a.jpg", "d/b.jpg", "c.jpg"]):
            archive.writestr(name, photo(number))
    names = ["c.jpg", "a.jpg", "d/b.jpg"]
    files = {"all.zip": content.getvalue(), "manifest.jsonl": images(names)}
    media = await task.media(await ann.upload(files), sorting=PREDEFINED)
    assert (await read_plan(running, media)).names == names
    lie = {**files, "manifest.jsonl": images(names, (1, 2))}
    fault = await task.refusal(await ann.upload(lie))
    assert f"says that a.jpg has 1x2 pixels, it has {SIZE[0]}x{SIZE[1]}" in fault.message
