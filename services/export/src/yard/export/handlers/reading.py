"""The work of an import: a child process reads and checks the file, then all of it is saved in one step."""

from collections.abc import AsyncIterator
from typing import Any

from frameyard.annotation.v1 import annotation_service_pb2 as annotation
from frameyard.export.v1 import export_events_pb2 as events
from frameyard.export.v1 import import_service_pb2 as messages
from frameyard.export.v1.export_service_pb2 import CreateExportRequest
from yard.export import store
from yard.export.domain import Subject
from yard.export.formats.reading_job import LENGTH, described, frame_record
from yard.export.handlers.context import Exporting, operation_name
from yard.export.handlers.importing import MODES, importable, target_of
from yard.export.handlers.scratch import Scratch
from yard.export.settings import Settings
from yard.export.sources import frames
from yard.export.sources.saving import save
from yard.export.sources.tasks import subject_of
from yard.export.sources.uploads import Located, located, source_of
from yard.export.store import FileImport
from yard.runtime import errors
from yard.runtime.db import Transaction
from yard.runtime.work import Work

JOB = "yard.export.formats.reading_job"
# Shares of the whole: frames, then the file, then saving.
FRAMES_SHARE, READ_SHARE = 0.05, 0.7
# Of the time limit, so that a file that takes too long is told from all else that may.
READING_TIME = 0.7
MAX_ATTEMPTS = 3

Request = messages.CreateImportRequest


async def read_import(exporting: Exporting, work: Work[Request]) -> None:
    """Reads the file and saves its objects; the operation ends with an ImportResult.

    An attempt after a kill reads again and sends the same stream under the same request id, so that what was
    saved is not saved twice.
    """
    assert work.operation_id is not None
    asked = await store.import_of(exporting.runtime.db, work.operation_id)
    if asked is None:
        raise errors.NotFound("import", operation_name(work.operation_id))
    whose = (
        CreateExportRequest(job_id=asked.job_id)
        if asked.job_id
        else CreateExportRequest(task_id=asked.task_id)
    )
    subject = await subject_of(exporting.channels, whose)
    file = await located(exporting.channels, asked.upload_id)
    with Scratch() as batches:
        found = await _read(exporting, work, subject, file, batches)
        if found["faults"]:
            raise _refusal(file, found["faults"])
        header = annotation.ImportHeader(
            target=target_of(work.message),
            mode=MODES[work.message.mode],
            request_id=str(work.operation_id),
            user_id=asked.user_id,
        )
        answer = await save(exporting.channels, header, _sent(batches, work))
    result = messages.ImportResult(
        revision=answer.revision,
        tags=answer.tags,
        shapes=answer.shapes,
        tracks=answer.tracks,
        ignored=[messages.Ignored(kind=kind, reason=why, count=n) for kind, why, n in found["ignored"]],
    )
    await _complete(work, asked, result)


async def note_failure(tx: Transaction, work: Work[Request], fault: errors.YardError) -> None:
    """Tells the world that nothing was changed."""
    assert work.operation_id is not None
    asked = await store.import_of(tx, work.operation_id)
    if asked is not None:
        failed = events.ImportFailed(
            operation=operation_name(asked.id),
            task_id=asked.task_id,
            job_id=asked.job_id,
            format=asked.format,
            error=errors.to_status(fault),
        )
        await tx.emit(failed, key=str(asked.task_id))


async def _read(
    exporting: Exporting, work: Work[Request], subject: Subject, file: Located, batches: Scratch
) -> dict[str, Any]:
    """What the job says of the file, and its batches."""
    settings = exporting.runtime.settings

    async def tell(done: float) -> None:
        share = FRAMES_SHARE + (READ_SHARE - FRAMES_SHARE) * done
        await work.progress(share, f"reading {file.name}")

    with Scratch() as names:
        await _note_frames(exporting, work, subject, names)
        try:
            found = await exporting.runtime.workers.call(
                f"{JOB}:read_file",
                _arguments(settings, work, subject, file),
                sources={"file": source_of(exporting.runtime.blobs, file), "frames": names},
                on_bytes=batches.append,
                on_progress=tell,
                timeout_s=settings.import_timeout_s * READING_TIME,
            )
        except errors.WorkerCrashed as crash:
            reason = f"cannot be read with the memory and time allowed: {crash.message}"
            raise _refusal(file, [[file.name, reason]]) from crash
    await batches.flush()
    return found


def _arguments(settings: Settings, work: Work[Request], subject: Subject, file: Located) -> dict[str, object]:
    return {
        "format": importable(work.message.format).full_name,
        "name": file.name,
        "most": settings.import_max_objects,
        "limits": {
            "members": settings.import_max_members,
            "member_bytes": settings.import_max_member_bytes,
            "total_bytes": settings.import_max_unpacked_bytes,
            "expansion": settings.import_max_expansion,
        },
        "target": described(
            labels=subject.labels,
            mode=subject.mode,
            start_frame=subject.start_frame,
            frame_step=subject.frame_step,
            first=subject.first,
        ),
    }


async def _note_frames(exporting: Exporting, work: Work[Request], subject: Subject, names: Scratch) -> None:
    """Names and sizes of all frames of the target."""
    async for page in frames.pages(exporting.channels, subject):
        await names.append(b"".join(frame_record(one.name, one.width, one.height) for one in page.frames))
        if page.frames:
            share = (page.frames[-1].frame - subject.first) / subject.size
            await work.progress(FRAMES_SHARE * share, "reading frames")
    await names.flush()


async def _sent(batches: Scratch, work: Work[Request]) -> AsyncIterator[bytes]:
    place = 0
    while place < batches.size:
        (length,) = LENGTH.unpack(await batches.read(place, LENGTH.size))
        place += LENGTH.size
        yield await batches.read(place, length)
        place += length
        await work.progress(READ_SHARE + (0.95 - READ_SHARE) * place / batches.size, "saving")


def _refusal(file: Located, faults: list[list[str]]) -> errors.InvalidArgument:
    violations = [errors.Violation(where, reason) for where, reason in faults]
    message = f"{file.name} cannot be imported; nothing was changed"
    return errors.InvalidArgument(message, violations, reason="FILE_REFUSED", metadata={"file": file.name})


async def _complete(work: Work[Request], asked: FileImport, result: messages.ImportResult) -> None:
    completed = events.ImportCompleted(
        operation=operation_name(asked.id),
        task_id=asked.task_id,
        job_id=asked.job_id,
        format=asked.format,
        result=result,
    )
    async with work.finish(result) as tx:
        await tx.emit(completed, key=str(asked.task_id))
