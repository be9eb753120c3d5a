"""Media into a task, step by step, and the way back where it is refused."""

import asyncio
import shlex
from collections.abc import Sequence
from contextlib import suppress

from frameyard.media.v1 import upload_service_pb2
from frameyard.operation.v1.operation_pb2 import Operation
from frameyard.task.v1 import task_pb2
from frameyard.task.v1 import task_service_pb2 as service
from yard.client import media as steps
from yard.client import uploads
from yard.client.cli.context import Call
from yard.client.cli.data import MediaOptions
from yard.client.cli.uploads import send
from yard.client.failures import ClientError

Files = Sequence[uploads.LocalFile]

MANIFEST_NAME = "manifest.jsonl"

REFUSALS = frozenset(
    {
        "INVALID_ARGUMENT",
        "FAILED_PRECONDITION",
        "OUT_OF_RANGE",
        "NOT_FOUND",
        "ALREADY_EXISTS",
        "PERMISSION_DENIED",
        "RESOURCE_EXHAUSTED",
        "UNIMPLEMENTED",
    }
)
"""Faults that another attempt with the same media would meet again."""


async def local_files(media: MediaOptions) -> Files:
    """The files of the paths, looked for before anything is made."""
    return await asyncio.to_thread(_local_files, media)


def _local_files(media: MediaOptions) -> Files:
    files = uploads.local_files(media.paths) if media.paths else []
    if media.manifest is None:
        return files
    # Its names count from the folder that it lies in: from the one that is uploaded.
    is_folder = len(media.paths) == 1 and media.paths[0].is_dir()
    folder = f"{media.paths[0].resolve().name or 'files'}/" if is_folder else ""
    size_bytes = media.manifest.stat().st_size
    own = uploads.LocalFile(path=media.manifest, name=f"{folder}{MANIFEST_NAME}", size_bytes=size_bytes)
    return [*(file for file in files if file.name != own.name), own]


async def attach(call: Call, task_id: int, media: MediaOptions, files: Files) -> Operation:
    """Uploads what there is and gives all to the task; an upload made here goes if it is refused."""
    upload_id = media.upload_id
    if files and not upload_id:
        upload_id = await uploads.create(call.client, files)
    try:
        if files:
            paths = shlex.join(map(str, media.paths))
            go_on = f"frameyard task attach {task_id} --upload {upload_id} {paths}"
            go_on += ", with the same options for the media"
            await send(call, upload_id, files, go_on, direct=media.direct)
        request = service.AttachMediaRequest(task_id=task_id, data=media.spec(upload_id))
        return (await call.client.call(call.client.tasks.AttachMedia, request)).operation
    except ClientError as fault:
        if files and not media.upload_id and fault.code in REFUSALS:
            await _delete_upload(call, upload_id)
        raise


async def ready(call: Call, operation: Operation) -> task_pb2.Task:
    """Waits with a bar until people can work on the task."""
    try:
        with call.out.operation("counting frames") as on_change:
            return await steps.ready_task(call.client, operation, on_change)
    except asyncio.CancelledError:
        call.out.note(f"it goes on there; to look: frameyard operation watch {operation.name}")
        raise


async def undo(call: Call, task_id: int, fault: ClientError) -> ClientError:
    """Removes a task that was made for media which are refused: the command has made nothing then.

    After other faults the task stays, and what is told says so.
    """
    if fault.code in REFUSALS:
        with suppress(ClientError):
            await call.client.call(call.client.tasks.DeleteTask, service.DeleteTaskRequest(id=task_id))
        return fault
    if "task attach" in fault.hint:
        return fault
    hint = f"task {task_id} is kept; look at it with: frameyard task show {task_id}"
    return ClientError(fault.message, code=fault.code, violations=fault.violations, hint=hint)


async def _delete_upload(call: Call, upload_id: str) -> None:
    with suppress(ClientError):
        request = upload_service_pb2.DeleteUploadRequest(id=upload_id)
        await call.client.call(call.client.uploads.DeleteUpload, request)
