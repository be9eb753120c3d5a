"""How the methods of export and operations are called: by method and case."""

from typing import Final

from frameyard.export.v1 import backup_service_pb2 as backup
from frameyard.export.v1 import export_service_pb2 as export
from frameyard.export.v1 import import_service_pb2 as import_
from frameyard.operation.v1 import operation_service_pb2 as operation

from tests.rights import parts
from tests.rights.calling import Call

_FORMAT: Final = "COCO 1.0"
_BEGUN: Final = "begun by the task owner"

EXPORT_CALLS: Final = {
    ("export.v1.ExportService/ListFormats", ""): Call(
        request=lambda _: export.ListFormatsRequest(), has_target=False
    ),
    ("export.v1.ExportService/CreateExport", "of a job"): Call(
        request=lambda scene: export.CreateExportRequest(job_id=scene.job, format=_FORMAT)
    ),
    ("export.v1.ExportService/CreateExport", "of a task"): Call(
        request=lambda scene: export.CreateExportRequest(task_id=scene.task, format=_FORMAT)
    ),
    ("export.v1.ExportService/DownloadExport", f"of a job, {_BEGUN}"): Call(
        request=lambda scene: export.DownloadExportRequest(operation=scene.export),
        parts=(parts.export_of_job,),
    ),
    ("export.v1.ExportService/DownloadExport", f"of a task, {_BEGUN}"): Call(
        request=lambda scene: export.DownloadExportRequest(operation=scene.export),
        parts=(parts.export_of_task,),
    ),
    ("export.v1.ExportService/CreateExport", "of a project"): Call(
        request=lambda scene: export.CreateExportRequest(project_id=scene.project, format=_FORMAT)
    ),
    ("export.v1.ImportService/CreateImport", "to a job"): Call(
        request=lambda scene: import_.CreateImportRequest(
            job_id=scene.job, format=_FORMAT, upload_id=scene.upload
        ),
        parts=(parts.finished_upload,),
        targets=("job",),
    ),
    ("export.v1.ImportService/CreateImport", "to a task"): Call(
        request=lambda scene: import_.CreateImportRequest(
            task_id=scene.task, format=_FORMAT, upload_id=scene.upload
        ),
        parts=(parts.finished_upload,),
        targets=("task",),
    ),
    ("export.v1.ImportService/CreateDatasetImport", ""): Call(
        request=lambda scene: import_.CreateDatasetImportRequest(
            project_id=scene.project, format=_FORMAT, upload_id=scene.upload
        ),
        parts=(parts.finished_upload,),
        targets=("project",),
    ),
    ("export.v1.BackupService/CreateBackup", "of a task"): Call(
        request=lambda scene: backup.CreateBackupRequest(task_id=scene.task)
    ),
    ("export.v1.BackupService/CreateBackup", "of a project"): Call(
        request=lambda scene: backup.CreateBackupRequest(project_id=scene.project)
    ),
    ("export.v1.BackupService/RestoreBackup", ""): Call(
        request=lambda scene: backup.RestoreBackupRequest(
            upload_id=scene.upload, kind=backup.BACKUP_KIND_TASK
        ),
        has_target=False,
        parts=(parts.finished_upload,),
    ),
}

OPERATION_CALLS: Final = {
    ("operation.v1.OperationService/GetOperation", _BEGUN): Call(
        request=lambda scene: operation.GetOperationRequest(name=scene.operation), parts=(parts.operation,)
    ),
    ("operation.v1.OperationService/ListOperations", _BEGUN): Call(
        request=lambda scene: operation.ListOperationsRequest(target=f"tasks/{scene.task}"),
        shows=lambda found, scene: any(each.name == scene.operation for each in found.operations),
        has_target=False,
        parts=(parts.operation,),
    ),
    ("operation.v1.OperationService/CancelOperation", _BEGUN): Call(
        request=lambda scene: operation.CancelOperationRequest(name=scene.operation),
        parts=(parts.operation,),
    ),
    ("operation.v1.OperationService/WatchOperation", _BEGUN): Call(
        request=lambda scene: operation.WatchOperationRequest(name=scene.operation), parts=(parts.operation,)
    ),
}
