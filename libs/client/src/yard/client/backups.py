"""Whole tasks and projects to files on this machine, and back."""

from collections.abc import Mapping
from typing import Any

from frameyard.export.v1 import backup_service_pb2 as backups
from frameyard.operation.v1 import operation_pb2
from yard.client import uploads
from yard.client.client import Client, request_id, unpacked
from yard.client.file_imports import OnChange

TASK, PROJECT = backups.BACKUP_KIND_TASK, backups.BACKUP_KIND_PROJECT


async def back_up(
    client: Client,
    target: Mapping[str, Any],
    *,
    without_remote_media: bool = False,
    on_change: OnChange | None = None,
) -> operation_pb2.Operation:
    """Writes what `task_id` or `project_id` of the target names; returns the finished operation.

    Its result is a BackupResult; download it as an export.
    """
    request = backups.CreateBackupRequest(
        without_remote_media=without_remote_media,
        request_id=request_id(),
        **target,  # ids by the names of the fields
    )
    accepted = (await client.call(client.backups.CreateBackup, request)).operation
    return await client.wait(accepted.name, on_change)


async def restore_upload(
    client: Client,
    upload_id: str,
    kind: backups.BackupKind.ValueType,
    *,
    on_change: OnChange | None = None,
) -> backups.RestoreResult:
    """Makes a task or a project out of a finished upload, which goes afterwards.

    An archive that is wrong makes nothing: the ClientError's violations name place and reason.
    """
    request = backups.RestoreBackupRequest(upload_id=upload_id, kind=kind, request_id=request_id())
    async with uploads.used_up(client, upload_id):
        accepted = (await client.call(client.backups.RestoreBackup, request)).operation
        finished = await client.wait(accepted.name, on_change)
    return unpacked(finished, backups.RestoreResult)


def result_of(operation: operation_pb2.Operation) -> backups.BackupResult:
    """The result of a finished backup."""
    return unpacked(operation, backups.BackupResult)
