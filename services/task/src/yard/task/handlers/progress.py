"""The numbers of jobs of tasks and projects: the one place where they change, and where it is told.

A project counts the tasks that are not deleted themselves, whether or not it is deleted. Everybody locks a
task before its project, in which the numbers are the last that a transaction changes.
"""

from frameyard.task.v1.task_events_pb2 import ProjectProgressed, TaskProgressed
from yard.runtime.db import Transaction
from yard.task.domain.progress import Counts
from yard.task.handlers.messages import counts_to_proto
from yard.task.store import projects as project_store
from yard.task.store import tasks as store


async def jobs_changed(tx: Transaction, task_id: int, change: Counts) -> None:
    """Jobs of a task were made, or moved from one status to another: its numbers and its project's follow."""
    task = await store.count_jobs(tx, task_id, change)
    progressed = TaskProgressed(task_id=task_id, status=task.jobs.status, jobs=counts_to_proto(task.jobs))
    await tx.emit(progressed, key=str(task_id))
    if task.project_id is not None and not task.is_hidden:
        await _count(tx, task.project_id, change)


async def task_came(tx: Transaction, task_id: int) -> None:
    """A task was made or brought back: its project, if it has one, counts it from now on."""
    task = await store.numbers_of(tx, task_id)
    if task.project_id is not None:
        await _count(tx, task.project_id, task.jobs, tasks=1)


async def task_hidden(tx: Transaction, task_id: int) -> None:
    """A task was deleted: its project, if it has one, does not count it any more."""
    task = await store.numbers_of(tx, task_id)
    if task.project_id is not None:
        await _count(tx, task.project_id, -task.jobs, tasks=-1)


async def task_moved(tx: Transaction, task_id: int, from_project_id: int | None) -> None:
    """A task that is not deleted is in another project by now, or in none."""
    task = await store.numbers_of(tx, task_id)
    if task.project_id == from_project_id:
        return
    changes = {from_project_id: (-task.jobs, -1), task.project_id: (task.jobs, 1)}
    # By id, so that moves that cross each other do not wait for each other.
    for project_id in sorted(id_ for id_ in changes if id_ is not None):
        jobs, tasks = changes[project_id]
        await _count(tx, project_id, jobs, tasks=tasks)


async def _count(tx: Transaction, project_id: int, change: Counts, *, tasks: int = 0) -> None:
    project = await project_store.count(tx, project_id, change, tasks=tasks)
    if project.is_hidden:
        return
    progressed = ProjectProgressed(
        project_id=project_id,
        status=project.jobs.status,
        jobs=counts_to_proto(project.jobs),
        task_count=project.tasks,
    )
    await tx.emit(progressed, key=str(project_id))
