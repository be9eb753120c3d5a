"""The table of rights: who may do what to whose task."""

from datetime import UTC, datetime
from typing import Any

import pytest
from frameyard.task.v1.job_pb2 import JOB_STAGE_ACCEPTANCE, JOB_STAGE_ANNOTATION, JOB_STAGE_VALIDATION
from yard.runtime.auth import Principal, Role
from yard.task.domain import rights
from yard.task.domain.rows import Job, Project, Task

NOW = datetime(2026, 1, 1, tzinfo=UTC)
OWNER, ASSIGNEE, PROJECT_OWNER, PROJECT_ASSIGNEE, ANNOTATOR, REVIEWER, STRANGER = range(1, 8)
_UNSET: dict[str, Any] = dict.fromkeys(Task.__dataclass_fields__)
TASK = Task(
    **{
        **_UNSET,
        "owner_id": OWNER,
        "assignee_id": ASSIGNEE,
        "project_owner_id": PROJECT_OWNER,
        "project_assignee_id": PROJECT_ASSIGNEE,
    }
)
PROJECT = Project(
    id=1,
    name="",
    owner_id=PROJECT_OWNER,
    assignee_id=PROJECT_ASSIGNEE,
    issue_tracker="",
    created_at=NOW,
    updated_at=NOW,
)


def job(stage: int) -> Job:
    unset: dict[str, Any] = dict.fromkeys(Job.__dataclass_fields__)
    return Job(**{**unset, "assignee_id": ANNOTATOR, "reviewer_id": REVIEWER, "stage": stage})


def person(user_id: int, role: Role = "user") -> Principal:
    return Principal(user_id=user_id, username=str(user_id), role=role)


ADMIN = person(99, "admin")
SERVICE = Principal(user_id=0, username="export", role="service", service="export")
DRAWING, CHECKING, ACCEPTING = map(job, (JOB_STAGE_ANNOTATION, JOB_STAGE_VALIDATION, JOB_STAGE_ACCEPTANCE))
STAFF = {OWNER, ASSIGNEE}
ALL_STAFF = STAFF | {PROJECT_OWNER, PROJECT_ASSIGNEE}
RULES: list[tuple[str, Any, set[int], bool, bool]] = [
    # rule, its check, people who may, administrators, services
    ("change project", lambda p: rights.may_change_project(p, PROJECT), {3, 4}, True, False),
    ("delete project", lambda p: rights.may_delete_project(p, PROJECT), {PROJECT_OWNER}, True, False),
    ("give project away", lambda p: rights.may_give_away_project(p, PROJECT), {PROJECT_OWNER}, True, False),
    ("give task away", lambda p: rights.may_give_away_task(p, TASK), {OWNER}, True, False),
    ("change task", lambda p: rights.may_change_task(p, TASK), STAFF, True, False),
    ("delete task", lambda p: rights.may_delete_task(p, TASK), {OWNER}, True, False),
    ("see whole task", lambda p: rights.sees_whole_task(p, TASK), ALL_STAFF, True, True),
    ("assign", lambda p: rights.may_assign(p, TASK), ALL_STAFF, True, False),
    ("work on", lambda p: rights.works_on(p, DRAWING), {ANNOTATOR, REVIEWER}, False, False),
    ("draw", lambda p: rights.may_annotate(p, TASK, DRAWING), ALL_STAFF | {ANNOTATOR}, True, False),
    ("check", lambda p: rights.may_annotate(p, TASK, CHECKING), ALL_STAFF | {REVIEWER}, True, False),
    ("accept", lambda p: rights.may_annotate(p, TASK, ACCEPTING), ALL_STAFF | {REVIEWER}, True, False),
]


@pytest.mark.parametrize(("name", "check", "people", "admin", "service"), RULES, ids=[r[0] for r in RULES])
def test_rules(name: str, check: Any, people: set[int], admin: bool, service: bool) -> None:
    assert {user_id for user_id in range(1, 8) if check(person(user_id))} == people
    assert {user_id for user_id in range(1, 8) if check(person(user_id, "worker"))} == people
    assert (check(ADMIN), check(SERVICE)) == (admin, service)


def test_a_service_is_no_user_without_id() -> None:
    nobodys = Job(**{**dict.fromkeys(Job.__dataclass_fields__), "assignee_id": 0, "stage": 1})  # type: ignore[arg-type]
    assert not rights.works_on(SERVICE, nobodys)


def test_who_makes_things() -> None:
    assert rights.may_create(person(1))
    assert rights.may_create(ADMIN)
    assert not rights.may_create(person(1, "worker"))
    assert not rights.may_create(SERVICE)
    assert rights.may_create_for_others(ADMIN)
    assert rights.may_create_for_others(SERVICE)
    assert not rights.may_create_for_others(person(1))
