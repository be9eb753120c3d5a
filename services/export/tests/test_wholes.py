from collections.abc import Callable

import grpc
import grpc.aio
import pytest
from frameyard.common.v1.common_pb2 import FrameRange
from frameyard.export.v1.export_events_pb2 import ExportCompleted, ExportFailed
from frameyard.operation.v1 import operation_pb2
from lxml import etree
from yard.annotations.model import AnnotationSet
from yard.export.settings import Settings
from yard.runtime import app, errors

from services.export.tests.callers import ADMIN, ANN, BOB, EVE, Client, inside, result_of
from services.export.tests.counterparts import PROJECT, REVISION, Counterparts, pixels
from services.export.tests.sample import OBJECTS


async def test_a_project_is_exported_with_its_subsets(
    client: Callable[[str], Client], running: app.Running[Settings]
) -> None:
    ann = client(ANN)
    done = await ann.ended(await ann.create("COCO 1.0", project_id=PROJECT, with_images=True))
    assert (done.state, done.target) == (operation_pb2.OPERATION_STATE_SUCCEEDED, f"projects/{PROJECT}")
    result = result_of(done)
    assert result.file_name.startswith("project_all_ of it_dataset_2026_01_03")
    assert result.revision == 2 * REVISION
    _, content = await ann.download(done.name)
    files = inside(content)
    assert {name for name in files if name.endswith(".json")} == {
        "annotations/instances_default.json",
        "annotations/instances_val.json",
    }
    assert files["images/val/frame_000025.PNG"] == pixels(3) == files["images/default/frame_000025.PNG"]
    rows = await running.runtime.db.fetch("SELECT key FROM outbox")
    assert [row["key"] for row in rows] == [f"project-{PROJECT}"]


async def test_a_project_is_exported_by_who_sees_all_of_it(client: Callable[[str], Client]) -> None:
    ann, bob, eve, admin = (client(who) for who in (ANN, BOB, EVE, ADMIN))
    for refused, code in ((eve, grpc.StatusCode.NOT_FOUND), (bob, grpc.StatusCode.PERMISSION_DENIED)):
        with pytest.raises(grpc.aio.AioRpcError) as fault:
            await refused.create(project_id=PROJECT)
        assert fault.value.code() is code
    done = await ann.ended(await ann.create(project_id=PROJECT))
    for refused in (bob, eve):
        with pytest.raises(grpc.aio.AioRpcError) as fault:
            await refused.download(done.name)
        assert fault.value.code() is grpc.StatusCode.NOT_FOUND
    assert (await admin.download(done.name))[1]


@pytest.mark.parametrize("target", [{"task_id": 12}, {"job_id": 31}, {"project_id": PROJECT}])
async def test_deleted_frames_are_not_written(
    client: Callable[[str], Client], counterparts: tuple[Counterparts, str], target: dict[str, int]
) -> None:
    counterparts[0].deleted = [FrameRange(first=1, last=1)]
    ann = client(ANN)
    done = await ann.ended(await ann.create("CVAT for images 1.1", **target))
    _, content = await ann.download(done.name)
    images = etree.fromstring(inside(content)["annotations.xml"]).findall("image")
    names = [image.get("name") for image in images]
    shown = [f"frame_{10 + 5 * number:06}" for number in range(4)]
    left = 4 if "project_id" in target else 0
    assert names[: len(names) - left] == [
        name for number, name in enumerate(shown) if number != 1 and (number < 3 or "job_id" not in target)
    ]


async def test_losses_are_refused_if_the_caller_says_so(
    client: Callable[[str], Client],
    counterparts: tuple[Counterparts, str],
    running: app.Running[Settings],
) -> None:
    ann = client(ANN)
    allowed = result_of(await ann.ended(await ann.create("COCO 1.0")))
    assert allowed.left_out
    refused = await ann.ended(await ann.create("COCO 1.0", refuse_loss=True, with_images=True))
    assert refused.state == operation_pb2.OPERATION_STATE_FAILED
    assert refused.error.code == grpc.StatusCode.FAILED_PRECONDITION.value[0]
    fault = errors.from_status(refused.error)
    assert fault.reason == "LOSS_REFUSED"
    assert fault.metadata == {left.kind: str(left.count) for left in allowed.left_out}
    assert all(
        f"{left.count} of kind {left.kind}: {left.reason}" in fault.message for left in allowed.left_out
    )
    assert len([blob async for blob in running.runtime.blobs.list("exports/")]) == 1
    types = await running.runtime.db.fetch("SELECT type FROM outbox ORDER BY type")
    assert [row["type"] for row in types] == [
        kind.DESCRIPTOR.full_name for kind in (ExportCompleted, ExportFailed)
    ]
    counterparts[0].objects = AnnotationSet(shapes=OBJECTS.shapes[-1:])
    counterparts[0].revision += 1
    kept = await ann.ended(await ann.create("CVAT for images 1.1", refuse_loss=True))
    assert kept.state == operation_pb2.OPERATION_STATE_SUCCEEDED, kept
