"""People who have repositories, and small real servers of task, export and identity."""

# ruff: noqa: N802 - methods are named as in the proto
from __future__ import annotations

import asyncio
import hashlib
import io
import zipfile
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Any

import grpc
import grpc.aio
from frameyard.common.v1.common_pb2 import BlobRef, PersonRef
from frameyard.export.v1 import export_service_pb2 as exports
from frameyard.export.v1 import export_service_pb2_grpc
from frameyard.identity.v1 import identity_service_pb2 as identity
from frameyard.identity.v1 import identity_service_pb2_grpc
from frameyard.operation.v1 import operation_pb2, operation_service_pb2_grpc
from frameyard.operation.v1 import operation_service_pb2 as operations
from frameyard.task.v1 import project_service_pb2 as projects
from frameyard.task.v1 import project_service_pb2_grpc, task_service_pb2_grpc
from frameyard.task.v1 import task_service_pb2 as tasks
from frameyard.task.v1.project_pb2 import Project
from frameyard.task.v1.task_pb2 import Task
from yard.runtime import auth, clock
from yard.runtime.blobs import Blobs
from yard.testkit import peers

ISSUER = auth.TokenIssuer.generate()
SERVICE_TOKEN = "token-of-the-service"
ANN = auth.Principal(user_id=1, username="ann", role="user")
BEN = auth.Principal(user_id=2, username="ben", role="user")
EVE = auth.Principal(user_id=3, username="eve", role="user")
PAT = auth.Principal(user_id=4, username="pat", role="user")
JOE = auth.Principal(user_id=5, username="joe", role="worker")
ROOT = auth.Principal(user_id=9, username="root", role="admin")
ROBOT = auth.Principal(user_id=0, username="", role="service", service="gateway")
PROJECT, TASK, OTHER_TASK = 5, 12, 13
FORMATS = ("CVAT for video 1.1", "CVAT for images 1.1", "COCO 1.0")

TOKENS: dict[str, auth.Principal] = {}


def token(person: auth.Principal) -> str:
    """A fresh one, that the neighbours know."""
    made = ISSUER.issue(person).token
    TOKENS[made] = person
    return made


def ref(person: auth.Principal) -> PersonRef:
    return PersonRef(id=person.user_id, username=person.username)


class Neighbours(
    task_service_pb2_grpc.TaskServiceServicer,
    project_service_pb2_grpc.ProjectServiceServicer,
    export_service_pb2_grpc.ExportServiceServicer,
    operation_service_pb2_grpc.OperationServiceServicer,
    identity_service_pb2_grpc.IdentityServiceServicer,
):
    """Ann owns the tasks, Ben is the assignee, Pat owns the project, Joe works on a job, Eve sees nothing.

    `content` is what the document of the next export has; exports wait while `gate` is clear.
    """

    def __init__(self) -> None:
        self.tasks = {
            id_: Task(id=id_, name=f"street {id_}", project_id=PROJECT, owner=ref(ANN), assignee=ref(BEN))
            for id_ in (TASK, OTHER_TASK)
        }
        self.projects = {PROJECT: Project(id=PROJECT, name="streets", owner=ref(PAT))}
        self.blobs: Blobs | None = None
        self.content = "<annotations/>"
        self.revision = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.asked: list[exports.CreateExportRequest] = []
        self.results: dict[str, exports.ExportResult] = {}
        self.failure: Any = None
        self.is_away = False

    async def GetTask(self, request: tasks.GetTaskRequest, context: Any) -> tasks.GetTaskResponse:
        if self.is_away:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "away")
        header = dict(context.invocation_metadata()).get("authorization", "").removeprefix("Bearer ")
        caller = TOKENS.get(header)
        is_seen = header == SERVICE_TOKEN or (caller is not None and caller.user_id != EVE.user_id)
        if request.id not in self.tasks or not is_seen:
            await context.abort(grpc.StatusCode.NOT_FOUND, "no")
        return tasks.GetTaskResponse(task=self.tasks[request.id])

    async def GetProject(
        self, request: projects.GetProjectRequest, context: Any
    ) -> projects.GetProjectResponse:
        return projects.GetProjectResponse(project=self.projects[request.id])

    async def IssueServiceToken(
        self, request: identity.IssueServiceTokenRequest, context: Any
    ) -> identity.IssueServiceTokenResponse:
        assert request.service == "repo_sync"
        response = identity.IssueServiceTokenResponse(access_token=SERVICE_TOKEN)
        response.expire_time.FromSeconds(int(clock.now().timestamp()) + 900)
        return response

    async def ListFormats(
        self, request: exports.ListFormatsRequest, context: Any
    ) -> exports.ListFormatsResponse:
        known = [exports.Format(name=name, can_export=True) for name in FORMATS]
        return exports.ListFormatsResponse(formats=[*known, exports.Format(name="CVAT 1.1")])

    async def CreateExport(
        self, request: exports.CreateExportRequest, context: Any
    ) -> exports.CreateExportResponse:
        """Once for each request id, as the real one."""
        assert request.request_id
        self.asked.append(request)
        if request.request_id not in self.results:
            self.results[request.request_id] = await self._result(request)
        name = f"export/{request.request_id}"
        return exports.CreateExportResponse(operation=operation_pb2.Operation(name=name))

    async def WatchOperation(
        self, request: operations.WatchOperationRequest, context: Any
    ) -> AsyncIterator[operations.WatchOperationResponse]:
        state = operation_pb2.Operation(name=request.name, state=operation_pb2.OPERATION_STATE_RUNNING)
        yield operations.WatchOperationResponse(operation=state)
        await self.gate.wait()
        if self.failure is None:
            state.state = operation_pb2.OPERATION_STATE_SUCCEEDED
            state.result.Pack(self.results[request.name.removeprefix("export/")])
        else:
            state.state = operation_pb2.OPERATION_STATE_FAILED
            state.error.CopyFrom(self.failure)
        yield operations.WatchOperationResponse(operation=state)

    async def _result(self, request: exports.CreateExportRequest) -> exports.ExportResult:
        assert self.blobs is not None
        content = archive(self.content)
        key = f"exports/{request.request_id}/archive"
        await self.blobs.put(key, content)
        reference = BlobRef(key=key, size_bytes=len(content), sha256=hashlib.sha256(content).hexdigest())
        return exports.ExportResult(archive=reference, file_name="x.zip", revision=self.revision)


def archive(document: str) -> bytes:
    """The same bytes for the same document."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as made:
        made.writestr(zipfile.ZipInfo("annotations.xml"), document)
    return content.getvalue()


def serving(neighbours: Neighbours) -> AbstractAsyncContextManager[str]:
    """All of them at one address."""
    adds = (
        task_service_pb2_grpc.add_TaskServiceServicer_to_server,
        project_service_pb2_grpc.add_ProjectServiceServicer_to_server,
        export_service_pb2_grpc.add_ExportServiceServicer_to_server,
        operation_service_pb2_grpc.add_OperationServiceServicer_to_server,
        identity_service_pb2_grpc.add_IdentityServiceServicer_to_server,
    )
    return peers.serving(neighbours, adds)
