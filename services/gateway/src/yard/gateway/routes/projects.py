"""Projects."""

from typing import Annotated

from fastapi import APIRouter, Body, Path, Query, Request, Response
from frameyard.task.v1 import project_pb2, project_service_pb2
from yard.gateway.cvat.faults import OF_TASKS, told
from yard.gateway.cvat.fields import PROJECTS
from yard.gateway.cvat.labels import label_changes, new_labels
from yard.gateway.cvat.projects import (
    ProjectRead,
    ProjectWrite,
    project_changes,
    project_read,
    violations,
)
from yard.gateway.cvat.queries import ProjectQuery, asked
from yard.gateway.edge.callers import Calling
from yard.gateway.edge.paging import Page, Paged
from yard.gateway.edge.pictures import preview_answer
from yard.gateway.routes.media import PREVIEW
from yard.gateway.upstream.caller import Caller
from yard.gateway.upstream.labels import change_labels
from yard.gateway.upstream.sights import Sights
from yard.runtime import errors

router = APIRouter(prefix="/projects", tags=["projects"])

ProjectId = Annotated[int, Path(ge=1, le=2**63 - 1, description="Id of the project.")]


@router.post("", status_code=201)
async def create_project(caller: Calling, body: Annotated[ProjectWrite, Body()]) -> ProjectRead:
    """Makes a project."""
    faults = violations(body, is_new=True)
    labels = new_labels(body.labels or [], faults)
    errors.refuse(faults)
    request = project_service_pb2.CreateProjectRequest(
        name=body.name or "",
        labels=labels,
        assignee_id=body.assignee_id or 0,
        owner_id=body.owner_id or 0,
        issue_tracker=body.bug_tracker or "",
    )
    with told(OF_TASKS):
        answer = await caller.call(caller.services.projects.CreateProject, request)
    return project_read(answer.project, caller.base_url)


@router.get("")
async def list_projects(
    caller: Calling, paging: Paged, query: Annotated[ProjectQuery, Query()]
) -> Page[ProjectRead]:
    """Lists projects, newest first."""
    request = project_service_pb2.ListProjectsRequest(
        page_size=paging.size, skip=paging.skip, with_total_size=True, **asked(query, PROJECTS)
    )
    answer = await caller.call(caller.services.projects.ListProjects, request)
    projects = [project_read(project, caller.base_url) for project in answer.projects]
    return paging.page(projects, answer.total_size)


@router.get("/{project_id}")
async def read_project(caller: Calling, project_id: ProjectId) -> ProjectRead:
    """Reads a project."""
    return project_read(await _project(caller, project_id), caller.base_url)


@router.patch("/{project_id}")
async def change_project(
    caller: Calling, project_id: ProjectId, body: Annotated[ProjectWrite, Body()]
) -> ProjectRead:
    """Changes a project: name, people, labels; what is not given stays."""
    project = await _project(caller, project_id)
    faults = violations(body)
    changes = label_changes(body.labels or [], project.labels, faults)
    errors.refuse(faults)
    fields = project_changes(project_id, body)
    with told(OF_TASKS):
        if fields is not None and body.labels:
            # Neither is made if one of them cannot be.
            await change_labels(caller, changes, project_id=project_id, only_check=True)
        if fields is not None:
            await caller.call(caller.services.projects.UpdateProject, fields)
        if body.labels:
            await change_labels(caller, changes, project_id=project_id)
    return project_read(await _project(caller, project_id), caller.base_url)


@router.delete("/{project_id}", status_code=204)
async def delete_project(caller: Calling, project_id: ProjectId) -> Response:
    """Deletes a project with its tasks; its owner can bring them back for 30 days."""
    request = project_service_pb2.DeleteProjectRequest(id=project_id)
    await caller.call(caller.services.projects.DeleteProject, request)
    return Response(status_code=204)


@router.get("/{project_id}/preview", response_class=Response, responses=PREVIEW)
async def read_project_preview(request: Request, caller: Calling, project_id: ProjectId) -> Response:
    """Sends a small picture of the first frame of a project's oldest task that has some."""
    project = await _project(caller, project_id)
    if not project.preview_task_id:
        raise errors.NotFound("frames", "", message="there are no frames yet", reason="NO_FRAMES")
    sights: Sights = request.app.state.sights
    sight = await sights.of(caller, task_id=project.preview_task_id)
    return await preview_answer(request, caller, sight)


async def _project(caller: Caller, project_id: int) -> project_pb2.Project:
    request = project_service_pb2.GetProjectRequest(id=project_id)
    return (await caller.call(caller.services.projects.GetProject, request)).project
