from __future__ import annotations

from collections.abc import AsyncIterator

import grpc.aio
import pytest
from frameyard.media.v1 import media_service_pb2
from frameyard.media.v1 import upload_service_pb2 as messages
from frameyard.media.v1.media_events_pb2 import MediaDeleted, MediaFailed
from frameyard.operation.v1 import operation_service_pb2, operation_service_pb2_grpc
from frameyard.task.v1.task_events_pb2 import MediaRequestCancelled, TaskPurged
from yard.media_ingest.handlers import expiry
from yard.media_ingest.handlers.context import Ingest
from yard.media_ingest.settings import Settings
from yard.runtime import app, auth, errors, rpc
from yard.runtime.rpc import errors_from_rpc
from yard.testkit import eventually
from yard.testkit.fixtures import SettingsFor

from services.media_ingest.tests.contents import photos
from services.media_ingest.tests.neighbours import Client, TaskSide

ROOT = auth.Principal(user_id=9, username="root", role="admin")
MANY = photos(*(f"{number:03d}.jpg" for number in range(150)))


@pytest.fixture
def settings(settings_for: SettingsFor, issuer: auth.TokenIssuer) -> Settings:
    return settings_for(Settings, jwks=issuer.jwks, index_batch_files=1)


@pytest.fixture
async def operations(
    running: app.Running[Settings], issuer: auth.TokenIssuer
) -> AsyncIterator[operation_service_pb2_grpc.OperationServiceStub]:
    async with rpc.channel(running.address, token=issuer.issue(ROOT).token) as channel:
        yield operation_service_pb2_grpc.OperationServiceStub(channel)


async def state_of(running: app.Running[Settings], table: str) -> str:
    return str(await running.runtime.db.fetchval(f"SELECT state FROM {table}"))


async def objects(running: app.Running[Settings], prefix: str) -> list[str]:
    return [found.key async for found in running.runtime.blobs.list(prefix)]


async def indexing(
    ann: Client, task: TaskSide, running: app.Running[Settings]
) -> tuple[str, messages.Upload]:
    """Media in the middle of its indexing, and its upload."""
    upload = await ann.upload(MANY)
    media_id = await task.request(upload)
    await eventually(lambda: running.runtime.db.fetchval("SELECT count(*) > 2 FROM index_batch"))
    return media_id, upload


async def test_indexing_that_is_not_wanted_any_more_ends(
    ann: Client, task: TaskSide, running: app.Running[Settings]
) -> None:
    media_id, upload = await indexing(ann, task, running)
    await task.publish(MediaRequestCancelled(media_id=media_id, task_id=7), 7)
    await eventually(lambda: is_cancelled(running))
    assert await state_of(running, "media") == "CANCELLED"
    await eventually(lambda: is_free(running))
    assert task.told(media_id) == []
    assert (await task.media(upload, stop_frame=0)).size == 1


async def is_free(running: app.Running[Settings]) -> bool:
    rows = await running.runtime.db.fetchval("SELECT count(*) FROM index_batch")
    return not rows and not await objects(running, "media/")


async def is_cancelled(running: app.Running[Settings]) -> bool:
    return await state_of(running, "operation") == "CANCELLED"


async def test_the_task_hears_that_an_administrator_has_cancelled(
    ann: Client,
    task: TaskSide,
    running: app.Running[Settings],
    operations: operation_service_pb2_grpc.OperationServiceAsyncStub,
) -> None:
    media_id, upload = await indexing(ann, task, running)
    operation_id = await running.runtime.db.fetchval("SELECT operation_id FROM media")
    request = operation_service_pb2.CancelOperationRequest(name=f"media_ingest/{operation_id}")
    await operations.CancelOperation(request)
    event = await task.outcome(media_id)
    assert isinstance(event, MediaFailed)
    assert isinstance(errors.from_status(event.error), errors.Cancelled)
    assert await state_of(running, "media") == "FAILED"
    await ann.uploads.DeleteUpload(messages.DeleteUploadRequest(id=upload.id))


async def test_media_goes_with_its_task(
    ann: Client, export: Client, task: TaskSide, running: app.Running[Settings]
) -> None:
    upload = await ann.upload(photos("a.jpg"))
    gone, stays = await task.media(upload, task_id=7), await task.media(upload, task_id=8)
    await task.publish(TaskPurged(task_id=7, media_id=gone.id), 7)
    deleted = await eventually(lambda: task.told(gone.id)[1:])
    assert deleted == [MediaDeleted(media_id=gone.id, task_id=7)]
    await eventually(lambda: is_forgotten(running, gone.id))
    assert await objects(running, f"media/{gone.id}/") == []
    request = media_service_pb2.GetMediaRequest(media_id=gone.id)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await export.media.GetMedia(request)
    assert isinstance(errors_from_rpc(caught.value), errors.NotFound)
    assert await expiry.purge_uploads(Ingest(runtime=running.runtime)) == 0
    assert await objects(running, f"media/{stays.id}/") == [stays.plan.key, f"media/{stays.id}/results"]
    await task.publish(TaskPurged(task_id=8, media_id=stays.id), 8)
    await eventually(lambda: is_forgotten(running, stays.id))
    assert await expiry.purge_uploads(Ingest(runtime=running.runtime)) == 1
    assert await objects(running, "") == []


async def test_of_media_that_failed_only_the_results_stay(
    ann: Client, task: TaskSide, running: app.Running[Settings]
) -> None:
    media_id = await task.request(await ann.upload({**photos("a.jpg"), "x.zip": b"PK\x03\x04 broken"}))
    await task.outcome(media_id)
    await eventually(lambda: holds(running, [f"media/{media_id}/results"]))
    await task.publish(TaskPurged(task_id=7, media_id=media_id), 7)
    await eventually(lambda: holds(running, []))


async def holds(running: app.Running[Settings], expected: list[str]) -> bool:
    left = await running.runtime.db.fetchval("SELECT count(*) FROM work WHERE state IN ('queued', 'running')")
    return not left and await objects(running, "media/") == expected


async def is_forgotten(running: app.Running[Settings], media_id: str) -> bool:
    found = await running.runtime.db.fetchval(
        "SELECT count(*) FROM media WHERE id = $1::text::uuid", media_id
    )
    return bool(found == 0)


async def test_media_that_is_ready_goes_when_its_request_is_cancelled(
    ann: Client, task: TaskSide, running: app.Running[Settings]
) -> None:
    media = await task.media(await ann.upload(photos("a.jpg")))
    await task.publish(MediaRequestCancelled(media_id=media.id, task_id=7), 7)
    await eventually(lambda: is_forgotten(running, media.id))
    assert task.told(media.id)[1:] == [MediaDeleted(media_id=media.id, task_id=7)]


async def test_a_task_that_is_purged_in_the_middle_leaves_nothing(
    ann: Client, task: TaskSide, running: app.Running[Settings]
) -> None:
    media_id, _ = await indexing(ann, task, running)
    await task.publish(TaskPurged(task_id=7, media_id=media_id), 7)
    await eventually(lambda: is_forgotten(running, media_id), timeout_s=30)
    assert task.told(media_id) == [MediaDeleted(media_id=media_id, task_id=7)]
    assert await objects(running, "media/") == []
    assert await running.runtime.db.fetchval("SELECT count(*) FROM index_batch") == 0


async def test_an_upload_that_media_needs_cannot_be_deleted_and_does_not_expire(
    ann: Client, task: TaskSide, running: app.Running[Settings]
) -> None:
    upload = await ann.upload(photos("a.jpg"))
    await task.media(upload)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await ann.uploads.DeleteUpload(messages.DeleteUploadRequest(id=upload.id))
    assert errors_from_rpc(caught.value).reason == "UPLOAD_IN_USE"
    await running.runtime.db.execute("UPDATE upload SET expires_at = now() - interval '1 day'")
    assert await expiry.purge_uploads(Ingest(runtime=running.runtime)) == 0
    assert (await ann.get(upload)).state == messages.UPLOAD_STATE_FINISHED


async def test_media_that_nobody_knows_is_nothing_to_cancel(
    ann: Client, task: TaskSide, running: app.Running[Settings]
) -> None:
    unknown = "01890000-0000-7000-8000-000000000000"
    await task.publish(MediaRequestCancelled(media_id=unknown, task_id=7), 7)
    await task.publish(TaskPurged(task_id=99), 99)
    assert (await task.media(await ann.upload(photos("a.jpg")))).size == 1
