"""What the caller may see and do; absent, hidden and forbidden answer alike."""

from yard.runtime import auth, errors
from yard.runtime.auth import Principal
from yard.task.domain import rights
from yard.task.domain.rows import Job, Task
from yard.task.store import Reader
from yard.task.store import jobs as job_store
from yard.task.store import tasks as store


async def readable_task(reader: Reader, task_id: int) -> Task:
    """The task, if the caller has to do with it or with one of its jobs; NotFound otherwise."""
    task = await store.task_of(reader, task_id)
    principal = auth.current()
    if task is not None and rights.sees_whole_task(principal, task):
        return task
    if task is None or not await job_store.works_on_any(reader, task_id, principal.user_id):
        raise errors.NotFound("task", task_id)
    return task


async def readable_job(reader: Reader, job_id: int) -> tuple[Job, Task]:
    """The job and its task, if the caller works on it or sees the whole task; NotFound otherwise."""
    job = await job_store.job_of(reader, job_id)
    task = None if job is None else await store.task_of(reader, job.task_id)
    if job is None or task is None or not _sees_job(auth.current(), task, job):
        raise errors.NotFound("job", job_id)
    return job, task


def may_annotate(principal: Principal, task: Task, job: Job) -> bool:
    """The assignee in annotation, then the reviewer; who answers for task or project; administrators."""
    return rights.may_annotate(principal, task, job)


def check_may_annotate(task: Task, job: Job) -> None:
    """PermissionDenied for callers who see the job but may not write to it now."""
    if not rights.may_annotate(auth.current(), task, job):
        raise errors.PermissionDenied(
            f"job {job.id} is not yours to annotate in its present stage", reason="NOT_YOUR_TURN"
        )


def _sees_job(principal: Principal, task: Task, job: Job) -> bool:
    return rights.sees_whole_task(principal, task) or rights.works_on(principal, job)
