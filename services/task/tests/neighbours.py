"""Who stands around task in its tests: clients, identity and media_ingest on the bus."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from frameyard.annotation.v1 import annotation_events_pb2, annotation_service_pb2_grpc
from frameyard.common.v1.common_pb2 import BlobRef
from frameyard.identity.v1 import identity_events_pb2, user_pb2
from frameyard.media.v1 import media_events_pb2, media_pb2
from frameyard.operation.v1 import operation_pb2, operation_service_pb2, operation_service_pb2_grpc
from frameyard.task.v1 import (
    issue_events_pb2,
    issue_service_pb2_grpc,
    job_pb2,
    job_service_pb2,
    job_service_pb2_grpc,
    label_pb2,
    label_service_pb2_grpc,
    project_pb2,
    project_service_pb2,
    project_service_pb2_grpc,
    task_events_pb2,
    task_pb2,
    task_service_pb2,
    task_service_pb2_grpc,
)
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.message import Message
from yard.runtime import app, auth, errors
from yard.task.settings import Settings
from yard.testkit import eventually
from yard.testkit.facts import Facts

if TYPE_CHECKING:
    from frameyard.annotation.v1.annotation_service_pb2_grpc import AnnotationServiceAsyncStub
    from frameyard.operation.v1.operation_service_pb2_grpc import OperationServiceAsyncStub
    from frameyard.task.v1.issue_service_pb2_grpc import IssueServiceAsyncStub
    from frameyard.task.v1.job_service_pb2_grpc import JobServiceAsyncStub
    from frameyard.task.v1.label_service_pb2_grpc import LabelServiceAsyncStub
    from frameyard.task.v1.project_service_pb2_grpc import ProjectServiceAsyncStub
    from frameyard.task.v1.task_service_pb2_grpc import TaskServiceAsyncStub
    from grpc.aio import Channel

ANN = auth.Principal(user_id=1, username="ann", role="user")
BEN = auth.Principal(user_id=2, username="ben", role="user")
CLEO = auth.Principal(user_id=3, username="cleo", role="worker")
DORA = auth.Principal(user_id=4, username="dora", role="worker")
STRANGER = auth.Principal(user_id=5, username="stranger", role="user")
ADMIN = auth.Principal(user_id=9, username="admin", role="admin")
EXPORT = auth.Principal(user_id=0, username="export", role="service", service="export")
ROLES = {"admin": user_pb2.ROLE_ADMIN, "user": user_pb2.ROLE_USER, "worker": user_pb2.ROLE_WORKER}
PEOPLE = (ANN, BEN, CLEO, DORA, STRANGER, ADMIN)

UPLOAD = media_pb2.MediaSource(
    upload=media_pb2.UploadSource(upload_id="0190c0de-0000-7000-8000-000000000001")
)
_EVENTS = (task_events_pb2, issue_events_pb2, annotation_events_pb2)

Running = app.Running[Settings]
Connect = Callable[[auth.Principal], "Client"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """The services as one caller."""

    projects: ProjectServiceAsyncStub
    tasks: TaskServiceAsyncStub
    jobs: JobServiceAsyncStub
    issues: IssueServiceAsyncStub
    labels: LabelServiceAsyncStub
    annotations: AnnotationServiceAsyncStub
    operations: OperationServiceAsyncStub

    @classmethod
    def over(cls, channel: Channel) -> Client:
        """As whoever the channel speaks for."""
        return cls(
            projects=project_service_pb2_grpc.ProjectServiceStub(channel),
            tasks=task_service_pb2_grpc.TaskServiceStub(channel),
            jobs=job_service_pb2_grpc.JobServiceStub(channel),
            issues=issue_service_pb2_grpc.IssueServiceStub(channel),
            labels=label_service_pb2_grpc.LabelServiceStub(channel),
            annotations=annotation_service_pb2_grpc.AnnotationServiceStub(channel),
            operations=operation_service_pb2_grpc.OperationServiceStub(channel),
        )

    async def new_project(self, name: str = "a project", **fields: Any) -> project_pb2.Project:
        request = project_service_pb2.CreateProjectRequest(name=name, **fields)
        return (await self.projects.CreateProject(request)).project

    async def project(self, project_id: int) -> project_pb2.Project:
        request = project_service_pb2.GetProjectRequest(id=project_id)
        return (await self.projects.GetProject(request)).project

    async def list_projects(self, **fields: Any) -> list[str]:
        """Names of all projects that are found, page by page."""
        request = project_service_pb2.ListProjectsRequest(**fields)
        return [item.name async for item in pages(self.projects.ListProjects, request, "projects")]

    async def update_project(self, project_id: int, *paths: str, **fields: Any) -> project_pb2.Project:
        project = project_pb2.Project(id=project_id, **fields)
        mask = FieldMask(paths=paths or list(fields))
        request = project_service_pb2.UpdateProjectRequest(project=project, update_mask=mask)
        return (await self.projects.UpdateProject(request)).project

    async def delete_project(self, project_id: int) -> None:
        await self.projects.DeleteProject(project_service_pb2.DeleteProjectRequest(id=project_id))

    async def undelete_project(self, project_id: int) -> project_pb2.Project:
        request = project_service_pb2.UndeleteProjectRequest(id=project_id)
        return (await self.projects.UndeleteProject(request)).project

    async def new_task(self, name: str = "a task", **fields: Any) -> task_pb2.Task:
        request = task_service_pb2.CreateTaskRequest(name=name, **fields)
        return (await self.tasks.CreateTask(request)).task

    async def task(self, task_id: int) -> task_pb2.Task:
        return (await self.tasks.GetTask(task_service_pb2.GetTaskRequest(id=task_id))).task

    async def list_tasks(self, **fields: Any) -> list[str]:
        """Names of all tasks that are found, page by page."""
        request = task_service_pb2.ListTasksRequest(**fields)
        return [item.name async for item in pages(self.tasks.ListTasks, request, "tasks")]

    async def update_task(self, task_id: int, *paths: str, **fields: Any) -> task_pb2.Task:
        task = task_pb2.Task(id=task_id, **fields)
        request = task_service_pb2.UpdateTaskRequest(
            task=task, update_mask=FieldMask(paths=paths or list(fields))
        )
        return (await self.tasks.UpdateTask(request)).task

    async def update_labels(
        self, task_id: int, *labels: label_pb2.Label, **fields: Any
    ) -> list[label_pb2.Label]:
        request = task_service_pb2.UpdateTaskLabelsRequest(task_id=task_id, labels=labels, **fields)
        return list((await self.tasks.UpdateTaskLabels(request)).task.labels)

    async def move(self, task_id: int, project_id: int, **fields: Any) -> task_service_pb2.MoveTaskResponse:
        request = task_service_pb2.MoveTaskRequest(id=task_id, project_id=project_id, **fields)
        return await self.tasks.MoveTask(request)

    async def delete_task(self, task_id: int) -> None:
        await self.tasks.DeleteTask(task_service_pb2.DeleteTaskRequest(id=task_id))

    async def undelete_task(self, task_id: int) -> task_pb2.Task:
        return (await self.tasks.UndeleteTask(task_service_pb2.UndeleteTaskRequest(id=task_id))).task

    async def attach(self, task_id: int, **data: Any) -> operation_pb2.Operation:
        spec = media_pb2.DataSpec(**{"sources": [UPLOAD], **data})
        request = task_service_pb2.AttachMediaRequest(task_id=task_id, data=spec)
        return (await self.tasks.AttachMedia(request)).operation

    async def set_use_cache(self, task_id: int, use_cache: bool) -> task_pb2.Task:
        request = task_service_pb2.SetUseCacheRequest(id=task_id, use_cache=use_cache)
        return (await self.tasks.SetUseCache(request)).task

    async def grant(self, **target: int) -> task_service_pb2.GetMediaGrantResponse:
        return await self.tasks.GetMediaGrant(task_service_pb2.GetMediaGrantRequest(**target))

    async def job(self, job_id: int) -> job_pb2.Job:
        return (await self.jobs.GetJob(job_service_pb2.GetJobRequest(id=job_id))).job

    async def list_jobs(self, **fields: Any) -> list[job_pb2.Job]:
        """All jobs that are found, page by page."""
        request = job_service_pb2.ListJobsRequest(**fields)
        return [item async for item in pages(self.jobs.ListJobs, request, "jobs")]

    async def update_job(self, job_id: int, *paths: str, **fields: Any) -> job_pb2.Job:
        job = job_pb2.Job(id=job_id, **fields)
        request = job_service_pb2.UpdateJobRequest(
            job=job, update_mask=FieldMask(paths=paths or list(fields))
        )
        return (await self.jobs.UpdateJob(request)).job

    async def operation(self, name: str) -> operation_pb2.Operation:
        request = operation_service_pb2.GetOperationRequest(name=name)
        return (await self.operations.GetOperation(request)).operation

    async def cancel(self, name: str) -> operation_pb2.Operation:
        request = operation_service_pb2.CancelOperationRequest(name=name)
        return (await self.operations.CancelOperation(request)).operation


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbours:
    """Identity and media_ingest, as far as they are heard on the bus."""

    facts: Facts

    async def publish(self, event: Message, key: int, source: str) -> None:
        """Puts a fact on the bus."""
        await self.facts.publish(event, key, source)

    async def introduce(self, *people: auth.Principal) -> None:
        """Identity tells of accounts."""
        for person in people:
            user = user_pb2.User(
                id=person.user_id, username=person.username, is_active=True, role=ROLES[person.role]
            )
            await self.publish(identity_events_pb2.UserCreated(user=user), person.user_id, "identity")

    async def index(self, task: task_pb2.Task, size: int, *, is_video: bool = True, **fields: Any) -> None:
        """Media_ingest tells that the media of a task is ready."""
        kind = media_pb2.MEDIA_KIND_VIDEO if is_video else media_pb2.MEDIA_KIND_IMAGES
        media = media_pb2.Media(id=task.media_id, task_id=task.id, kind=kind, size=size, source_frames=size)
        media.state = media_pb2.MEDIA_STATE_READY
        media.width, media.height = 640, 480
        media.data.CopyFrom(
            media_pb2.DataParameters(image_quality=70, stop_frame=size - 1, frame_step=1, chunk_size=36)
        )
        media.plan.CopyFrom(BlobRef(key=f"media/{task.media_id}/plan", size_bytes=1, sha256="0" * 64))
        media.MergeFrom(media_pb2.Media(**fields))
        await self.publish(media_events_pb2.MediaIndexed(media=media), task.id, "media_ingest")

    async def fail(self, task: task_pb2.Task, error: errors.YardError) -> None:
        """Media_ingest tells that there is no media."""
        event = media_events_pb2.MediaFailed(
            media_id=task.media_id, task_id=task.id, error=errors.to_status(error)
        )
        await self.publish(event, task.id, "media_ingest")

    async def ready_task(
        self, client: Client, size: int = 20, *, is_video: bool = True, **fields: Any
    ) -> tuple[task_pb2.Task, list[job_pb2.Job]]:
        """A new task with frames and its jobs in frame order."""
        task = await client.new_task(**fields)
        operation = await client.attach(task.id)
        await self.index(await client.task(task.id), size, is_video=is_video)
        await finished(client, operation)
        return await client.task(task.id), await client.list_jobs(task_id=task.id)


async def finished(client: Client, operation: operation_pb2.Operation) -> operation_pb2.Operation:
    """The operation in its final state."""

    async def final() -> operation_pb2.Operation | None:
        found = await client.operation(operation.name)
        return found if found.HasField("finish_time") else None

    found = await eventually(final)
    assert found is not None
    return found


async def pages(method: Any, request: Any, field: str) -> AsyncIterator[Any]:
    """What all pages hold."""
    while True:
        answer = await method(request)
        for item in getattr(answer, field):
            yield item
        if not answer.next_page_token:
            return
        request.page_token = answer.next_page_token


async def emitted(running: Running, key: int) -> list[Any]:
    """The events of a key in their order."""
    rows = await running.runtime.db.fetch(
        "SELECT type, body FROM outbox WHERE key = $1 ORDER BY key_version", str(key)
    )
    return [_parsed(row["type"].rpartition(".")[2], row["body"]) for row in rows]


def _parsed(name: str, body: bytes) -> Message:
    module = next(module for module in _EVENTS if hasattr(module, name))
    event: Message = getattr(module, name).FromString(body)
    return event
