"""Issues of jobs and what is said about them: as they are stored, and the rules of their fields."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from yard.runtime.errors import Violation
from yard.task.domain import rights

if TYPE_CHECKING:
    from yard.runtime.auth import Principal
    from yard.task.domain.rows import Job, Task

LONGEST_MESSAGE: Final = 4_096
MOST_NUMBERS: Final = 10_000
# Beside the picture, where a circle drawn around something at its edge has its corners.
_FARTHEST: Final = 1_000_000.0
_LINE_BREAKS: Final = "\n\r\t"


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """Something that was found on a relative frame of a job; `position` is x, y pairs in pixels."""

    id: int
    task_id: int
    job_id: int
    frame: int
    position: Sequence[float]
    owner_id: int
    assignee_id: int | None
    resolved: bool
    comment_count: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """What somebody says about an issue."""

    id: int
    issue_id: int
    owner_id: int
    message: str
    created_at: datetime
    updated_at: datetime


def may_change(principal: Principal, issue: Issue, job: Job, task: Task) -> bool:
    """Who opened it, who is to deal with it, who works on the job, who answers for the task."""
    if principal.is_service:
        return False
    is_named = principal.user_id in {issue.owner_id, issue.assignee_id}
    return is_named or rights.works_on(principal, job) or rights.may_assign(principal, task)


def may_delete(principal: Principal, issue: Issue, task: Task) -> bool:
    """Who opened it, and who answers for the task."""
    if principal.is_service:
        return False
    return principal.user_id == issue.owner_id or rights.may_assign(principal, task)


def is_own(principal: Principal, comment: Comment) -> bool:
    """Whether the caller has written it."""
    return not principal.is_service and principal.user_id == comment.owner_id


def message_violations(message: str) -> Iterator[Violation]:
    """1 to 4096 characters that can be shown, in one line or several."""
    if not message.strip() or len(message) > LONGEST_MESSAGE:
        yield Violation("message", f"must have 1 to {LONGEST_MESSAGE} characters, got {len(message)}")
    elif any(unicodedata.category(char) in {"Cc", "Cs"} and char not in _LINE_BREAKS for char in message):
        yield Violation("message", "must not hold control characters other than line breaks and tabs")


def position_violations(position: Sequence[float], field: str = "position") -> Iterator[Violation]:
    """x, y pairs of finite numbers."""
    if not 2 <= len(position) <= MOST_NUMBERS or len(position) % 2:
        yield Violation(field, f"must be x, y pairs, 2 to {MOST_NUMBERS} numbers, got {len(position)}")
        return
    for number, value in enumerate(position):
        if not math.isfinite(value) or abs(value) > _FARTHEST:
            yield Violation(f"{field}[{number}]", f"must be a number of pixels, got {value}")
            return


def frame_violations(frame: int, job: Job) -> Iterator[Violation]:
    """One of the job's frames."""
    if not job.first_frame <= frame <= job.last_frame:
        yield Violation("frame", f"must be {job.first_frame} to {job.last_frame}, got {frame}")
