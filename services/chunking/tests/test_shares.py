"""Frames that are read from connected shares."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Callable
from pathlib import Path

import pytest
from frameyard.chunk.v1 import chunk_service_pb2 as messages
from frameyard.chunk.v1.chunk_events_pb2 import ChunksFailed
from frameyard.media.v1 import media_pb2
from yard.chunking.settings import Settings
from yard.embedded.servers.s3 import S3
from yard.media.hard_clips import FRAMES, make_clip
from yard.media.index_block import ImageAddress, encode_frames, encode_video
from yard.media.plan import Source
from yard.media.video_index import index_video
from yard.runtime import auth, errors
from yard.testkit.eventually import eventually
from yard.testkit.fixtures import SettingsFor, s3_client
from yard.testkit.refusals import refused

from services.chunking.tests.media_side import MediaSide, Viewer, number_in, numbers_in_zip
from services.chunking.tests.test_images import PICTURES, SIZE

PLAIN = PICTURES[0:1] + PICTURES[2:3] + PICTURES[4:8]
NUMBERS = [0, 2, 4, 5, 6, 7]


@pytest.fixture
def nas(tmp_path: Path) -> Path:
    folder = tmp_path / "nas" / "set"
    folder.mkdir(parents=True)
    return tmp_path / "nas"


@pytest.fixture
def settings(
    settings_for: SettingsFor,
    issuer: auth.TokenIssuer,
    nas: Path,
    s3_server: S3,
    fresh_bucket: Callable[[], str],
) -> Settings:
    """The same pictures in a directory and in a bucket."""
    bucket = fresh_bucket()
    for picture in PLAIN:
        path = nas / "set" / picture.name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(picture.content)
        key = f"set/{picture.name}"
        s3_client(s3_server).put_object(bucket, key, io.BytesIO(picture.content), len(picture.content))
    return settings_for(Settings, jwks=issuer.jwks, shares=(f"nas={nas}", f"cloud=s3://{bucket}"))


def tree(share: str) -> Source:
    return Source(key="set/", name=share, size_bytes=0, sha256="", share=share, is_tree=True)


def addresses(*, sized: bool = True) -> list[ImageAddress]:
    width, height = SIZE
    return [
        ImageAddress(name=each.name, width=width, height=height, size=len(each.content) if sized else 0)
        for each in PLAIN
    ]


@pytest.mark.parametrize("share", ["nas", "cloud"])
@pytest.mark.parametrize("sized", [True, False])
async def test_each_frame_of_a_tree_is_a_file_of_its_own(
    share: str, sized: bool, side: MediaSide, ann: Viewer
) -> None:
    block = encode_frames(addresses(sized=sized))
    media = await side.placed("images", [tree(share)], block, len(PLAIN), chunk_size=4)
    shown = [number for chunk in range(2) for number in numbers_in_zip((await ann.chunk(media, chunk))[1])]
    assert shown == NUMBERS
    assert number_in((await ann.frame(media, 5))[1]) == 7
    assert number_in((await ann.frame(media, 1, quality=messages.QUALITY_ORIGINAL))[1]) == 2


async def test_files_trees_and_objects_are_mixed(side: MediaSide, ann: Viewer) -> None:
    first, second, third = PLAIN[:3]
    await side.blobs.put("uploads/one", third.content)
    sources = [
        tree("nas"),
        Source(
            key=f"set/{second.name}", name=second.name, size_bytes=len(second.content), sha256="", share="nas"
        ),
        Source(key="uploads/one", name=third.name, size_bytes=len(third.content), sha256=""),
    ]
    given = addresses()
    mixed = [given[0], dataclasses.replace(given[1], source=1), dataclasses.replace(given[2], source=2)]
    media = await side.placed("images", sources, encode_frames([*mixed, given[3]]), 4)
    assert first.name == given[0].name
    assert numbers_in_zip((await ann.chunk(media, 0))[1]) == NUMBERS[:4]


async def test_a_video_is_read_by_ranges(side: MediaSide, ann: Viewer, nas: Path) -> None:
    path = make_clip("b_frames", nas, FRAMES)
    with path.open("rb") as file:
        index = index_video(file, path.name)
    source = Source(key=path.name, name=path.name, size_bytes=path.stat().st_size, sha256="", share="nas")
    media = await side.placed("video", [source], encode_video(index), FRAMES)
    assert numbers_in_zip((await ann.chunk(media, 1))[1]) == list(range(10, 20))
    path.unlink()
    fault = await refused(ann.chunk(media, 2))
    assert isinstance(fault, errors.Unavailable)
    assert fault.metadata["file"] == path.name


@pytest.mark.parametrize("sized", [True, False])
async def test_a_file_that_is_gone_is_named(sized: bool, side: MediaSide, ann: Viewer, nas: Path) -> None:
    block = encode_frames(addresses(sized=sized))
    media = await side.placed("images", [tree("nas")], block, len(PLAIN))
    lost = nas / "set" / PLAIN[1].name
    lost.rename(nas / "elsewhere")
    for call in (ann.chunk(media, 0), ann.frame(media, 1), ann.preview(media, 1)):
        fault = await refused(call)
        assert isinstance(fault, errors.Unavailable)
        assert fault.metadata["file"] == f"set/{PLAIN[1].name}"
    assert number_in((await ann.frame(media, 0))[1]) == 0
    (nas / "elsewhere").rename(lost)
    assert numbers_in_zip((await ann.chunk(media, 0))[1]) == NUMBERS


async def test_a_file_that_has_changed_is_named(side: MediaSide, ann: Viewer, nas: Path) -> None:
    media = await side.placed("images", [tree("nas")], encode_frames(addresses()), len(PLAIN))
    (nas / "set" / PLAIN[1].name).write_bytes(PLAIN[0].content)
    fault = await refused(ann.frame(media, 1))
    assert isinstance(fault, errors.FailedPrecondition)
    assert fault.reason == "SHARE_FILE_CHANGED"
    assert fault.metadata["file"] == f"set/{PLAIN[1].name}"


async def test_a_share_that_is_not_connected_is_unavailable(side: MediaSide, ann: Viewer) -> None:
    media = await side.placed("images", [tree("other")], encode_frames(addresses()), len(PLAIN))
    fault = await refused(ann.chunk(media, 0))
    assert isinstance(fault, errors.Unavailable)
    assert "the share other is not connected" in fault.message


async def test_building_in_advance_ends_with_the_name_of_a_file_that_is_gone(
    side: MediaSide, nas: Path
) -> None:
    (nas / "set" / PLAIN[4].name).unlink()
    block = encode_frames(addresses())
    media = await side.placed("images", [tree("nas")], block, len(PLAIN), use_cache=False, chunk_size=2)
    [failed] = await eventually(lambda: side.told(media), timeout_s=30.0)
    assert isinstance(failed, ChunksFailed)
    fault = errors.from_status(failed.error)
    assert isinstance(fault, errors.FailedPrecondition)
    assert fault.metadata["file"] == f"set/{PLAIN[4].name}"
    assert media.kind == media_pb2.MEDIA_KIND_IMAGES
