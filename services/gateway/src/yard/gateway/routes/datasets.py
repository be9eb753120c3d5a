"""Annotations and images of tasks, jobs and projects in exchange formats."""

from dataclasses import dataclass
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from frameyard.export.v1 import export_service_pb2
from frameyard.operation.v1 import operation_pb2
from yard.gateway.cvat.faults import told
from yard.gateway.edge import archives
from yard.gateway.edge.archives import Begun, FileName, InSteps, JobId, ProjectId, RqId, TaskId
from yard.gateway.edge.callers import Calling
from yard.gateway.routes import imports
from yard.gateway.upstream.archives import Subject
from yard.gateway.upstream.caller import Caller
from yard.runtime import errors

router = APIRouter(tags=["datasets"])

FormatName = Annotated[
    str, Query(alias="format", min_length=1, max_length=100, description="Name of the format.")
]
SaveImages = Annotated[bool, Query(description="Whether the images are put in as well.")]

_EXPORT: Final = "/dataset/export"
_DOWNLOAD: Final = "/dataset/download"


@dataclass(frozen=True, slots=True)
class Wanted:
    """An archive of a format."""

    format: str
    with_images: bool


@dataclass(frozen=True, slots=True)
class _OlderOfProject:
    """What is asked in the older flows of exports and imports of projects."""

    format: Annotated[str, Query(max_length=100, description="Name of the format, for an archive.")] = ""
    action: Annotated[
        Literal["", "download", "import_status"],
        Query(description="download: send the archive. import_status: tell how far an import is."),
    ] = ""
    rq_id: Annotated[str, Query(max_length=200, description="The import to ask for.")] = ""
    file_name: FileName = ""


@router.post("/tasks/{task_id}" + _EXPORT, status_code=202, dependencies=archives.ONLY_LOCAL)
async def export_task(
    caller: Calling,
    task_id: TaskId,
    format_name: FormatName,
    save_images: SaveImages = False,
    file_name: FileName = "",
) -> Begun:
    """Begins to write a task into an archive."""
    return await _begun(caller, Subject("tasks", task_id), format_name, save_images, file_name)


@router.post("/jobs/{job_id}" + _EXPORT, status_code=202, dependencies=archives.ONLY_LOCAL)
async def export_job(
    caller: Calling,
    job_id: JobId,
    format_name: FormatName,
    save_images: SaveImages = False,
    file_name: FileName = "",
) -> Begun:
    """Begins to write a job into an archive."""
    return await _begun(caller, Subject("jobs", job_id), format_name, save_images, file_name)


@router.post("/projects/{project_id}" + _EXPORT, status_code=202, dependencies=archives.ONLY_LOCAL)
async def export_project(
    caller: Calling,
    project_id: ProjectId,
    format_name: FormatName,
    save_images: SaveImages = False,
    file_name: FileName = "",
) -> Begun:
    """Begins to write the tasks of a project into an archive."""
    return await _begun(caller, Subject("projects", project_id), format_name, save_images, file_name)


@router.get("/tasks/{task_id}" + _DOWNLOAD, responses=archives.DOWNLOAD, response_class=Response)
async def download_of_task(
    request: Request, caller: Calling, task_id: TaskId, rq_id: RqId, file_name: FileName = ""
) -> Response:
    """The archive of a finished export of a task."""
    return await archives.download(request, caller, Subject("tasks", task_id), "export", rq_id, file_name)


@router.get("/jobs/{job_id}" + _DOWNLOAD, responses=archives.DOWNLOAD, response_class=Response)
async def download_of_job(
    request: Request, caller: Calling, job_id: JobId, rq_id: RqId, file_name: FileName = ""
) -> Response:
    """The archive of a finished export of a job."""
    return await archives.download(request, caller, Subject("jobs", job_id), "export", rq_id, file_name)


@router.get("/projects/{project_id}" + _DOWNLOAD, responses=archives.DOWNLOAD, response_class=Response)
async def download_of_project(
    request: Request, caller: Calling, project_id: ProjectId, rq_id: RqId, file_name: FileName = ""
) -> Response:
    """The archive of a finished export of a project."""
    return await archives.download(
        request, caller, Subject("projects", project_id), "export", rq_id, file_name
    )


@router.get(
    "/tasks/{task_id}/dataset",
    responses=archives.IN_STEPS,
    response_class=Response,
    dependencies=archives.ONLY_LOCAL,
)
async def dataset_of_task(
    request: Request, caller: Calling, task_id: TaskId, format_name: FormatName, steps: InSteps
) -> Response:
    """Makes an archive of a task with its images, tells when it is there, and sends it: the older flow."""
    return await in_steps(request, caller, Subject("tasks", task_id), Wanted(format_name, True), steps)


@router.get(
    "/jobs/{job_id}/dataset",
    responses=archives.IN_STEPS,
    response_class=Response,
    dependencies=archives.ONLY_LOCAL,
)
async def dataset_of_job(
    request: Request, caller: Calling, job_id: JobId, format_name: FormatName, steps: InSteps
) -> Response:
    """Makes an archive of a job with its images, tells when it is there, and sends it: the older flow."""
    return await in_steps(request, caller, Subject("jobs", job_id), Wanted(format_name, True), steps)


@router.get(
    "/projects/{project_id}/dataset",
    responses=archives.IN_STEPS,
    response_class=Response,
    dependencies=archives.ONLY_LOCAL,
)
async def dataset_of_project(
    request: Request, caller: Calling, project_id: ProjectId, older: Annotated[_OlderOfProject, Depends()]
) -> Response:
    """Makes an archive of a project with its images, tells when it is there, and sends it: the older flow.

    The older flow of imports asks here, too, how far they are.
    """
    subject = Subject("projects", project_id)
    if older.action == "import_status":
        return await imports.how_far(caller, subject, older.rq_id, kind="import_dataset")
    if not older.format:
        raise errors.invalid("format", "is required")
    steps = archives.Steps(older.action, older.file_name)
    return await in_steps(request, caller, subject, Wanted(older.format, True), steps)


async def in_steps(
    request: Request, caller: Caller, subject: Subject, wanted: Wanted, steps: archives.Steps
) -> Response:
    """The older flow: one address makes the archive, tells when it is there, and sends it."""

    async def begin(request_id: str) -> operation_pb2.Operation:
        return await _export(caller, subject, wanted.format, wanted.with_images, request_id=request_id)

    what = f"{wanted.format}\0{wanted.with_images}"
    return await archives.in_steps(request, caller, subject, "export", what, begin, steps)


async def _begun(
    caller: Caller, subject: Subject, format_name: str, with_images: bool, file_name: str
) -> Begun:
    with told(archives.OF_EXPORTS):
        operation = await _export(caller, subject, format_name, with_images, file_name=file_name)
    return Begun(rq_id=operation.name)


async def _export(
    caller: Caller,
    subject: Subject,
    format_name: str,
    with_images: bool,
    *,
    request_id: str = "",
    file_name: str = "",
) -> operation_pb2.Operation:
    request = export_service_pb2.CreateExportRequest(
        format=format_name, with_images=with_images, request_id=request_id, file_name=file_name
    )
    setattr(request, subject.field, subject.number)
    return (await caller.call(caller.services.exports.CreateExport, request)).operation
