import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from frameyard.common.v1.common_pb2 import FrameRange
from frameyard.operation.v1 import operation_pb2
from yard.export.datasets.drawn import Frame
from yard.export.handlers import images as module
from yard.export.handlers.images import Images
from yard.export.settings import Settings
from yard.export.sources.channels import Channels
from yard.runtime import app, clock, errors
from yard.testkit.eventually import eventually
from yard.testkit.fixtures import SettingsFor

from services.export.tests.callers import ANN, Client, inside, reaching
from services.export.tests.counterparts import Counterparts
from services.export.tests.sample import SUBJECT

LARGE = replace(SUBJECT, mode="annotation", last=9_999)


def frame(number: int, part: int = 0) -> Frame:
    name = f"{number}.jpg"
    return Frame(number, number, name, name, name, 20, 10, part)


@pytest.fixture
def channels(counterparts: tuple[Counterparts, str], settings_for: SettingsFor) -> Channels:
    _, address = counterparts
    return Channels.of(
        settings_for(
            Settings,
            **reaching(address),
        )
    )


async def read(images: Images, frames: Iterator[Frame]) -> dict[tuple[int, int], bytes]:
    def run() -> dict[tuple[int, int], bytes]:
        return {(each.part, each.number): b"".join(images(each)) for each in frames}

    return await asyncio.to_thread(run)


async def test_files_come_in_few_calls_and_deleted_frames_in_none(
    counterparts: tuple[Counterparts, str], channels: Channels
) -> None:
    others = counterparts[0]
    others.is_video = False
    others.pixels = lambda number: b"%d" % number * 300
    part = replace(LARGE, deleted=((0, 9), (3_000, 3_004), (9_990, 9_999)))
    shown = [number for number in range(10, 9_990) if not 3_000 <= number <= 3_004]
    with Images(channels, [part, part]) as images:
        found = await read(images, (frame(number, place) for place in (0, 1) for number in shown))
    assert found == {(place, number): b"%d" % number * 300 for place in (0, 1) for number in shown}
    asked = [number for first, last in others.ranges for number in range(first, last + 1)]
    assert sorted(asked) == sorted(shown * 2)
    assert len(others.ranges) < 24
    await channels.close()


async def test_large_files_are_asked_for_a_few_at_a_time(
    counterparts: tuple[Counterparts, str], channels: Channels, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RUN_BYTES", 3_000)
    others = counterparts[0]
    others.is_video = False
    others.pixels = lambda number: bytes([number % 251]) * 1_000
    with Images(channels, [LARGE]) as images:
        found = await read(images, map(frame, range(100)))
    assert found == {(0, number): bytes([number % 251]) * 1_000 for number in range(100)}
    assert {last - first for first, last in others.ranges[3:]} == {2}
    await channels.close()


async def test_frames_may_be_passed_over_and_begun_anew(
    counterparts: tuple[Counterparts, str], channels: Channels
) -> None:
    others = counterparts[0]
    others.is_video = False
    wanted = [5, 7, 8, 200, 3, 4]
    with Images(channels, [LARGE]) as images:
        found = await read(images, map(frame, wanted))
        assert found == {(0, number): others.pixels(number) for number in wanted}
        images.withhold()
        assert await read(images, iter([frame(5)])) == {(0, 5): b""}
    await channels.close()


async def test_who_waits_for_a_file_is_freed_when_the_export_ends(
    counterparts: tuple[Counterparts, str], channels: Channels
) -> None:
    with Images(channels, [LARGE]) as images:
        pass
    with pytest.raises((errors.Cancelled, asyncio.CancelledError)):
        await read(images, iter([frame(0)]))
    await channels.close()


async def test_originals_are_put_in_but_for_deleted_frames(
    client: Callable[[str], Client], counterparts: tuple[Counterparts, str]
) -> None:
    ann, others = client(ANN), counterparts[0]
    others.is_video = False
    others.deleted = [FrameRange(first=1, last=1)]
    done = await ann.ended(await ann.create("COCO 1.0", with_images=True))
    assert done.state == operation_pb2.OPERATION_STATE_SUCCEEDED, done
    files = inside((await ann.download(done.name))[1])
    images = {name: content for name, content in files.items() if not name.endswith(".json")}
    assert list(images.values()) == [others.pixels(number) for number in (0, 2, 3)]


async def test_an_export_that_waits_for_a_file_is_cancelled_at_once(
    client: Callable[[str], Client],
    counterparts: tuple[Counterparts, str],
    running: app.Running[Settings],
) -> None:
    ann, others = client(ANN), counterparts[0]
    others.files_gate.clear()
    operation = await ann.create("COCO 1.0", with_images=True)
    await eventually(lambda: others.ranges)
    begun = clock.monotonic()
    await ann.cancel(operation.name)
    assert (await ann.ended(operation)).state == operation_pb2.OPERATION_STATE_CANCELLED
    assert clock.monotonic() - begun < 5
    assert [blob.key async for blob in running.runtime.blobs.list("exports/")] == []
