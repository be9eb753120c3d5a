"""Files in exchange formats into a task or a job, data sets into a project."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from frameyard.export.v1 import import_service_pb2 as imports
from frameyard.operation.v1 import operation_pb2
from yard.client import uploads
from yard.client.client import Client, request_id, unpacked
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How a file is read; the objects that are there go unless it is appended.

    With `convert_masks` masks become polygons, where their labels take polygons.
    """

    format_name: str
    append: bool = False
    convert_masks: bool = False


async def import_upload(
    client: Client,
    upload_id: str,
    reading: Reading,
    *,
    task_id: int = 0,
    job_id: int = 0,
    on_change: OnChange | None = None,
) -> operation_pb2.Operation:
    """Reads a finished upload into a task or a job.

    Returns the finished operation, whose result is an ImportResult. A file that is wrong changes nothing: the
    ClientError's violations name file, place and reason. The upload goes when the import has ended.
    """
    request = imports.CreateImportRequest(
        format=reading.format_name,
        upload_id=upload_id,
        mode=imports.IMPORT_MODE_APPEND if reading.append else imports.IMPORT_MODE_REPLACE,
        request_id=request_id(),
        convert_masks=reading.convert_masks,
    )
    if job_id:
        request.job_id = job_id
    else:
        request.task_id = task_id
    async with uploads.used_up(client, upload_id):
        accepted = (await client.call(client.imports.CreateImport, request)).operation
        return await client.wait(accepted.name, on_change)


async def import_dataset(
    client: Client,
    upload_id: str,
    reading: Reading,
    *,
    project_id: int,
    on_change: OnChange | None = None,
) -> imports.DatasetImportResult:
    """Makes a task of each subset of a data set in a finished upload; all of them, or none and a ClientError.

    The upload stays as long as the tasks: their frames lie in it.
    """
    request = imports.CreateDatasetImportRequest(
        project_id=project_id,
        format=reading.format_name,
        upload_id=upload_id,
        request_id=request_id(),
        convert_masks=reading.convert_masks,
    )
    accepted = (await client.call(client.imports.CreateDatasetImport, request)).operation
    finished = await client.wait(accepted.name, on_change)
    return unpacked(finished, imports.DatasetImportResult)


def result_of(operation: operation_pb2.Operation) -> imports.ImportResult:
    """The result of a finished import."""
    return unpacked(operation, imports.ImportResult)
