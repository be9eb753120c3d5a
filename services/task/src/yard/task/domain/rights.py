"""Who may do what: one rule a function, tested as a matrix."""

from __future__ import annotations

from frameyard.task.v1 import job_pb2
from yard.runtime.auth import Principal
from yard.task.domain.rows import Job, Project, Task


def sees_everything(principal: Principal) -> bool:
    """Administrators, and services that work for somebody who was asked before."""
    return principal.is_admin or principal.is_service


def may_create(principal: Principal) -> bool:
    """Projects and tasks are made by people, but not by workers."""
    return principal.role in ("admin", "user")


def may_create_for_others(principal: Principal) -> bool:
    """Administrators, and services that work for somebody who was asked before."""
    return sees_everything(principal)


def may_change_project(principal: Principal, project: Project) -> bool:
    """Also: may make tasks in it."""
    return principal.is_admin or _is_one_of(principal, project.staff)


def may_delete_project(principal: Principal, project: Project) -> bool:
    """Owner and administrators."""
    return principal.is_admin or _is_one_of(principal, frozenset({project.owner_id}))


def may_give_away_project(principal: Principal, project: Project) -> bool:
    """The same."""
    return may_delete_project(principal, project)


def may_change_task(principal: Principal, task: Task) -> bool:
    """Also: may give it media."""
    return principal.is_admin or _is_one_of(principal, task.staff)


def may_delete_task(principal: Principal, task: Task) -> bool:
    """Owner and administrators."""
    return principal.is_admin or _is_one_of(principal, frozenset({task.owner_id}))


def may_give_away_task(principal: Principal, task: Task) -> bool:
    """The same."""
    return may_delete_task(principal, task)


def sees_whole_task(principal: Principal, task: Task) -> bool:
    """Whether all jobs and all pixels are the caller's business."""
    return sees_everything(principal) or _is_one_of(principal, task.all_staff)


def may_assign(principal: Principal, task: Task) -> bool:
    """Assignee, reviewer and stage of its jobs."""
    return principal.is_admin or _is_one_of(principal, task.all_staff)


def works_on(principal: Principal, job: Job) -> bool:
    """Assignee or reviewer, in any stage."""
    return _is_one_of(principal, frozenset({job.assignee_id, job.reviewer_id}))


def is_turn_of(principal: Principal, job: Job) -> bool:
    """The assignee while the stage is annotation, the reviewer while it is validation or acceptance."""
    is_annotation = job.stage == job_pb2.JOB_STAGE_ANNOTATION
    return _is_one_of(principal, frozenset({job.assignee_id if is_annotation else job.reviewer_id}))


def may_annotate(principal: Principal, task: Task, job: Job) -> bool:
    """Also: may change the job's state."""
    return may_assign(principal, task) or is_turn_of(principal, job)


def _is_one_of(principal: Principal, people: frozenset[int] | frozenset[int | None]) -> bool:
    return not principal.is_service and principal.user_id in people
