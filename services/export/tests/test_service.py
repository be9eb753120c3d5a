import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import grpc
import grpc.aio
import pytest
from frameyard.export.v1 import export_service_pb2 as messages
from frameyard.export.v1 import export_service_pb2_grpc
from frameyard.operation.v1 import operation_pb2
from yard.export import store
from yard.export.formats import FORMATS, IMPORT_ONLY
from yard.export.handlers import purging
from yard.export.handlers.context import Exporting
from yard.export.settings import Settings
from yard.export.sources.channels import Channels
from yard.runtime import app, clock, errors, ids, rpc
from yard.testkit.eventually import eventually

from services.export.tests.callers import ADMIN, ANN, BOB, EVE, Client, inside, result_of
from services.export.tests.counterparts import REVISION, Counterparts, pixels

GOLDEN = Path(__file__).parent / "golden"


async def test_an_export_runs_and_is_downloaded(client: Callable[[str], Client]) -> None:
    ann = client(ANN)
    queued = await ann.create()
    assert (queued.kind, queued.target, queued.owner) == ("export", "tasks/12", "1")
    done = await ann.ended(queued)
    assert done.state == operation_pb2.OPERATION_STATE_SUCCEEDED
    result = result_of(done)
    assert result.file_name == "task_night & day_annotations_2026_01_03_00_00_00_cvat for video 1.1.zip"
    assert result.revision == REVISION
    assert [(left.kind, left.count) for left in result.left_out] == [("tag", 1)]
    header, content = await ann.download(queued.name)
    assert (header.size_bytes, header.file_name) == (len(content), result.file_name)
    assert header.sha256 == hashlib.sha256(content).hexdigest() == result.archive.sha256
    assert inside(content) == {"annotations.xml": (GOLDEN / "cvat_video/annotations.xml").read_bytes()}
    _, rest = await ann.download(queued.name, offset=100)
    assert rest == content[100:]
    _, nothing = await ann.download(queued.name, offset=len(content))
    assert nothing == b""


async def test_images_are_put_in(client: Callable[[str], Client]) -> None:
    ann = client(ANN)
    done = await ann.ended(await ann.create("COCO 1.0", with_images=True))
    _, content = await ann.download(done.name)
    files = inside(content)
    assert len(files) == 5
    assert files["images/default/frame_000025.PNG"] == pixels(3)


async def test_a_job_is_exported_alone(client: Callable[[str], Client]) -> None:
    ann = client(ANN)
    done = await ann.ended(await ann.create("CVAT for images 1.1", job_id=32))
    assert done.target == "jobs/32"
    assert result_of(done).file_name.startswith("job_32_annotations")
    _, content = await ann.download(done.name)
    xml = inside(content)["annotations.xml"]
    assert xml.count(b"<image ") == 2
    assert b"<username>bob</username>" in xml


async def test_labels_that_change_while_objects_are_read_are_read_anew(
    client: Callable[[str], Client], counterparts: tuple[Counterparts, str]
) -> None:
    others, ann = counterparts[0], client(ANN)
    others.gate.clear()
    queued = await ann.create()
    await eventually(lambda: others.streams)
    first, *more = others.labels
    others.labels = [replace(first, name="renamed"), *more]
    others.gate.set()
    done = await ann.ended(queued)
    assert done.state == operation_pb2.OPERATION_STATE_SUCCEEDED
    assert others.streams == 2
    assert b"renamed" in inside((await ann.download(queued.name))[1])["annotations.xml"]


async def test_who_may_not_see_the_task_gets_nothing(client: Callable[[str], Client]) -> None:
    ann, bob, eve, admin = (client(who) for who in (ANN, BOB, EVE, ADMIN))
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await eve.create()
    assert refused.value.code() is grpc.StatusCode.NOT_FOUND
    done = await ann.ended(await ann.create())
    for allowed in (bob, admin):
        assert (await allowed.download(done.name))[1]
    for name in (done.name, f"export/{ids.uuid7()}", "task/nonsense"):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await eve.download(name)
        assert refused.value.code() is grpc.StatusCode.NOT_FOUND


async def test_who_sees_single_jobs_exports_those_only(
    client: Callable[[str], Client], counterparts: tuple[Counterparts, str]
) -> None:
    ann, bob = client(ANN), client(BOB)
    done = await ann.ended(await ann.create())
    counterparts[0].sees_jobs_only = True
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await bob.create()
    assert refused.value.code() is grpc.StatusCode.PERMISSION_DENIED
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await bob.download(done.name)
    assert refused.value.code() is grpc.StatusCode.NOT_FOUND
    assert (await bob.create(job_id=32)).target == "jobs/32"


@pytest.mark.parametrize(
    ("request_", "fields"),
    [
        (messages.CreateExportRequest(task_id=12, format="PDF 1.0"), ["format"]),
        (messages.CreateExportRequest(format="COCO 1.0"), ["target"]),
        (messages.CreateExportRequest(request_id="again"), ["target", "format"]),
        (messages.CreateExportRequest(task_id=12, format="COCO 1.0", request_id="again"), ["request_id"]),
    ],
)
async def test_wrong_requests_name_all_fields(
    client: Callable[[str], Client], request_: messages.CreateExportRequest, fields: list[str]
) -> None:
    stub = export_service_pb2_grpc.ExportServiceStub(client(ANN).channel)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await stub.CreateExport(request_)
    fault = rpc.errors_from_rpc(refused.value)
    assert isinstance(fault, errors.InvalidArgument)
    assert [violation.field for violation in fault.violations] == fields


async def test_a_task_without_frames_is_not_ready(
    client: Callable[[str], Client], counterparts: tuple[Counterparts, str]
) -> None:
    counterparts[0].size = 0
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await client(ANN).create()
    assert refused.value.code() is grpc.StatusCode.FAILED_PRECONDITION


async def test_a_repeated_request_is_one_export(client: Callable[[str], Client]) -> None:
    ann, request_id = client(ANN), str(ids.uuid7())
    first, second = [await ann.create(request_id=request_id) for _ in range(2)]
    assert first == second


async def test_an_export_tells_how_far_it_is(
    client: Callable[[str], Client], counterparts: tuple[Counterparts, str]
) -> None:
    others, _ = counterparts
    others.gate.clear()
    ann = client(ANN)
    operation = await ann.create()

    async def is_reading() -> bool:
        found = await ann.state(operation.name)
        return found.message == "reading annotations" and 0 <= found.progress < 1

    await eventually(is_reading)
    others.gate.set()
    done = await ann.ended(operation)
    assert (done.state, done.progress) == (operation_pb2.OPERATION_STATE_SUCCEEDED, 1)


async def test_a_cancelled_export_leaves_nothing(
    client: Callable[[str], Client],
    counterparts: tuple[Counterparts, str],
    running: app.Running[Settings],
) -> None:
    others, _ = counterparts
    others.gate.clear()
    ann = client(ANN)
    operation = await ann.create()
    await eventually(lambda: others.streams)
    with pytest.raises(grpc.aio.AioRpcError) as early:
        await ann.download(operation.name)
    assert early.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    await ann.cancel(operation.name)
    assert (await ann.ended(operation)).state == operation_pb2.OPERATION_STATE_CANCELLED
    assert [blob.key async for blob in running.runtime.blobs.list("exports/")] == []


async def test_an_export_of_a_task_that_is_purged_meanwhile_leaves_nothing(
    client: Callable[[str], Client],
    counterparts: tuple[Counterparts, str],
    running: app.Running[Settings],
) -> None:
    others, _ = counterparts
    others.gate.clear()
    ann, runtime = client(ANN), running.runtime
    operation = await ann.create()
    await eventually(lambda: others.streams)
    async with runtime.db.transaction() as tx:
        await store.expire_task(tx, 12, clock.now())
    exporting = Exporting(runtime=runtime, channels=Channels.of(runtime.settings))
    assert await purging.purge(exporting) == 1
    await exporting.channels.close()
    others.gate.set()
    assert (await ann.ended(operation)).state == operation_pb2.OPERATION_STATE_FAILED
    assert [blob.key async for blob in runtime.blobs.list("exports/")] == []


async def test_a_failed_export_says_why_and_tells_the_world(
    client: Callable[[str], Client],
    counterparts: tuple[Counterparts, str],
    running: app.Running[Settings],
) -> None:
    counterparts[0].broken_frame = True
    ann = client(ANN)
    failed = await ann.ended(await ann.create(with_images=True))
    assert failed.state == operation_pb2.OPERATION_STATE_FAILED
    assert "frame 0" in failed.error.message
    types = await running.runtime.db.fetch("SELECT type, key FROM outbox")
    assert [tuple(row) for row in types] == [("frameyard.export.v1.ExportFailed", "12")]
    assert [blob.key async for blob in running.runtime.blobs.list("exports/")] == []


async def test_expired_archives_go(client: Callable[[str], Client], running: app.Running[Settings]) -> None:
    ann = client(ANN)
    kept, gone = [await ann.ended(await ann.create()) for _ in range(2)]
    runtime = running.runtime
    await runtime.db.execute(
        "UPDATE export SET expires_at = $2 WHERE id = $1::text::uuid",
        gone.name.split("/")[1],
        clock.now() - timedelta(seconds=1),
    )
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await ann.download(gone.name)
    assert refused.value.code() is grpc.StatusCode.NOT_FOUND
    exporting = Exporting(runtime=runtime, channels=Channels.of(runtime.settings))
    assert await purging.purge(exporting) == 1
    keys = [blob.key async for blob in runtime.blobs.list("exports/")]
    assert keys == [f"exports/{kept.name.split('/')[1]}/archive"]
    async with runtime.db.transaction() as tx:
        await store.expire_task(tx, 12, clock.now())
    assert await purging.purge(exporting) == 1
    await exporting.channels.close()


async def test_formats_are_listed_in_order_with_what_can_be_done(client: Callable[[str], Client]) -> None:
    exports = export_service_pb2_grpc.ExportServiceStub(client(ANN).channel)
    formats = (await exports.ListFormats(messages.ListFormatsRequest())).formats
    listed = {known.name: known for known in formats}
    assert list(listed) == [known.full_name for known in (*FORMATS, *IMPORT_ONLY)]
    assert [known.name for known in formats if not known.can_export] == ["CVAT 1.1"]
    marks = {name: (one.for_interpolation, one.for_annotation) for name, one in listed.items()}
    assert (marks["CVAT for video 1.1"], marks["CVAT for images 1.1"]) == ((True, False), (False, True))
    assert listed["CVAT 1.1"].can_import
    assert list(listed["CVAT 1.1"].bare_extensions) == ["xml"]
