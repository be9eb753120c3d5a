"""What the caller may see and do; absent, hidden and forbidden answer alike."""

from yard.runtime import auth, errors
from yard.runtime.auth import Principal
from yard.task.domain import rights
from yard.task.domain.rows import Job, Project, Task
from yard.task.store import Reader
from yard.task.store import jobs as job_store
from yard.task.store import projects as project_store
from yard.task.store import tasks as store


def visible_to(*, deleted: bool = False) -> int | None:
    """Whose things a list shows: the caller's, None: everybody's; of deleted ones who may bring them back."""
    principal = auth.current()
    is_for_all = principal.is_admin if deleted else rights.sees_everything(principal)
    return None if is_for_all else principal.user_id


async def readable_project(reader: Reader, project_id: int, *, lock: str = "") -> Project:
    """The project, if the caller has to do with it or with what is in it; NotFound otherwise."""
    project = await project_store.project_of(reader, project_id, lock=lock)
    principal = auth.current()
    if project is not None and (rights.sees_everything(principal) or principal.user_id in project.staff):
        return project
    if project is None or not await project_store.is_of_user(reader, project_id, principal.user_id):
        raise errors.NotFound("project", project_id)
    return project


async def changeable_project(reader: Reader, project_id: int, *, lock: str = "") -> Project:
    """The project, if the caller may change it and make tasks in it; PermissionDenied for other viewers."""
    project = await readable_project(reader, project_id, lock=lock)
    if not rights.may_change_project(auth.current(), project):
        raise errors.PermissionDenied(f"project {project_id} is changed by its owner and its assignee")
    return project


async def readable_task(reader: Reader, task_id: int, *, lock: bool = False) -> Task:
    """The task, if the caller has to do with it or with one of its jobs; NotFound otherwise."""
    task = await store.task_of(reader, task_id, lock=lock)
    principal = auth.current()
    if task is not None and rights.sees_whole_task(principal, task):
        return task
    if task is None or not await job_store.works_on_any(reader, task_id, principal.user_id):
        raise errors.NotFound("task", task_id)
    return task


async def changeable_task(reader: Reader, task_id: int, *, lock: bool = False) -> Task:
    """The task, if the caller may change it; PermissionDenied for others who see it."""
    task = await readable_task(reader, task_id, lock=lock)
    if not rights.may_change_task(auth.current(), task):
        raise errors.PermissionDenied(f"task {task_id} is changed by its owner and its assignee")
    return task


async def readable_job(reader: Reader, job_id: int, *, lock: bool = False) -> tuple[Job, Task]:
    """The job and its task, if the caller works on it or sees the whole task; NotFound otherwise."""
    job = await job_store.job_of(reader, job_id, lock=lock)
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
