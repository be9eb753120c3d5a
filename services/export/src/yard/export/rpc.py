# ruff: noqa: N802 - methods are named as in the proto
"""ExportService and ImportService: proto in, proto out."""

from collections.abc import AsyncIterator
from typing import Any

from frameyard.export.v1 import (
    backup_service_pb2,
    backup_service_pb2_grpc,
    export_service_pb2_grpc,
    import_service_pb2,
    import_service_pb2_grpc,
)
from frameyard.export.v1 import export_service_pb2 as messages
from yard.export.formats import FORMATS, IMPORT_ONLY
from yard.export.formats.format import Format, unread, unwritten
from yard.export.handlers import backing_up, dataset_import, importing, requests, restoring
from yard.export.handlers.context import Exporting

EXPORT_SERVICE = messages.DESCRIPTOR.services_by_name["ExportService"].full_name
BACKUP_SERVICE = backup_service_pb2.DESCRIPTOR.services_by_name["BackupService"].full_name
IMPORT_SERVICE = import_service_pb2.DESCRIPTOR.services_by_name["ImportService"].full_name


class ExportServicer(export_service_pb2_grpc.ExportServiceServicer):
    """Exports over gRPC."""

    def __init__(self, exporting: Exporting) -> None:
        self._exporting = exporting

    async def ListFormats(
        self, request: messages.ListFormatsRequest, context: Any
    ) -> messages.ListFormatsResponse:
        """What there is."""
        return messages.ListFormatsResponse(formats=map(_format, (*FORMATS, *IMPORT_ONLY)))

    async def CreateExport(
        self, request: messages.CreateExportRequest, context: Any
    ) -> messages.CreateExportResponse:
        """Begins an export."""
        return await requests.create_export(self._exporting, request, _authorization(context))

    async def DownloadExport(
        self, request: messages.DownloadExportRequest, context: Any
    ) -> AsyncIterator[messages.DownloadExportResponse]:
        """Sends an archive."""
        async for part in requests.download_export(self._exporting, request, _authorization(context)):
            yield part


class ImportServicer(import_service_pb2_grpc.ImportServiceServicer):
    """Imports over gRPC."""

    def __init__(self, exporting: Exporting) -> None:
        self._exporting = exporting

    async def CreateImport(
        self, request: import_service_pb2.CreateImportRequest, context: Any
    ) -> import_service_pb2.CreateImportResponse:
        """Begins an import."""
        return await importing.create_import(self._exporting, request, _authorization(context))

    async def CreateDatasetImport(
        self, request: import_service_pb2.CreateDatasetImportRequest, context: Any
    ) -> import_service_pb2.CreateDatasetImportResponse:
        """Begins the import of a data set."""
        return await dataset_import.create_dataset_import(self._exporting, request, _authorization(context))


class BackupServicer(backup_service_pb2_grpc.BackupServiceServicer):
    """Backups over gRPC."""

    def __init__(self, exporting: Exporting) -> None:
        self._exporting = exporting

    async def CreateBackup(
        self, request: backup_service_pb2.CreateBackupRequest, context: Any
    ) -> backup_service_pb2.CreateBackupResponse:
        """Begins a backup."""
        return await backing_up.create_backup(self._exporting, request, _authorization(context))

    async def RestoreBackup(
        self, request: backup_service_pb2.RestoreBackupRequest, context: Any
    ) -> backup_service_pb2.RestoreBackupResponse:
        """Begins a restore."""
        return await restoring.restore_backup(self._exporting, request, _authorization(context))


def _format(known: Format) -> messages.Format:
    return messages.Format(
        name=known.full_name,
        extension=known.extension,
        description=known.description,
        holds=known.holds,
        for_interpolation=known.for_interpolation,
        for_annotation=known.for_annotation,
        keeps=known.keeps,
        bare_extensions=known.bare,
        can_export=known.write is not unwritten,
        can_import=known.read is not unread,
    )


def _authorization(context: Any) -> str:
    """The caller's own header, with which its rights are asked for."""
    return str(dict(context.invocation_metadata() or ()).get("authorization", ""))
