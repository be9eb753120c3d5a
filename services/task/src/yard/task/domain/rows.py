"""Projects, tasks, jobs, labels and people as they are stored."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from frameyard.identity.v1.user_pb2 import ROLE_UNSPECIFIED

if TYPE_CHECKING:
    from frameyard.identity.v1.user_pb2 import Role
    from frameyard.media.v1.media_pb2 import MediaState
    from frameyard.task.v1.job_pb2 import JobStage, JobState, JobStatus
    from frameyard.task.v1.task_pb2 import SyncStatus, TaskMode


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody with an account, as identity told last; `role` is unspecified if it has not told yet."""

    id: int
    username: str
    is_active: bool
    role: Role.ValueType = ROLE_UNSPECIFIED


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """Groups tasks and owns their labels."""

    id: int
    name: str
    owner_id: int
    assignee_id: int | None
    issue_tracker: str
    created_at: datetime
    updated_at: datetime

    @property
    def staff(self) -> frozenset[int]:
        """Who answers for it: owner and assignee."""
        return staff_of(self.owner_id, self.assignee_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A task and who answers for its project; `data`, `plan` and `media_error` are serialised messages."""

    id: int
    name: str
    project_id: int | None
    project_owner_id: int | None
    project_assignee_id: int | None
    owner_id: int
    assignee_id: int | None
    issue_tracker: str
    subset: str
    wanted_segment_size: int | None
    wanted_overlap: int | None
    segment_size: int
    overlap: int
    mode: TaskMode.ValueType
    media_state: MediaState.ValueType
    media_id: UUID | None
    media_operation: UUID | None
    size: int
    width: int
    height: int
    data: bytes | None
    plan: bytes | None
    media_error: bytes | None
    media_warnings: list[str]
    repository_location: str
    repository_use_lfs: bool
    repository_format: str
    sync_status: SyncStatus.ValueType
    sync_message: str
    jobs_total: int
    jobs_annotation: int
    jobs_validation: int
    jobs_completed: int
    status: JobStatus.ValueType
    created_at: datetime
    updated_at: datetime

    @property
    def staff(self) -> frozenset[int]:
        """Who answers for the task itself: owner and assignee."""
        return staff_of(self.owner_id, self.assignee_id)

    @property
    def all_staff(self) -> frozenset[int]:
        """Who answers for the task or its project."""
        return self.staff | staff_of(self.project_owner_id, self.project_assignee_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """The work on the relative frames `first_frame` to `last_frame`, both included."""

    id: int
    task_id: int
    segment: int
    first_frame: int
    last_frame: int
    assignee_id: int | None
    reviewer_id: int | None
    stage: JobStage.ValueType
    state: JobState.ValueType
    status: JobStatus.ValueType
    started_at: datetime | None
    work_s: float
    active_at: datetime | None
    revision: int
    created_at: datetime
    updated_at: datetime


def staff_of(*ids: int | None) -> frozenset[int]:
    """Those of the ids that are somebody's."""
    return frozenset(id_ for id_ in ids if id_ is not None)
