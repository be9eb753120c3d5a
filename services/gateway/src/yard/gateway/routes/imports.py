"""Annotations from files: in one request, in steps, or by tus."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from frameyard.annotation.v1 import annotation_service_pb2 as annotation
from frameyard.export.v1 import import_service_pb2
from frameyard.operation.v1 import operation_pb2
from yard.gateway.edge import archives, file_headers, tus
from yard.gateway.edge.answers import JsonAnswer
from yard.gateway.edge.archives import Begun, JobId, TaskId
from yard.gateway.edge.callers import Calling
from yard.gateway.edge.paging import Problem
from yard.gateway.edge.uploading import Place, step
from yard.gateway.upstream.archives import Subject, operation_named
from yard.gateway.upstream.caller import Caller
from yard.runtime import errors

router = APIRouter(tags=["annotations"])

MODES: Final = {
    "replace": (import_service_pb2.IMPORT_MODE_REPLACE, annotation.IMPORT_MODE_REPLACE),
    "append": (import_service_pb2.IMPORT_MODE_APPEND, annotation.IMPORT_MODE_APPEND),
}


@dataclass(frozen=True, slots=True)
class Wish:
    """How a file is read; `format` is needed once all of it is here."""

    format: Annotated[str, Query(max_length=100, description="Name of the format.")] = ""
    import_mode: Annotated[
        Literal["replace", "append"], Query(description="What becomes of the objects that are there.")
    ] = "replace"
    conv_mask_to_poly: Annotated[bool, Query(description="Turn masks into polygons.")] = False


Wished = Annotated[Wish, Depends()]

BODY: Final[dict[str, Any]] = {
    "parameters": [*file_headers.OF_FILES, file_headers.NAME],
    "requestBody": {
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "description": "The file, in any field: annotation_file, dataset_file.",
                }
            }
        }
    },
}
STEPS: Final[dict[int | str, dict[str, Any]]] = {
    201: {"description": "Upload-Length: the file is announced; Location is where it goes."},
    412: {"model": Problem, "description": file_headers.OTHER_VERSION},
}


@router.post(
    "/tasks/{task_id}/annotations",
    status_code=202,
    response_model=Begun,
    responses=STEPS,
    openapi_extra=BODY,
    dependencies=archives.ONLY_LOCAL,
)
async def import_into_task(
    request: Request, caller: Calling, task_id: TaskId, wish: Wished
) -> Response | Begun:
    """Takes a file, in one request or in steps, and begins to read its objects into a task."""
    return await import_file(request, caller, Subject("tasks", task_id), wish)


@router.post(
    "/jobs/{job_id}/annotations",
    status_code=202,
    response_model=Begun,
    responses=STEPS,
    openapi_extra=BODY,
    dependencies=archives.ONLY_LOCAL,
)
async def import_into_job(request: Request, caller: Calling, job_id: JobId, wish: Wished) -> Response | Begun:
    """Takes a file, in one request or in steps, and begins to read its objects into a job."""
    return await import_file(request, caller, Subject("jobs", job_id), wish)


async def import_file(request: Request, caller: Caller, subject: Subject, wish: Wish) -> Response | Begun:
    """One request of those by which a file comes; the last one begins to read it."""
    await _check_may_save(caller, subject, wish)
    handed = await step(request, Place(caller, f"/api/{subject.name}/annotations", gathers=False))
    if isinstance(handed, Response):
        return handed
    asked = import_service_pb2.CreateImportRequest(
        format=wish.format or str(handed.fields.get("format", "")),
        mode=MODES[wish.import_mode][0],
        convert_masks=wish.conv_mask_to_poly,
    )
    setattr(asked, subject.field, subject.number)
    if not asked.format:
        raise errors.invalid("format", "is required")
    asked.upload_id = await handed.finished()
    answer = await handed.caller.call(caller.services.imports.CreateImport, asked)
    return Begun(rq_id=answer.operation.name)


async def how_far(caller: Caller, subject: Subject, rq_id: str, *, kind: str = "import") -> Response:
    """202 until all is in, then 201: the older flow."""
    operation = await operation_named(caller, rq_id)
    if operation.kind != kind or operation.target != subject.name:
        raise errors.NotFound("request", rq_id[:80])
    if operation.HasField("error"):
        raise errors.from_status(operation.error)
    if operation.state == operation_pb2.OPERATION_STATE_CANCELLED:
        raise errors.FailedPrecondition("it was cancelled", reason="CANCELLED")
    if operation.state != operation_pb2.OPERATION_STATE_SUCCEEDED:
        return JsonAnswer({"rq_id": rq_id}, 202)
    return Response(status_code=201)


async def _check_may_save(caller: Caller, subject: Subject, wish: Wish) -> None:
    """Before a file is taken that may be large."""
    target = annotation.AnnotationTarget(**{subject.field: subject.number})
    header = annotation.ImportHeader(target=target, mode=MODES[wish.import_mode][1], check_only=True)

    async def parts() -> AsyncIterator[annotation.ImportAnnotationsRequest]:
        yield annotation.ImportAnnotationsRequest(header=header)

    await caller.send(caller.services.annotations.ImportAnnotations, parts())


tus.add_routes(router, "/tasks/{task_id}/annotations")
tus.add_routes(router, "/jobs/{job_id}/annotations")
