from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from frameyard.common.v1.common_pb2 import BlobRef as BlobMessage
from frameyard.task.v1.task_pb2 import TASK_MODE_ANNOTATION
from yard.media.index_block import ImageAddress, encode_frames
from yard.media.plan import encode_plan
from yard.runtime import errors
from yard.runtime.blobs import BlobRef, Blobs
from yard.task.settings import Settings
from yard.task.sources.frame_sizes import FrameSizes
from yard.testkit.fixtures import SettingsFor

from services.task.tests import annotation_scene as stage
from services.task.tests.annotation_scene import faults

SIZES = [(100 + number, 50) for number in range(7)] + [(0, 0)]
KEY = "media/m/plan"


def plan() -> bytes:
    """Eight images in blocks of three; the size of the last one is not known."""
    images = [ImageAddress(name=f"{n}.jpg", width=w, height=h) for n, (w, h) in enumerate(SIZES)]
    blocks = [encode_frames(images[first : first + 3]) for first in range(0, len(images), 3)]
    return b"".join(encode_plan("images", (), blocks, size=len(images)))


@pytest.fixture
async def blobs(settings_for: SettingsFor) -> AsyncIterator[Blobs]:
    blobs = Blobs.connect(settings_for(Settings))
    yield blobs
    await blobs.close()


async def test_sizes_are_those_of_the_plan(blobs: Blobs) -> None:
    sizes = FrameSizes(blobs)
    ref = await blobs.put(KEY, plan())
    assert await sizes.of(ref, [0, 4, 7, 99, -1, 4]) == {0: (100, 50), 4: (104, 50)}
    assert await sizes.of(ref, []) == {}


async def test_blocks_are_read_once_and_only_where_needed(blobs: Blobs) -> None:
    sizes = FrameSizes(blobs)
    ref = await blobs.put(KEY, plan())
    assert await sizes.of(ref, [1]) == {1: (101, 50)}
    await blobs.delete(KEY)
    assert await sizes.of(ref, [0, 2]) == {0: (100, 50), 2: (102, 50)}
    with pytest.raises(errors.DataLoss):
        await sizes.of(ref, [5])


async def test_a_damaged_plan_is_data_loss(blobs: Blobs) -> None:
    ref = await blobs.put(KEY, b"no plan at all, but long enough")
    for broken in (
        ref,
        BlobRef(key=KEY, size_bytes=3, sha256=""),
        BlobRef(key="gone", size_bytes=99, sha256=""),
    ):
        with pytest.raises(errors.DataLoss):
            await FrameSizes(blobs).of(broken, [0])


async def test_shapes_are_checked_against_their_own_image(settings_for: SettingsFor) -> None:
    content = plan()
    ref = BlobMessage(key=KEY, size_bytes=len(content)).SerializeToString()
    mode = int(TASK_MODE_ANNOTATION)
    async with stage.scene(settings_for, windows=((0, 7),), mode=mode, plan=ref) as scene:
        await scene.running.runtime.blobs.put(KEY, content)
        wrong = [scene.box(frame, 0, 0, 203, 50) for frame in (1, 4, 6, 7)]
        assert await faults(scene.put(scene.job(0), *wrong)) == {
            "annotations.shapes[0].points": "leaves the frame of 101x50 by more than its size"
        }
        assert (await scene.put(scene.task, *wrong[1:])).revision == 1
