"""Backups that people ask for, and the work itself: a zip that goes into the bucket as it grows."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

from frameyard.common.v1.common_pb2 import BlobRef as BlobRefMessage
from frameyard.export.v1 import backup_service_pb2 as messages
from yard.export import store
from yard.export.archives.archive import zipped
from yard.export.backups.bridge import Bridge
from yard.export.domain import KEPT, Target, clean_name, fault_of_file_name, time_of_name
from yard.export.handlers.backup_members import Members
from yard.export.handlers.context import Exporting, archive_key, made, operation_name
from yard.export.handlers.requests import UNFINISHED_KEPT
from yard.export.sources.backed_up import project_of, whole_task
from yard.export.sources.wholes import visible_target
from yard.export.store import Export
from yard.runtime import auth, clock, errors
from yard.runtime.blobs import BlobRef
from yard.runtime.idempotency import once
from yard.runtime.work import Work

KIND = "backup"
FORMAT = "Frameyard backup 1"


async def create_backup(
    exporting: Exporting, request: messages.CreateBackupRequest, authorization: str
) -> messages.CreateBackupResponse:
    """Queues the writing of all that the caller sees the whole of."""
    _check(request)
    channels = exporting.channels
    asked = Target(task_id=request.task_id, project_id=request.project_id)
    target = await visible_target(channels, authorization, asked)
    if target.task_id:
        await whole_task(channels, target.task_id)
    caller, operations = auth.current(), exporting.runtime.operations

    async with exporting.runtime.db.transaction() as tx:

        async def create() -> messages.CreateBackupResponse:
            id_ = await operations.create(
                tx,
                kind=KIND,
                target=target.name,
                owner=caller.subject,
                parameters={"without_remote_media": str(request.without_remote_media).lower()},
            )
            export = Export(
                id=id_,
                target=target,
                format=FORMAT,
                owner=caller.subject,
                expires_at=clock.now() + UNFINISHED_KEPT,
            )
            await store.insert_export(tx, export)
            await tx.enqueue(request, kind=KIND, owner=caller.subject, operation_id=id_)
            return messages.CreateBackupResponse(operation=await made(exporting, tx, id_))

        return await once(tx, request.request_id, request, messages.CreateBackupResponse, create)


def _check(request: messages.CreateBackupRequest) -> None:
    faults = []
    if request.WhichOneof("target") is None:
        faults.append(errors.Violation("target", "task_id or project_id is needed"))
    if wrong := fault_of_file_name(request.file_name):
        faults.append(errors.Violation("file_name", wrong))
    errors.refuse(faults)


async def write_backup(exporting: Exporting, work: Work[messages.CreateBackupRequest]) -> None:
    """Finishes the operation with a BackupResult; an attempt after a kill writes anew, to the same place."""
    assert work.operation_id is not None
    blobs = exporting.runtime.blobs
    name = work.message.file_name or await _file_name(exporting, work.message)
    with Bridge() as bridge:
        members = Members(exporting, bridge, work.message)
        blocks = _blocks(members, work)
        archive = await blobs.put_stream(
            archive_key(work.operation_id), blocks, content_type="application/zip"
        )
    result = messages.BackupResult(
        archive=BlobRefMessage(key=archive.key, size_bytes=archive.size_bytes, sha256=archive.sha256),
        file_name=name,
        task_count=members.task_count,
    )
    result.expire_time.FromDatetime(clock.now() + KEPT)
    try:
        await _complete(work, work.operation_id, archive, result)
    except errors.NotFound:
        await blobs.delete(archive.key)
        raise


async def _complete(
    work: Work[messages.CreateBackupRequest],
    export_id: UUID,
    archive: BlobRef,
    result: messages.BackupResult,
) -> None:
    async with work.finish(result) as tx:
        kept = await store.complete_export(
            tx,
            export_id,
            file_name=result.file_name,
            archive=archive,
            expires_at=result.expire_time.ToDatetime(tzinfo=clock.now().tzinfo),
        )
        if kept is None:
            message = "the task was purged meanwhile"
            raise errors.NotFound("export", operation_name(export_id), message=message)


async def _blocks(members: Members, work: Work[messages.CreateBackupRequest]) -> AsyncIterator[bytes]:
    blocks = zipped(members, stored=True)
    while (block := await asyncio.to_thread(next, blocks, None)) is not None:
        yield block
        await work.progress(members.done, members.message)


async def _file_name(exporting: Exporting, request: messages.CreateBackupRequest) -> str:
    channels = exporting.channels
    if request.project_id:
        project = await project_of(channels, request.project_id)
        what, name, updated = "project", project.name, project.update_time
    else:
        task = (await whole_task(channels, request.task_id)).task
        what, name, updated = "task", task.name, task.update_time
    stamp = time_of_name(updated.ToDatetime())
    return f"{what}_{clean_name(name)}_backup_{stamp}.zip".lower()
