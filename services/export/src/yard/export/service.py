"""Puts export together."""

import asyncio

from frameyard.export.v1 import backup_service_pb2_grpc, export_service_pb2_grpc, import_service_pb2_grpc
from frameyard.export.v1.backup_service_pb2 import CreateBackupRequest, RestoreBackupRequest
from frameyard.export.v1.export_service_pb2 import CreateExportRequest
from frameyard.export.v1.import_service_pb2 import CreateDatasetImportRequest, CreateImportRequest
from google.protobuf.wrappers_pb2 import StringValue
from yard.export.handlers import (
    backing_up,
    dataset_import,
    ending,
    importing,
    purging,
    reading,
    restoring,
    undoing,
    writing,
)
from yard.export.handlers.context import KIND, SERVICE_NAME, Exporting
from yard.export.rpc import (
    BACKUP_SERVICE,
    EXPORT_SERVICE,
    IMPORT_SERVICE,
    BackupServicer,
    ExportServicer,
    ImportServicer,
)
from yard.export.settings import Settings
from yard.export.sources.channels import Channels
from yard.export.subscriptions import subscriptions
from yard.runtime import errors, telemetry
from yard.runtime.app import Parts, Runtime, Service
from yard.runtime.db import Transaction
from yard.runtime.work import Work, WorkHandler, handle

PURGE_EVERY_S = 600.0

_log = telemetry.log(__name__)


async def build(runtime: Runtime[Settings]) -> Parts:
    """Connects to the services that own what is exported."""
    settings = runtime.settings
    exporting = Exporting(runtime=runtime, channels=Channels.of(settings))

    async def write(work: Work[CreateExportRequest]) -> None:
        await writing.write_export(exporting, work)

    async def read(work: Work[CreateImportRequest]) -> None:
        await reading.read_import(exporting, work)

    async def note_failure(tx: Transaction, work: Work[CreateExportRequest], fault: errors.YardError) -> None:
        await ending.note_failure(exporting, tx, work, fault)

    runtime.operations.on_cancel(KIND, ending.note_cancel)
    for kind in (restoring.KIND, dataset_import.KIND):
        runtime.operations.on_cancel(kind, restoring.note_cancel)

    return Parts(
        servicers=[
            (
                export_service_pb2_grpc.add_ExportServiceServicer_to_server,
                ExportServicer(exporting),
                EXPORT_SERVICE,
            ),
            (
                import_service_pb2_grpc.add_ImportServiceServicer_to_server,
                ImportServicer(exporting),
                IMPORT_SERVICE,
            ),
            (
                backup_service_pb2_grpc.add_BackupServiceServicer_to_server,
                BackupServicer(exporting),
                BACKUP_SERVICE,
            ),
        ],
        subscriptions=subscriptions(),
        work=[
            handle(
                KIND,
                CreateExportRequest,
                write,
                on_failed=note_failure,
                concurrency=settings.export_concurrency,
                timeout_s=settings.export_timeout_s,
            ),
            handle(
                importing.KIND,
                CreateImportRequest,
                read,
                on_failed=reading.note_failure,
                concurrency=settings.import_concurrency,
                timeout_s=settings.import_timeout_s,
                max_attempts=reading.MAX_ATTEMPTS,
            ),
            *_making(exporting),
        ],
        background=[("purge", lambda: _purge_for_ever(exporting))],
        on_close=[exporting.channels.close],
    )


def _making(exporting: Exporting) -> list[WorkHandler]:
    settings = exporting.runtime.settings

    async def write(work: Work[CreateBackupRequest]) -> None:
        await backing_up.write_backup(exporting, work)

    async def restore(work: Work[RestoreBackupRequest]) -> None:
        await restoring.run_restore(exporting, work)

    async def bring(work: Work[CreateDatasetImportRequest]) -> None:
        await dataset_import.run_dataset_import(exporting, work)

    async def undo(work: Work[StringValue]) -> None:
        await undoing.undo_restore(exporting, work)

    return [
        handle(
            backing_up.KIND,
            CreateBackupRequest,
            write,
            concurrency=settings.export_concurrency,
            timeout_s=settings.export_timeout_s,
        ),
        handle(
            restoring.KIND,
            RestoreBackupRequest,
            restore,
            on_failed=restoring.note_failure,
            concurrency=settings.import_concurrency,
            timeout_s=settings.import_timeout_s,
            max_attempts=restoring.MAX_ATTEMPTS,
        ),
        handle(
            dataset_import.KIND,
            CreateDatasetImportRequest,
            bring,
            on_failed=restoring.note_failure,
            concurrency=settings.import_concurrency,
            timeout_s=settings.import_timeout_s,
            max_attempts=restoring.MAX_ATTEMPTS,
        ),
        handle(restoring.UNDO, StringValue, undo),
    ]


async def _purge_for_ever(exporting: Exporting) -> None:
    while True:
        try:
            if count := await purging.purge(exporting):
                _log.info("exports_purged", count=count)
        except errors.Unavailable as fault:
            _log.warning("purge_failed", reason=fault.reason)
        await asyncio.sleep(PURGE_EVERY_S)


SERVICE = Service(
    name=SERVICE_NAME,
    settings=Settings,
    build=build,
    migrations="yard.export.migrations",
    worker_preload=(reading.JOB, dataset_import.JOB, restoring.JOB),
)
