"""Who sees what: absent and forbidden look alike."""

import asyncio
import functools
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from frameyard.common.v1.common_pb2 import FrameRange
from frameyard.media.v1 import media_pb2
from yard.chunking.handlers import access
from yard.chunking.settings import Settings
from yard.media.hard_clips import make_clip
from yard.runtime import app, auth, errors, ids
from yard.testkit.fixtures import GRANT_KEY
from yard.testkit.refusals import refused

from services.chunking.tests.conftest import ADMIN, BEN, Connect
from services.chunking.tests.media_side import MediaSide, Viewer, all_stored, number_in, numbers_in_zip

SIGNER = auth.Grants([GRANT_KEY])
FORGER = auth.Grants(["another key, which is of thirty-two characters or more"])
WAYS = ("chunk", "frames", "frame", "preview", "status", "corrupt_frames")

Ask = Callable[..., Awaitable[Any]]


@pytest.fixture
async def media(side: MediaSide, tmp_path: Path) -> media_pb2.Media:
    return await side.video(make_clip("b_frames", tmp_path, frames=20))


def way(viewer: Viewer, name: str, media: media_pb2.Media) -> Ask:
    """Asks for frame 0, or for chunk 0."""
    numbers: dict[str, tuple[int, ...]] = {"frames": (0, 4), "status": (), "corrupt_frames": ()}
    return functools.partial(getattr(viewer, name), media, *numbers.get(name, (0,)))


def signed(media: media_pb2.Media, *, by: auth.Grants = SIGNER, ttl_s: int = 900, **fields: Any) -> str:
    wanted = {"media_id": UUID(media.id), "first": 0, "last": 19, "user_id": 1, **fields}
    return by.sign(auth.MediaGrant(**wanted), ttl_s)


@pytest.mark.parametrize("name", WAYS)
async def test_a_valid_grant_of_the_caller_is_needed(
    name: str, media: media_pb2.Media, ann: Viewer, connect: Connect
) -> None:
    ask = way(ann, name, media)
    await ask()
    bad = {
        "none": "",
        "nonsense": "x.y.z",
        "of another user": signed(media, user_id=2),
        "of other media": signed(media, media_id=ids.uuid7()),
        "ended": signed(media, ttl_s=-120),
        "forged": signed(media, by=FORGER),
    }
    faults = {reason: await refused(ask(grant=grant)) for reason, grant in bad.items()}
    for principal in (BEN, ADMIN):
        theirs = way(connect(principal), name, media)
        faults[principal.username] = await refused(theirs(grant=signed(media)))
    for fault in faults.values():
        assert isinstance(fault, errors.NotFound), faults
    assert {fault.message for fault in faults.values()} == {f"media {media.id} was not found"}
    assert isinstance(await refused(ask(media_id="../x")), errors.NotFound)


async def test_a_grant_covers_its_frames_only(media: media_pb2.Media, ann: Viewer) -> None:
    grant = signed(media, first=5, last=14)
    assert numbers_in_zip((await ann.frames(media, 5, 14, grant=grant))[1]) == list(range(5, 15))
    assert number_in((await ann.frame(media, 14, grant=grant))[1]) == 14
    for ask in (
        ann.chunk(media, 0, grant=grant),
        ann.frames(media, 4, 5, grant=grant),
        ann.frames(media, 14, 15, grant=grant),
        ann.frame(media, 15, grant=grant),
        ann.frame(media, 99, grant=grant),
        ann.preview(media, 4, grant=grant),
    ):
        assert isinstance(await refused(ask), errors.NotFound)


async def test_a_service_needs_no_grant(media: media_pb2.Media, export: Viewer) -> None:
    for name in WAYS:
        await way(export, name, media)()
    absent = media_pb2.Media(id=str(ids.uuid7()), size=1)
    assert isinstance(await refused(export.frame(absent, 0)), errors.NotFound)


async def test_a_service_may_take_a_reference(
    media: media_pb2.Media, export: Viewer, ann: Viewer, side: MediaSide, running: app.Running[Settings]
) -> None:
    header, content = await export.chunk(media, 1, allow_reference=True)
    assert (header.HasField("blob"), header.HasField("size_bytes")) == (False, False)
    await all_stored(running.runtime.db)
    header, nothing = await export.chunk(media, 1, allow_reference=True)
    assert (nothing, header.size_bytes) == (b"", len(content))
    assert header.blob.key == f"chunks/{media.id}/compressed/zip/10-19"
    assert await side.blobs.get(header.blob.key) == content
    header, again = await ann.chunk(media, 1, allow_reference=True)
    assert (header.HasField("blob"), header.size_bytes, again) == (False, len(content), content)


WRONG: list[tuple[dict[str, Any], list[str]]] = [
    ({}, ["selection"]),
    ({"number": -1}, ["number"]),
    ({"frames": FrameRange(first=-1, last=3)}, ["frames.first"]),
    ({"frames": FrameRange(first=4, last=3)}, ["frames.last"]),
    ({"frames": FrameRange(first=0, last=10_000)}, ["frames"]),
    ({"number": 0, "picture_format": 1}, ["picture_format"]),
    ({"number": 0, "picture_format": 2, "format": 1}, ["picture_format"]),
    ({"number": 0, "picture_format": 2, "quality": 2, "format": 2}, ["picture_format"]),
    ({"number": -1, "quality": 9, "format": 9}, ["quality", "format", "number"]),
]


@pytest.mark.parametrize(("fields", "named"), WRONG)
async def test_wrong_requests_name_every_field(
    fields: dict[str, Any], named: list[str], media: media_pb2.Media, ann: Viewer
) -> None:
    fault = await refused(ann.ask_chunk(ann.request(media, **fields)))
    assert isinstance(fault, errors.InvalidArgument)
    assert [violation.field for violation in fault.violations] == named


async def test_wrong_frames_name_every_field(media: media_pb2.Media, ann: Viewer) -> None:
    fault = await refused(ann.frame(media, -1, quality=9, format=9))
    assert isinstance(fault, errors.InvalidArgument)
    assert [violation.field for violation in fault.violations] == ["frame", "quality", "format"]
    fault = await refused(ann.preview(media, -1))
    assert isinstance(fault, errors.InvalidArgument)


async def test_what_lies_past_the_end_is_told_to_who_sees_all(media: media_pb2.Media, ann: Viewer) -> None:
    for ask in (ann.chunk(media, 2), ann.frame(media, 20), ann.frames(media, 15, 20), ann.preview(media, 20)):
        fault = await refused(ask)
        assert isinstance(fault, errors.OutOfRange)
        assert "past the last one, 19" in fault.message


async def test_who_is_faster_than_the_event_waits_for_it(
    side: MediaSide, ann: Viewer, tmp_path: Path
) -> None:
    media = await side.video(make_clip("b_frames", tmp_path, frames=20), tells=False)
    asked = asyncio.create_task(ann.frame(media, 3))
    await side.tell(media)
    header, _ = await asked
    assert header.frame == 3


async def test_who_has_a_grant_for_unheard_media_may_come_again(
    side: MediaSide, ann: Viewer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "PATIENCE_S", 0.0)
    media = await side.video(make_clip("b_frames", tmp_path, frames=20), tells=False)
    fault = await refused(ann.frame(media, 0))
    assert isinstance(fault, errors.Unavailable)
    assert fault.reason == "MEDIA_NOT_KNOWN_YET"
