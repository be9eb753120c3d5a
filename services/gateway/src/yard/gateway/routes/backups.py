"""Whole tasks and projects in one archive, and back."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response
from frameyard.export.v1 import backup_service_pb2
from frameyard.operation.v1 import operation_pb2
from yard.gateway.cvat.faults import told
from yard.gateway.edge import archives, file_headers, tus
from yard.gateway.edge.answers import JsonAnswer
from yard.gateway.edge.archives import Begun, FileName, InSteps, ProjectId, RqId, TaskId
from yard.gateway.edge.callers import Calling
from yard.gateway.edge.paging import Problem
from yard.gateway.edge.uploading import Place, step
from yard.gateway.upstream.archives import Subject, operation_named
from yard.gateway.upstream.caller import Caller
from yard.runtime import errors

router = APIRouter(tags=["backups"])

Lightweight = Annotated[
    bool, Query(description="Leave out media of shares and remote addresses, and name its files instead.")
]


_RESTORE: Final[dict[int | str, dict[str, Any]]] = {
    201: {
        # Not as a model: the other of these answers has no body.
        "description": 'rq_id: it is done, `{"id"}` is what was made. Upload-Length: the file is announced.'
    },
    412: {"model": Problem, "description": file_headers.OTHER_VERSION},
}
_BODY: Final[dict[str, Any]] = {
    "parameters": [*file_headers.OF_FILES, file_headers.NAME],
    "requestBody": {
        "content": {
            "multipart/form-data": {
                "schema": {"type": "object", "description": "The archive, as a file of any field."}
            }
        }
    },
}


@router.post("/tasks/{task_id}/backup/export", status_code=202, dependencies=archives.ONLY_LOCAL)
async def back_up_task(
    caller: Calling, task_id: TaskId, lightweight: Lightweight = False, file_name: FileName = ""
) -> Begun:
    """Begins to write a task with all that belongs to it into an archive."""
    return await _begun(caller, Subject("tasks", task_id), lightweight, file_name)


@router.post("/projects/{project_id}/backup/export", status_code=202, dependencies=archives.ONLY_LOCAL)
async def back_up_project(
    caller: Calling, project_id: ProjectId, lightweight: Lightweight = False, file_name: FileName = ""
) -> Begun:
    """Begins to write a project with all its tasks into an archive."""
    return await _begun(caller, Subject("projects", project_id), lightweight, file_name)


@router.get("/tasks/{task_id}/backup/download", responses=archives.DOWNLOAD, response_class=Response)
async def download_backup_of_task(
    request: Request, caller: Calling, task_id: TaskId, rq_id: RqId, file_name: FileName = ""
) -> Response:
    """The archive of a finished backup of a task."""
    return await archives.download(request, caller, Subject("tasks", task_id), "backup", rq_id, file_name)


@router.get("/projects/{project_id}/backup/download", responses=archives.DOWNLOAD, response_class=Response)
async def download_backup_of_project(
    request: Request, caller: Calling, project_id: ProjectId, rq_id: RqId, file_name: FileName = ""
) -> Response:
    """The archive of a finished backup of a project."""
    return await archives.download(
        request, caller, Subject("projects", project_id), "backup", rq_id, file_name
    )


@router.get(
    "/tasks/{task_id}/backup",
    responses=archives.IN_STEPS,
    response_class=Response,
    dependencies=archives.ONLY_LOCAL,
)
async def backup_of_task(request: Request, caller: Calling, task_id: TaskId, steps: InSteps) -> Response:
    """Makes a backup of a task, tells when it is there, and sends it: the older flow."""
    return await _in_steps(request, caller, Subject("tasks", task_id), steps)


@router.get(
    "/projects/{project_id}/backup",
    responses=archives.IN_STEPS,
    response_class=Response,
    dependencies=archives.ONLY_LOCAL,
)
async def backup_of_project(
    request: Request, caller: Calling, project_id: ProjectId, steps: InSteps
) -> Response:
    """Makes a backup of a project, tells when it is there, and sends it: the older flow."""
    return await _in_steps(request, caller, Subject("projects", project_id), steps)


@router.post(
    "/tasks/backup",
    status_code=202,
    response_model=Begun,
    responses=_RESTORE,
    openapi_extra=_BODY,
    dependencies=archives.ONLY_LOCAL,
)
async def restore_task(request: Request, caller: Calling) -> Response | Begun:
    """Makes a new task of an archive, which comes in one request or in steps."""
    return await _restore(request, caller, "tasks", backup_service_pb2.BACKUP_KIND_TASK)


@router.post(
    "/projects/backup",
    status_code=202,
    response_model=Begun,
    responses=_RESTORE,
    openapi_extra=_BODY,
    dependencies=archives.ONLY_LOCAL,
)
async def restore_project(request: Request, caller: Calling) -> Response | Begun:
    """Makes a new project of an archive, which comes in one request or in steps."""
    return await _restore(request, caller, "projects", backup_service_pb2.BACKUP_KIND_PROJECT)


async def _in_steps(request: Request, caller: Caller, subject: Subject, steps: archives.Steps) -> Response:
    async def begin(request_id: str) -> operation_pb2.Operation:
        return await _backup(caller, subject, lightweight=False, request_id=request_id)

    return await archives.in_steps(request, caller, subject, "backup", "", begin, steps)


async def _begun(caller: Caller, subject: Subject, lightweight: bool, file_name: str) -> Begun:
    with told(archives.OF_EXPORTS):
        operation = await _backup(caller, subject, lightweight=lightweight, file_name=file_name)
    return Begun(rq_id=operation.name)


async def _backup(
    caller: Caller, subject: Subject, *, lightweight: bool, request_id: str = "", file_name: str = ""
) -> operation_pb2.Operation:
    request = backup_service_pb2.CreateBackupRequest(
        without_remote_media=lightweight, request_id=request_id, file_name=file_name
    )
    setattr(request, subject.field, subject.number)
    return (await caller.call(caller.services.backups.CreateBackup, request)).operation


async def _restore(
    request: Request, caller: Caller, folder: str, kind: backup_service_pb2.BackupKind.ValueType
) -> Response | Begun:
    handed = await step(request, Place(caller, f"/api/{folder}/backup", gathers=False))
    if isinstance(handed, Response):
        return handed
    rq_id = handed.fields.get("rq_id")
    if isinstance(rq_id, str) and rq_id and not handed.file_count:
        return await _how_far(caller, rq_id)
    asked = backup_service_pb2.RestoreBackupRequest(upload_id=await handed.finished(), kind=kind)
    answer = await handed.caller.call(caller.services.backups.RestoreBackup, asked)
    return Begun(rq_id=answer.operation.name)


async def _how_far(caller: Caller, rq_id: str) -> Response:
    """202 until it has ended, then 201 with the id of what was made: the older flow."""
    operation = await operation_named(caller, rq_id)
    if operation.kind != "restore":
        raise errors.NotFound("request", rq_id[:80])
    if operation.state == operation_pb2.OPERATION_STATE_CANCELLED:
        raise errors.FailedPrecondition("it was cancelled", reason="CANCELLED")
    if operation.HasField("error"):
        raise errors.from_status(operation.error)
    result = backup_service_pb2.RestoreResult()
    if not operation.result.Unpack(result):
        return JsonAnswer({"rq_id": rq_id}, 202)
    return JsonAnswer({"id": result.task_id or result.project_id}, 201)


tus.add_routes(router, "/tasks/backup")
tus.add_routes(router, "/projects/backup")
