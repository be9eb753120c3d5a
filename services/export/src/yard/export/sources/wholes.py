"""What is exported, in the name of the caller and as the service itself."""

import asyncio
from dataclasses import dataclass, replace

from frameyard.annotation.v1.annotation_service_pb2 import AnnotationTarget, GetDeletedFramesRequest
from frameyard.export.v1.export_service_pb2 import CreateExportRequest
from frameyard.task.v1 import project_pb2, project_service_pb2
from yard.export.domain import ProjectSubject, Subject, Target
from yard.export.intakes.label_messages import labels_of
from yard.export.sources.channels import Channels
from yard.export.sources.tasks import subject_and_revision, subjects_in, time_of, visible_task
from yard.runtime import auth, errors
from yard.runtime.rpc import translated

AT_ONCE = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """A subject with the revision of the annotations of each of its tasks, as they are now."""

    subject: Subject | ProjectSubject
    revisions: tuple[int, ...]

    @property
    def parts(self) -> tuple[Subject, ...]:
        """The tasks, or the one."""
        return self.subject.tasks if isinstance(self.subject, ProjectSubject) else (self.subject,)


async def visible_target(channels: Channels, authorization: str, target: Target) -> Target:
    """The target with the task of a job; NotFound or PermissionDenied unless the caller sees the whole."""
    if target.project_id:
        await _check_sees_project(channels, authorization, target.project_id)
        return target
    task_id = 0 if target.job_id else target.task_id
    task = await visible_task(channels, authorization, task_id=task_id, job_id=target.job_id)
    return replace(target, task_id=task.id)


async def whole_of(channels: Channels, request: CreateExportRequest) -> Whole:
    """The subject as it is now, read as the service itself; FailedPrecondition if there are no frames yet."""
    if request.project_id:
        found = await _project(channels, request.project_id)
    else:
        subject, revision = await subject_and_revision(channels, request)
        found = Whole(subject=subject, revisions=(revision,))
    limit = asyncio.Semaphore(AT_ONCE)
    parts = await asyncio.gather(*(_with_deleted(channels, part, limit) for part in found.parts))
    if isinstance(found.subject, ProjectSubject):
        return replace(found, subject=replace(found.subject, tasks=tuple(parts)))
    return replace(found, subject=parts[0])


async def _check_sees_project(channels: Channels, authorization: str, project_id: int) -> None:
    """Its owner, its assignee, administrators and services: only they see also the tasks that will come."""
    with translated():
        request = project_service_pb2.GetProjectRequest(id=project_id)
        metadata = (("authorization", authorization),)
        project = (await channels.projects_for_caller.GetProject(request, metadata=metadata)).project
    caller = auth.current()
    if not (
        caller.is_admin or caller.is_service or caller.user_id in (project.owner.id, project.assignee.id)
    ):
        raise errors.PermissionDenied(
            f"of project {project_id} you see single tasks only: ask for one of them"
        )


async def _project(channels: Channels, project_id: int) -> Whole:
    with translated():
        request = project_service_pb2.GetProjectRequest(id=project_id)
        project = (await channels.projects.GetProject(request)).project
        found = await subjects_in(channels, project_id, labels_of(project.labels))
    if not found:
        reason = "PROJECT_NOT_READY"
        raise errors.FailedPrecondition(f"project {project_id} has no task with frames yet", reason=reason)
    subject = _project_subject(project, tuple(subject for subject, _ in found))
    return Whole(subject=subject, revisions=tuple(revision for _, revision in found))


def _project_subject(project: project_pb2.Project, tasks: tuple[Subject, ...]) -> ProjectSubject:
    return ProjectSubject(
        project_id=project.id,
        name=project.name,
        issue_tracker=project.issue_tracker,
        owner=project.owner.username,
        assignee=project.assignee.username,
        created=time_of(project.create_time.ToMicroseconds()),
        updated=time_of(project.update_time.ToMicroseconds()),
        labels=tasks[0].labels,
        tasks=tasks,
    )


async def _with_deleted(channels: Channels, subject: Subject, limit: asyncio.Semaphore) -> Subject:
    if subject.job_id:
        target = AnnotationTarget(job_id=subject.job_id)
    else:
        target = AnnotationTarget(task_id=subject.task_id)
    async with limit:
        with translated():
            answer = await channels.annotations.GetDeletedFrames(GetDeletedFramesRequest(target=target))
    return replace(subject, deleted=tuple((run.first, run.last) for run in answer.deleted))
