# ruff: noqa: N802 - methods are named as in the proto
"""ProjectService."""

from typing import Any

from frameyard.task.v1 import project_service_pb2 as messages
from frameyard.task.v1 import project_service_pb2_grpc
from yard.task.handlers import labels, projects, undelete
from yard.task.handlers.context import Tasks

PROJECT_SERVICE = messages.DESCRIPTOR.services_by_name["ProjectService"].full_name


class ProjectServicer(project_service_pb2_grpc.ProjectServiceServicer):
    """Projects over gRPC."""

    def __init__(self, tasks: Tasks) -> None:
        self._tasks = tasks

    async def CreateProject(
        self, request: messages.CreateProjectRequest, context: Any
    ) -> messages.CreateProjectResponse:
        """Makes a project."""
        return await projects.create_project(self._tasks, request)

    async def GetProject(
        self, request: messages.GetProjectRequest, context: Any
    ) -> messages.GetProjectResponse:
        """Reads a project."""
        return await projects.get_project(self._tasks, request)

    async def ListProjects(
        self, request: messages.ListProjectsRequest, context: Any
    ) -> messages.ListProjectsResponse:
        """Lists projects."""
        return await projects.list_projects(self._tasks, request)

    async def UpdateProject(
        self, request: messages.UpdateProjectRequest, context: Any
    ) -> messages.UpdateProjectResponse:
        """Changes a project."""
        return await projects.update_project(self._tasks, request)

    async def UpdateProjectLabels(
        self, request: messages.UpdateProjectLabelsRequest, context: Any
    ) -> messages.UpdateProjectLabelsResponse:
        """Changes its labels."""
        return await labels.update_project_labels(self._tasks, request)

    async def DeleteProject(
        self, request: messages.DeleteProjectRequest, context: Any
    ) -> messages.DeleteProjectResponse:
        """Hides a project."""
        return await projects.delete_project(self._tasks, request)

    async def UndeleteProject(
        self, request: messages.UndeleteProjectRequest, context: Any
    ) -> messages.UndeleteProjectResponse:
        """Brings a project back."""
        return await undelete.undelete_project(self._tasks, request)
