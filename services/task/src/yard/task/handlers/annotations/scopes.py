"""Whose annotations a request is about."""

from collections.abc import Iterable
from dataclasses import dataclass

from frameyard.annotation.v1.annotation_service_pb2 import AnnotationTarget
from yard.annotations.slicing import Window
from yard.runtime import auth, errors
from yard.runtime.db import Transaction
from yard.task.domain import rights
from yard.task.domain.annotation_changes import Site
from yard.task.domain.rows import Job, Task
from yard.task.handlers.access import check_may_annotate, may_annotate, readable_job, readable_task
from yard.task.store import Reader
from yard.task.store import jobs as job_store


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """One job of a task, or all of them in frame order."""

    task: Task
    jobs: tuple[Job, ...]
    is_job: bool

    @property
    def revision(self) -> int:
        """Of the job, or of all of them together."""
        return sum(job.revision for job in self.jobs)

    @property
    def revisions(self) -> dict[int, int]:
        """By job."""
        return {job.id: job.revision for job in self.jobs}

    @property
    def sites(self) -> list[Site]:
        """The jobs as places for objects."""
        return [
            Site(job_id=job.id, window=Window(job.first_frame, job.last_frame), is_whole=self.is_job)
            for job in self.jobs
        ]

    @property
    def pictures(self) -> tuple[object, ...]:
        """What sizes of frames follow from."""
        return (self.task.mode, self.task.size, self.task.width, self.task.height, self.task.plan)

    @property
    def job_id(self) -> int | None:
        """Id of the job, None if it is the whole task."""
        return self.jobs[0].id if self.is_job else None

    @property
    def window(self) -> Window:
        """Frames that objects may be on."""
        if self.is_job:
            return Window(self.jobs[0].first_frame, self.jobs[0].last_frame)
        return Window(0, self.task.size - 1)


async def scope_of(reader: Reader, target: AnnotationTarget) -> Scope:
    """What the caller may read; NotFound if that is nothing."""
    which = target.WhichOneof("target")
    if which is None:
        raise errors.invalid("target", "must name a job or a task")
    if which == "job_id":
        job, task = await readable_job(reader, target.job_id)
        return Scope(task=task, jobs=(job,), is_job=True)
    task = await readable_task(reader, target.task_id)
    jobs = await job_store.jobs_of_task(reader, target.task_id)
    check_sees_all(task, jobs)
    return Scope(task=task, jobs=tuple(jobs), is_job=False)


async def locked(tx: Transaction, target: AnnotationTarget) -> Scope:
    """The same with the jobs locked, as they are now."""
    if target.WhichOneof("target") == "job_id":
        await job_store.job_of(tx, target.job_id, lock=True)
    else:
        await job_store.jobs_of_task(tx, target.task_id, lock=True)
    return await scope_of(tx, target)


def check_sees_all(task: Task, jobs: Iterable[Job]) -> None:
    """PermissionDenied for who sees the task because of some of its jobs, and not the others."""
    principal = auth.current()
    is_all = rights.sees_whole_task(principal, task) or all(rights.works_on(principal, job) for job in jobs)
    if not is_all:
        raise errors.PermissionDenied(f"of task {task.id} you see single jobs only: ask for one of them")


def check_has_frames(scope: Scope) -> None:
    """FailedPrecondition for a task that has no jobs yet."""
    if not scope.jobs:
        raise errors.FailedPrecondition(
            f"task {scope.task.id} has no frames to annotate yet", reason="MEDIA_NOT_READY"
        )


def check_may_write(scope: Scope, job_ids: frozenset[int] | None = None) -> None:
    """PermissionDenied unless the caller may write to these jobs; without ids to one at least."""
    if job_ids is None and any(may_annotate(auth.current(), scope.task, job) for job in scope.jobs):
        return
    for job in scope.jobs:
        if job_ids is None or job.id in job_ids:
            check_may_annotate(scope.task, job)
