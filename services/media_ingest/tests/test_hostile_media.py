"""Hostile files through the running service: told by name, in little memory and time, and good ones go on."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import pytest
from frameyard.media.v1.media_events_pb2 import MediaFailed, MediaIndexed
from yard.media_ingest.settings import Settings
from yard.runtime import auth, errors
from yard.testkit.fixtures import SettingsFor

from services.media_ingest.tests import hostile
from services.media_ingest.tests.contents import clip, photo

if TYPE_CHECKING:
    from services.media_ingest.tests.neighbours import Client, TaskSide

WORKER_MIB = 384


@pytest.fixture
def settings(settings_for: SettingsFor, issuer: auth.TokenIssuer) -> Settings:
    """Children die of what is taken in at once, so that no attack can hide in the memory of the machine."""
    return settings_for(
        Settings, jwks=issuer.jwks, worker_memory_mib=WORKER_MIB, worker_timeout_s=20.0, worker_processes=1
    )


async def outcome(ann: Client, task: TaskSide, files: dict[str, bytes]) -> MediaIndexed | MediaFailed:
    event = await task.outcome(await task.request(await ann.upload(files)))
    assert isinstance(event, MediaIndexed | MediaFailed)
    return event


async def refused(ann: Client, task: TaskSide, files: dict[str, bytes]) -> errors.YardError:
    """A reason of its own, and not that of a child that died."""
    event = await outcome(ann, task, files)
    assert isinstance(event, MediaFailed), event
    fault = errors.from_status(event.error)
    assert isinstance(fault, errors.InvalidArgument | errors.FailedPrecondition), fault
    return fault


async def test_members_that_lead_elsewhere_are_left_out(ann: Client, task: TaskSide) -> None:
    slipping = dict.fromkeys(hostile.SLIPPING, photo(1))
    for content in (
        hostile.zipped({**slipping, "ok.jpg": photo()}),
        hostile.tarred(files={**slipping, "ok.jpg": photo()}),
        gzip.compress(hostile.tarred(files={**slipping, "ok.jpg": photo()})),
    ):
        event = await outcome(ann, task, {"set": content})
        assert isinstance(event, MediaIndexed), event
        assert (event.media.size, event.media.skipped_count) == (1, len(slipping))
        assert all("its name" in file.reason for file in event.media.skipped)


async def test_links_and_devices_are_left_out(ann: Client, task: TaskSide) -> None:
    for content, count in ((hostile.linked_zip(), 1), (hostile.linked_tar(), 4)):
        event = await outcome(ann, task, {"set": content})
        assert isinstance(event, MediaIndexed), event
        assert (event.media.size, event.media.skipped_count) == (1, count)


@pytest.mark.parametrize("packing", ["zip", "gz", "bz2", "xz"])
async def test_bombs_are_found_while_they_expand(packing: str, ann: Client, task: TaskSide) -> None:
    fault = await refused(ann, task, {"bomb": hostile.bomb(packing)})
    assert "expands" in fault.message
    assert fault.metadata["file"] == "bomb"
    assert isinstance(await outcome(ann, task, {"a.jpg": photo()}), MediaIndexed)


ARCHIVES: dict[str, tuple[bytes, str]] = {
    "overlap": (hostile.overlapping(), "overlap"),
    "lie": (hostile.lying(), "beyond the end"),
    "encrypted": (hostile.encrypted(), "is encrypted"),
    "nested": (hostile.nested(3), "archive inside an archive"),
    "cut": (hostile.zipped({"a.jpg": photo()})[:-30], "zip"),
    "empty": (hostile.zipped({}), ""),
    "text": (hostile.zipped({"a.jpg": b"text"}), "is not an image"),
}


async def test_archives_of_nothing_good_are_refused(ann: Client, task: TaskSide) -> None:
    for name, (content, words) in ARCHIVES.items():
        fault = await refused(ann, task, {f"{name}.zip": content})
        assert words in fault.message, (name, fault.message)


async def test_a_packed_tar_that_is_cut_ends_or_is_refused(ann: Client, task: TaskSide) -> None:
    content = gzip.compress(hostile.tarred(files={f"{n}.jpg": photo(n) for n in range(9)}))
    for length in (20, len(content) // 2, len(content) - 4):
        event = await outcome(ann, task, {"a.tgz": content[:length]})
        if isinstance(event, MediaIndexed):
            assert event.media.size <= 9
        else:
            assert errors.from_status(event.error).metadata["file"] == "a.tgz"


IMAGES: dict[str, bytes] = {
    "huge.png": hostile.png_of(100_000, 100_000),
    "flat.png": hostile.png_of(1, 0),
    "chunk.png": hostile.png_of(8, 8)[:33] + b"\xff\xff\xff\xf0tEXt" + bytes(40),
    "wide.jpg": hostile.jpeg_of(65_535, 65_535),
    "huge.gif": hostile.gif_of(65_535, 65_535),
    "huge.tif": hostile.tiff_of(10),
    "entries.tif": hostile.tiff_of(60_000),
    "far.tif": b"II*\0\xf0\xff\xff\xff",
    "huge.bmp": b"BM" + bytes(12) + b"\x28\0\0\0\xff\xff\xff\x7f\xff\xff\xff\x7f\1\0\x18\0" + bytes(30),
    "huge.webp": b"RIFF\x20\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\xff\xff\xff\xff\xff\xff" + bytes(10),
    "drawing.jpg": b"<svg xmlns='http://www.w3.org/2000/svg'><image href='file:///etc/passwd'/></svg>",
    "script.jpg": b"%!PS-Adobe-3.0 EPSF-3.0\n(/etc/passwd) (r) file\n",
    "playlist.jpg": b"#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n",
}


async def test_images_that_claim_absurd_things_are_left_out(ann: Client, task: TaskSide) -> None:
    event = await outcome(ann, task, {**IMAGES, "ok.jpg": photo()})
    assert isinstance(event, MediaIndexed), event
    assert {file.name for file in event.media.skipped} == set(IMAGES)
    assert event.media.size == 1


REFERENCES = {
    "playlist.mp4": b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n",
    "concat.mp4": b"ffconcat version 1.0\nfile /etc/passwd\n",
    "session.mp4": b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nm=video 5000 RTP/AVP 96\n",
}


async def test_playlists_are_no_videos(ann: Client, task: TaskSide) -> None:
    for name, content in REFERENCES.items():
        for disguised in (content, b"\x00\x00\x01\xba" + content, b"FLV\x01\x05\0\0\0\x09\0\0\0\0" + content):
            fault = await refused(ann, task, {name: disguised})
            assert fault.metadata["file"] == name
    assert isinstance(await outcome(ann, task, {"ok.mp4": clip()}), MediaIndexed)


@pytest.mark.parametrize(
    "content",
    [
        hostile.pdf_of("[0 0 900000 900000]"),
        hostile.pdf_of("[0 0 0 0]", count=2_000_000_000),
        hostile.pdf_of("[0 0 1e30 1e30]"),
        b"%PDF-1.7\n" + b"<<" * 100_000,
        b"%PDF-1.7\n1 0 obj\n" + b"[" * 200_000,
    ],
    ids=["huge", "countless", "endless", "deep", "nested"],
)
async def test_documents_that_claim_absurd_things_are_refused(
    content: bytes, ann: Client, task: TaskSide
) -> None:
    event = await outcome(ann, task, {"a.pdf": content})
    if isinstance(event, MediaIndexed):
        # The library takes a page without size for one of a letter.
        assert event.media.size == 1
        assert event.media.width * event.media.height < 10_000_000
    else:
        assert errors.from_status(event.error).metadata["file"] == "a.pdf"
