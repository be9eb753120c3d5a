"""The work of an import: a child process reads and checks the file, then all of it is saved in one step."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
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
from yard.runtime.workers import RangeSource

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
    reading = FileReading(
        exporting=exporting,
        subject=subject,
        file=file,
        format=importable(work.message.format).full_name,
        convert_masks=work.message.convert_masks,
        tell=work.progress,
    )
    with Scratch() as batches:
        found = await reading.run(batches)
        header = annotation.ImportHeader(
            target=target_of(work.message),
            mode=MODES[work.message.mode],
            request_id=str(work.operation_id),
            user_id=asked.user_id,
        )
        answer = await save(exporting.channels, header, sent(batches, work.progress))
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


@dataclass(frozen=True, slots=True, kw_only=True)
class FileReading:
    """One file that is read for a target; `tell` hears shares of the whole, up to READ_SHARE.

    With `part` and `pictures` only one subset of a data set is read, see reading_job.
    """

    exporting: Exporting
    subject: Subject
    file: Located
    format: str
    convert_masks: bool
    tell: Callable[[float, str], Awaitable[None]]
    part: Mapping[str, object] | None = None
    pictures: RangeSource | None = None

    async def run(self, batches: Scratch) -> dict[str, Any]:
        """What the job says of the file, and its batches; InvalidArgument if the file cannot be read."""
        settings, runtime = self.exporting.runtime.settings, self.exporting.runtime
        with Scratch() as names:
            await self._note_frames(names)
            sources: dict[str, RangeSource] = {"file": source_of(runtime.blobs, self.file), "frames": names}
            if self.pictures is not None:
                sources["pictures"] = self.pictures
            try:
                found = await runtime.workers.call(
                    f"{JOB}:read_file",
                    self._arguments(settings),
                    sources=sources,
                    on_bytes=batches.append,
                    on_progress=self._tell,
                    timeout_s=settings.import_timeout_s * READING_TIME,
                )
            except errors.WorkerCrashed as crash:
                reason = f"cannot be read with the memory and time allowed: {stopped(crash, settings)}"
                raise refusal(self.file, [[self.file.name, reason]]) from crash
        await batches.flush()
        if found["faults"]:
            raise refusal(self.file, found["faults"])
        return found

    async def _tell(self, done: float) -> None:
        share = FRAMES_SHARE + (READ_SHARE - FRAMES_SHARE) * done
        await self.tell(share, f"reading {self.file.name}")

    def _arguments(self, settings: Settings) -> dict[str, object]:
        subject = self.subject
        arguments: dict[str, object] = {
            "format": self.format,
            "name": self.file.name,
            "most": settings.import_max_objects,
            "convert_masks": self.convert_masks,
            "limits": limits_of(settings),
            "target": described(
                labels=subject.labels,
                mode=subject.mode,
                start_frame=subject.start_frame,
                frame_step=subject.frame_step,
                first=subject.first,
            ),
        }
        return arguments if self.part is None else {**arguments, "part": dict(self.part)}

    async def _note_frames(self, names: Scratch) -> None:
        """Names and sizes of all frames of the target."""
        async for page in frames.pages(self.exporting.channels, self.subject):
            await names.append(b"".join(frame_record(one.name, one.width, one.height) for one in page.frames))
            if page.frames:
                share = (page.frames[-1].frame - self.subject.first) / self.subject.size
                await self.tell(FRAMES_SHARE * share, "reading frames")
        await names.flush()


def limits_of(settings: Settings) -> dict[str, int]:
    """What an uploaded archive may hold, as jobs take it."""
    return {
        "members": settings.import_max_members,
        "member_bytes": settings.import_max_member_bytes,
        "total_bytes": settings.import_max_unpacked_bytes,
        "expansion": settings.import_max_expansion,
    }


def stopped(crash: errors.WorkerCrashed, settings: Settings) -> str:
    """Why the child did not come to its end, for who sent the file."""
    limit = crash.metadata.get("limit")
    if limit == "time":
        return f"it takes longer than {settings.import_timeout_s * READING_TIME:g} s"
    if limit == "memory":
        return f"it needs more than {settings.worker_memory_mib} MiB"
    return "the process that read it was killed or crashed"


async def sent(batches: Scratch, tell: Callable[[float, str], Awaitable[None]]) -> AsyncIterator[bytes]:
    """The batches of a reading, on their way to be saved."""
    place = 0
    while place < batches.size:
        (length,) = LENGTH.unpack(await batches.read(place, LENGTH.size))
        place += LENGTH.size
        yield await batches.read(place, length)
        place += length
        await tell(READ_SHARE + (0.95 - READ_SHARE) * place / batches.size, "saving")


def refusal(file: Located, faults: list[list[str]]) -> errors.InvalidArgument:
    """What is wrong with the file."""
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
