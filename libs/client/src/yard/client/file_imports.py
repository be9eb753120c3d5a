"""Files in exchange formats into a task or a job."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from frameyard.export.v1 import import_service_pb2 as imports
from frameyard.operation.v1 import operation_pb2
from yard.client import uploads
from yard.client.client import Client, request_id
from yard.client.failures import ClientError

OnBytes = Callable[[int], None]
OnChange = Callable[[operation_pb2.Operation], None]


async def upload_file(client: Client, file: Path, on_bytes: OnBytes = lambda _: None) -> str:
    """Uploads one file; returns the id of the finished upload."""
    return await uploads.upload(client, [await asyncio.to_thread(given_file, file)], on_bytes)


def given_file(file: Path) -> uploads.LocalFile:
    """The file; ClientError for a folder and for what is not there."""
    if file.is_dir():
        raise ClientError(f"{file}: is a folder; put it into a zip first", code="INVALID_ARGUMENT")
    (found,) = uploads.local_files([file])
    return found


async def import_upload(
    client: Client,
    upload_id: str,
    format_name: str,
    *,
    task_id: int = 0,
    job_id: int = 0,
    append: bool = False,
    on_change: OnChange | None = None,
) -> operation_pb2.Operation:
    """Reads a finished upload into a task or a job, whose objects it replaces unless they are to stay.

    Returns the finished operation, whose result is an ImportResult. A file that is wrong changes nothing: the
    ClientError's violations name file, place and reason. The upload goes when the import has ended.
    """
    request = imports.CreateImportRequest(
        format=format_name,
        upload_id=upload_id,
        mode=imports.IMPORT_MODE_APPEND if append else imports.IMPORT_MODE_REPLACE,
        request_id=request_id(),
    )
    if job_id:
        request.job_id = job_id
    else:
        request.task_id = task_id
    try:
        accepted = (await client.call(client.imports.CreateImport, request)).operation
        return await client.wait(accepted.name, on_change)
    finally:
        # What cannot be dropped now expires.
        with suppress(ClientError):
            await uploads.delete(client, upload_id)


def result_of(operation: operation_pb2.Operation) -> imports.ImportResult:
    """The result of a finished import."""
    result = imports.ImportResult()
    operation.result.Unpack(result)
    return result
