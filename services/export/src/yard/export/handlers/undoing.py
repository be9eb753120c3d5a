"""What a restore, or the import of a data set, has made goes again when it fails or is cancelled."""

from collections.abc import AsyncIterator, Coroutine
from typing import Any
from uuid import UUID, uuid5

from frameyard.annotation.v1 import annotation_service_pb2 as annotation
from frameyard.media.v1.upload_service_pb2 import DeleteUploadRequest
from frameyard.task.v1.project_service_pb2 import (
    CreateProjectRequest,
    DeleteProjectRequest,
    UpdateProjectLabelsRequest,
)
from frameyard.task.v1.task_service_pb2 import CreateTaskRequest, DeleteTaskRequest
from google.protobuf.wrappers_pb2 import StringValue
from yard.export.handlers.context import Exporting
from yard.export.handlers.project_labels import remove_labels
from yard.export.sources.making import Maker
from yard.export.sources.saving import save
from yard.export.store import restores
from yard.export.store.restores import Part
from yard.runtime import errors
from yard.runtime.work import Work


async def undo_restore(exporting: Exporting, work: Work[StringValue]) -> None:
    """Deletes the project or the tasks, and uploads that no media needs."""
    restore_id = UUID(work.message.value)
    asked = await restores.restore_of(exporting.runtime.db, restore_id)
    if asked is None:
        return
    maker = Maker(exporting.channels, asked.user_id, asked.username)
    parts = await restores.parts_of(exporting.runtime.db, restore_id)
    if any(part.kind == "labels" for part in parts):
        for part in parts:
            if part.kind == "task" and part.made:
                await _unless_gone(_clear(maker, restore_id, part))
    # What uses labels goes before them.
    for part in sorted(parts, key=lambda part: part.kind == "labels"):
        await _unless_gone(_delete(maker, part))


async def _unless_gone(step: Coroutine[Any, Any, None]) -> None:
    try:
        await step
    except errors.YardError as fault:
        # It is not there, is not theirs any more, or goes with what needs it.
        if not errors.is_permanent(fault):
            raise


async def _clear(maker: Maker, restore_id: UUID, part: Part) -> None:
    """Takes the objects away, which hold the labels also of a task that is hidden."""
    header = annotation.ImportHeader(
        target=annotation.AnnotationTarget(task_id=int(part.made or 0)),
        mode=annotation.IMPORT_MODE_REPLACE,
        request_id=str(uuid5(restore_id, f"{part.number}/cleared")),
        user_id=maker.user_id,
    )
    await save(maker.channels, header, _nothing())


async def _nothing() -> AsyncIterator[bytes]:
    nothing: tuple[bytes, ...] = ()
    for each in nothing:
        yield each


async def _delete(maker: Maker, part: Part) -> None:
    """A part that may have been made without our hearing of it is asked for again: that tells its id."""
    channels = maker.channels
    if part.kind == "project":
        made = part.made or await maker.project(CreateProjectRequest.FromString(part.request))
        await maker.call(channels.projects.DeleteProject, DeleteProjectRequest(id=int(made)))
    elif part.kind == "task":
        made = part.made or await maker.task(CreateTaskRequest.FromString(part.request))
        await maker.call(channels.tasks.DeleteTask, DeleteTaskRequest(id=int(made)))
    elif part.kind == "labels":
        await remove_labels(maker, UpdateProjectLabelsRequest.FromString(part.request))
    elif part.made:
        await maker.call(channels.uploads.DeleteUpload, DeleteUploadRequest(id=part.made))
