"""Whole data sets into projects, a task of each subset: in one request, in steps, or by tus."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from frameyard.export.v1 import import_service_pb2
from frameyard.task.v1 import task_service_pb2
from yard.gateway.edge import archives, tus
from yard.gateway.edge.archives import Begun, ProjectId
from yard.gateway.edge.callers import Calling
from yard.gateway.edge.uploading import Place, step
from yard.gateway.routes.imports import BODY, STEPS
from yard.gateway.upstream.caller import Caller
from yard.runtime import errors

router = APIRouter(tags=["datasets"])


@dataclass(frozen=True, slots=True)
class Wish:
    """How the data set is read; `format` is needed once all of it is here."""

    format: Annotated[str, Query(max_length=100, description="Name of the format.")] = ""
    conv_mask_to_poly: Annotated[bool, Query(description="Turn masks into polygons.")] = False


@router.post(
    "/projects/{project_id}/dataset",
    status_code=202,
    response_model=Begun,
    responses=STEPS,
    openapi_extra=BODY,
    dependencies=archives.ONLY_LOCAL,
)
async def import_into_project(
    request: Request, caller: Calling, project_id: ProjectId, wish: Annotated[Wish, Depends()]
) -> Response | Begun:
    """Takes a zip with images and annotations, and begins to make a task of each of its subsets."""
    await _check_may_make_tasks(caller, project_id)
    handed = await step(request, Place(caller, f"/api/projects/{project_id}/dataset", gathers=False))
    if isinstance(handed, Response):
        return handed
    asked = import_service_pb2.CreateDatasetImportRequest(
        project_id=project_id,
        format=wish.format or str(handed.fields.get("format", "")),
        convert_masks=wish.conv_mask_to_poly,
    )
    if not asked.format:
        raise errors.invalid("format", "is required")
    asked.upload_id = await handed.finished()
    answer = await handed.caller.call(caller.services.imports.CreateDatasetImport, asked)
    return Begun(rq_id=answer.operation.name)


async def _check_may_make_tasks(caller: Caller, project_id: int) -> None:
    """Before a file is taken that may be large."""
    trial = task_service_pb2.CreateTaskRequest(name="data set", project_id=project_id, validate_only=True)
    await caller.call(caller.services.tasks.CreateTask, trial)


tus.add_routes(router, "/projects/{project_id}/dataset")
