"""Puts export together."""

import asyncio

from frameyard.export.v1 import export_service_pb2_grpc, import_service_pb2_grpc
from frameyard.export.v1.export_service_pb2 import CreateExportRequest
from frameyard.export.v1.import_service_pb2 import CreateImportRequest
from yard.export.handlers import ending, importing, purging, reading, writing
from yard.export.handlers.context import KIND, SERVICE_NAME, Exporting
from yard.export.rpc import EXPORT_SERVICE, IMPORT_SERVICE, ExportServicer, ImportServicer
from yard.export.settings import Settings
from yard.export.sources.channels import Channels
from yard.export.subscriptions import subscriptions
from yard.runtime import errors, telemetry
from yard.runtime.app import Parts, Runtime, Service
from yard.runtime.db import Transaction
from yard.runtime.work import Work, handle

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
        ],
        background=[("purge", lambda: _purge_for_ever(exporting))],
        on_close=[exporting.channels.close],
    )


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
    worker_preload=(reading.JOB,),
)
