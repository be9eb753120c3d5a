"""Imports through the service: with the other services as small servers, and a real bucket and database."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
from frameyard.annotation.v1 import annotation_service_pb2 as annotation
from frameyard.export.v1 import import_service_pb2 as messages
from frameyard.export.v1 import import_service_pb2_grpc
from frameyard.media.v1 import upload_service_pb2 as uploads
from frameyard.operation.v1 import operation_pb2
from yard.annotations.batch import Batch
from yard.annotations.columnar import decode
from yard.annotations.model import AnnotationSet, Shape, ShapeKind
from yard.export.formats.coco import COCO
from yard.export.formats.cvat_video import CVAT_FOR_VIDEO
from yard.export.service import SERVICE
from yard.export.settings import Settings
from yard.runtime import app, errors, ids, rpc
from yard.runtime.blobs import Blobs
from yard.runtime.db import Database
from yard.testkit.eventually import eventually
from yard.testkit.fixtures import OpenChannel, SettingsFor
from yard.testkit.service_program import ServiceProgram, end_leases_of_work

from services.export.tests.callers import ANN, BOB, EVE, Client, reaching
from services.export.tests.counterparts import OFFSET, REVISION, UPLOAD, UPLOADED, Counterparts
from services.export.tests.intake_scene import archived
from services.export.tests.sample import MOVING, dataset, files

MOVED = AnnotationSet(tracks=(MOVING,))
LAUGHS = b"""<!DOCTYPE annotations [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY file SYSTEM "file:///etc/passwd">]><annotations><version>&b;&file;</version></annotations>"""
GOOD = files(CVAT_FOR_VIDEO, dataset(MOVED))


@pytest.fixture
def settings(counterparts: tuple[Counterparts, str], settings_for: SettingsFor, tmp_path: Path) -> Settings:
    _, address = counterparts
    return settings_for(
        Settings,
        **reaching(address),
        port_file=str(tmp_path / "ports.json"),
    )


@pytest.fixture
async def running(settings: Settings) -> AsyncIterator[app.Running[Settings]]:
    async with app.serving(SERVICE, settings) as service:
        yield service


@pytest.fixture
def client(running: app.Running[Settings], open_channel: OpenChannel) -> Callable[[str], Client]:
    return lambda token: Client(open_channel(running.address, token))


async def upload(
    blobs: Blobs, others: Counterparts, content: bytes | dict[str, bytes], name: str = "given.zip"
) -> str:
    """Puts a file behind others in one object, as uploads of small files lie."""
    content = content if isinstance(content, bytes) else archived(content)
    await blobs.put(UPLOADED, b"x" * OFFSET + content)
    others.upload = uploads.Upload(
        id=UPLOAD.id, state=UPLOAD.state, files=[uploads.UploadFile(name=name, size_bytes=len(content))]
    )
    return UPLOAD.id


def result_of(operation: operation_pb2.Operation) -> messages.ImportResult:
    result = messages.ImportResult()
    assert operation.result.Unpack(result), operation
    return result


def saved(others: Counterparts) -> AnnotationSet:
    return decode(map(Batch.of, others.saved))


async def events(database: Database) -> list[str]:
    return [row["type"].rpartition(".")[2] for row in await database.fetch("SELECT type FROM outbox")]


async def test_a_file_is_imported_in_the_name_of_who_asked(
    client: Callable[[str], Client], counterparts: tuple[Counterparts, str], running: app.Running[Settings]
) -> None:
    others, ann = counterparts[0], client(ANN)
    upload_id = await upload(running.runtime.blobs, others, GOOD)
    queued = await ann.bring(upload_id=upload_id)
    assert (queued.kind, queued.target, queued.owner) == ("import", "tasks/12", "1")
    done = await ann.ended(queued)
    assert done.state == operation_pb2.OPERATION_STATE_SUCCEEDED, done.error
    result = result_of(done)
    assert (result.revision, result.tags, result.shapes, result.tracks) == (REVISION + 1, 0, 0, 1)
    (header,) = others.headers
    assert (header.user_id, header.target.task_id) == (1, 12)
    assert (header.mode, header.request_id) == (annotation.IMPORT_MODE_REPLACE, queued.name.split("/")[1])
    assert saved(others).tracks[0].keyframes[0].points == MOVING.keyframes[0].points
    assert await events(running.runtime.db) == ["ImportCompleted"]


@pytest.mark.parametrize("convert", [False, True])
async def test_masks_become_polygons_if_the_caller_says_so(
    client: Callable[[str], Client],
    counterparts: tuple[Counterparts, str],
    running: app.Running[Settings],
    convert: bool,
) -> None:
    others, ann = counterparts[0], client(ANN)
    mask = Shape(frame=1, label_id=7, kind=ShapeKind.MASK, points=(0, 4, 1, 4, 0, 0, 2, 2))
    content = files(COCO, dataset(AnnotationSet(shapes=(mask,))))
    upload_id = await upload(running.runtime.blobs, others, content)
    result = result_of(
        await ann.ended(await ann.bring("COCO 1.0", upload_id=upload_id, convert_masks=convert))
    )
    (shape,) = saved(others).shapes
    if convert:
        assert (shape.kind, shape.points) == (ShapeKind.POLYGON, (0, 0, 3, 0, 3, 3, 0, 3))
        assert [(ignored.kind, ignored.count) for ignored in result.ignored] == [("hole", 1)]
    else:
        assert (shape.kind, shape.points) == (mask.kind, mask.points)
        assert not result.ignored


async def test_a_bare_file_is_appended_to_a_job(
    client: Callable[[str], Client], counterparts: tuple[Counterparts, str], running: app.Running[Settings]
) -> None:
    others, bob = counterparts[0], client(BOB)
    upload_id = await upload(running.runtime.blobs, others, GOOD["annotations.xml"], "a.XML")
    mode = messages.IMPORT_MODE_APPEND
    queued = await bob.bring("CVAT for video 1.1", job_id=31, upload_id=upload_id, mode=mode)
    done = await bob.ended(queued)
    assert done.state == operation_pb2.OPERATION_STATE_FAILED  # its last keyframe is not in that job
    assert others.headers == []
    queued = await bob.bring("CVAT for video 1.1", upload_id=upload_id, mode=mode)
    assert (await bob.ended(queued)).state == operation_pb2.OPERATION_STATE_SUCCEEDED
    assert (others.headers[0].mode, others.headers[0].user_id) == (annotation.IMPORT_MODE_APPEND, 2)


@pytest.mark.parametrize(
    ("content", "name", "where", "reason"),
    [
        (b"<annotations>", "a.xml", "a.xml", ""),
        (b"MZ", "a.exe", "a.exe", "is no zip"),
        (b"", "a.zip", "a.zip", "is not a zip"),
        (archived(GOOD)[:-30], "a.zip", "a.zip", "without its directory"),
        ({"annotations.xml": GOOD["annotations.xml"].replace(b"car", b"cow")}, "a.zip", "", "cow"),
        (LAUGHS, "a.xml", "a.xml", ""),
        ({"annotations.xml": LAUGHS}, "a.zip", "annotations.xml", ""),
        ({"../annotations.xml": b""}, "a.zip", "../annotations.xml", "leads out"),
    ],
)
async def test_a_wrong_file_changes_nothing(
    client: Callable[[str], Client],
    counterparts: tuple[Counterparts, str],
    running: app.Running[Settings],
    content: bytes | dict[str, bytes],
    name: str,
    where: str,
    reason: str,
) -> None:
    others, ann = counterparts[0], client(ANN)
    upload_id = await upload(running.runtime.blobs, others, content, name)
    failed = await ann.ended(await ann.bring(upload_id=upload_id))
    assert failed.state == operation_pb2.OPERATION_STATE_FAILED
    fault = errors.from_status(failed.error)
    assert isinstance(fault, errors.InvalidArgument)
    assert any(
        violation.field.startswith(where) and reason in violation.description
        for violation in fault.violations
    ), fault.violations
    assert len(fault.violations) <= 20
    assert others.headers == []
    assert await events(running.runtime.db) == ["ImportFailed"]


async def test_who_may_not_save_imports_nothing(
    client: Callable[[str], Client], counterparts: tuple[Counterparts, str], running: app.Running[Settings]
) -> None:
    others = counterparts[0]
    upload_id = await upload(running.runtime.blobs, others, GOOD)
    for field, number in (("task_id", 12), ("job_id", 31), ("task_id", 99)):
        target: dict[str, Any] = {field: number}
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await client(EVE).bring(upload_id=upload_id, **target)
        assert refused.value.code() is grpc.StatusCode.NOT_FOUND
    others.may_save = False
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await client(ANN).bring(upload_id=upload_id)
    assert refused.value.code() is grpc.StatusCode.PERMISSION_DENIED


async def test_only_a_finished_upload_of_one_file_is_imported(
    client: Callable[[str], Client], counterparts: tuple[Counterparts, str]
) -> None:
    others, ann = counterparts[0], client(ANN)
    with pytest.raises(grpc.aio.AioRpcError) as absent:
        await ann.bring(upload_id=str(ids.uuid7()))
    assert absent.value.code() is grpc.StatusCode.NOT_FOUND
    two = [uploads.UploadFile(number=number) for number in range(2)]
    others.upload = uploads.Upload(id=UPLOAD.id, state=UPLOAD.state, files=two)
    with pytest.raises(grpc.aio.AioRpcError) as several:
        await ann.bring(upload_id=UPLOAD.id)
    assert several.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    others.upload = uploads.Upload(id=UPLOAD.id, state=uploads.UPLOAD_STATE_OPEN, files=two[:1])
    with pytest.raises(grpc.aio.AioRpcError) as unfinished:
        await ann.bring(upload_id=UPLOAD.id)
    assert unfinished.value.code() is grpc.StatusCode.FAILED_PRECONDITION


async def test_wrong_requests_name_all_fields(client: Callable[[str], Client]) -> None:
    stub = import_service_pb2_grpc.ImportServiceStub(client(ANN).channel)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await stub.CreateImport(messages.CreateImportRequest(format="PDF 1.0", mode=9))  # type: ignore[arg-type]
    fault = rpc.errors_from_rpc(refused.value)
    assert isinstance(fault, errors.InvalidArgument)
    assert [each.field for each in fault.violations] == ["target", "upload_id", "mode", "format"]


async def test_a_repeated_request_is_one_import(
    client: Callable[[str], Client], counterparts: tuple[Counterparts, str], running: app.Running[Settings]
) -> None:
    ann, request_id = client(ANN), str(ids.uuid7())
    upload_id = await upload(running.runtime.blobs, counterparts[0], GOOD)
    first, second = [await ann.bring(upload_id=upload_id, request_id=request_id) for _ in range(2)]
    assert first == second


async def test_a_cancelled_import_ends(
    client: Callable[[str], Client], counterparts: tuple[Counterparts, str], running: app.Running[Settings]
) -> None:
    others, ann = counterparts[0], client(ANN)
    others.saving.clear()
    operation = await ann.bring(upload_id=await upload(running.runtime.blobs, others, GOOD))
    await eventually(lambda: others.headers)
    await ann.cancel(operation.name)
    assert (await ann.ended(operation)).state == operation_pb2.OPERATION_STATE_CANCELLED
    assert await events(running.runtime.db) == []


@pytest.mark.parametrize("step", ["listing", "saving"])
async def test_an_import_goes_on_after_a_kill_and_saves_once(
    counterparts: tuple[Counterparts, str], settings: Settings, tmp_path: Path, step: str
) -> None:
    others = counterparts[0]
    blobs = Blobs.connect(settings)
    upload_id = await upload(blobs, others, GOOD)
    await blobs.close()
    held = others.listing if step == "listing" else others.saving
    held.clear()
    program = ServiceProgram(settings, log=tmp_path / "log")
    async with rpc.channel(await program.address(), token=ANN) as channel:
        operation = await Client(channel).bring(upload_id=upload_id)
        await eventually(lambda: others.listed if step == "listing" else others.headers)
    program.kill()
    database = await Database.connect(settings.database_url, max_size=1)
    await end_leases_of_work(database)
    held.set()
    program.restart()
    async with rpc.channel(await program.address(), token=ANN) as channel:
        done = await Client(channel).ended(operation)
    assert done.state == operation_pb2.OPERATION_STATE_SUCCEEDED
    assert len(others.headers) == (1 if step == "listing" else 2)
    assert others.headers[0] == others.headers[-1]
    assert saved(others) == replace(saved(others), tracks=saved(others).tracks[:1])
    assert await events(database) == ["ImportCompleted"]
    await database.close()
    program.interrupt()
    assert program.wait() == 0
