"""What must hold in the JSON of a backup, beside what the services check that get it."""

import math
import re
from collections.abc import Sequence
from typing import Final

from frameyard.export.v1 import backup_pb2 as messages
from frameyard.media.v1.media_pb2 import DataSpec
from yard.annotations.labels import label_faults
from yard.export.archives.refusals import Refusals
from yard.export.backups.layout import TASK
from yard.export.backups.numbering import numbered
from yard.export.intakes.label_messages import labels_of

_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_MOST_JOBS: Final = 100_000
_MOST_FRAMES: Final = 2**31 - 1
_LONGEST_MESSAGE: Final = 4_096
_MOST_NUMBERS: Final = 10_000


def check_definition(task: messages.BackupTask, kind: str, place: str, refusals: Refusals) -> None:
    """Of a task: labels only where they belong, frames within its size, sources if it has frames."""
    if not task.name.strip():
        refusals.add(f"{place}: name", "must not be empty")
    if kind != TASK and task.labels:
        refusals.add(f"{place}: labels", "belong to the project")
    for fault in label_faults(labels_of(numbered(task.labels)).labels):
        refusals.add(f"{place}: {fault.field}", fault.description)
    if not 0 <= task.size <= _MOST_FRAMES:
        refusals.add(f"{place}: size", f"must be 0 to {_MOST_FRAMES}, got {task.size}")
    for number, run in enumerate(task.deleted_frames):
        if not 0 <= run.first <= run.last < task.size:
            refusals.add(f"{place}: deleted_frames[{number}]", f"must lie in 0 to {task.size - 1}")
    _check_sources(task, place, refusals)


def _check_sources(task: messages.BackupTask, place: str, refusals: Refusals) -> None:
    if task.size and not task.data.sources:
        refusals.add(f"{place}: data.sources", "must name at least one source")
    for number, source in enumerate(task.data.sources):
        if source.WhichOneof("origin") is None:
            refusals.add(f"{place}: data.sources[{number}]", "must be an upload, a share or addresses")


def check_jobs(
    jobs: Sequence[messages.BackupJob], task: messages.BackupTask, place: str, refusals: Refusals
) -> None:
    """They cover the task in order."""
    if not 1 <= len(jobs) <= _MOST_JOBS:
        refusals.add(place, f"must have 1 to {_MOST_JOBS} jobs, got {len(jobs)}")
    reached, begun = -1, -1
    for number, job in enumerate(jobs):
        first, last = job.frames.first, job.frames.last
        if not (begun < first <= reached + 1 and reached < last < task.size):
            refusals.add(f"{place}: line {number + 1}", f"{first} to {last} do not follow the job before")
        begun, reached = first, last
        if not (job.stage and job.state):
            refusals.add(f"{place}: line {number + 1}", "needs a stage and a state")
    if jobs and reached != task.size - 1:
        refusals.add(place, f"ends with frame {reached}, the task with {task.size - 1}")


def check_file(file: messages.BackupFile, data: DataSpec, last: int, place: str, refusals: Refusals) -> bool:
    """Whether it belongs to an upload, not before the source `last`."""
    if not last <= file.source < len(data.sources):
        refusals.add(place, f"the source {file.source} is not one of the task, in their order")
        return False
    if data.sources[file.source].WhichOneof("origin") != "upload":
        refusals.add(place, f"the source {file.source} is no upload")
    if not _SHA256.fullmatch(file.sha256):
        refusals.add(place, "sha256 must be 64 hexadecimal digits")
    return True


def check_issue(
    issue: messages.BackupIssue, jobs: Sequence[messages.BackupJob], place: str, refusals: Refusals
) -> None:
    """It lies in a job, and somebody has said something."""
    frames = jobs[issue.job].frames if 0 <= issue.job < len(jobs) else None
    if frames is None:
        refusals.add(place, f"there is no job {issue.job}")
    elif not frames.first <= issue.frame <= frames.last:
        refusals.add(place, f"frame {issue.frame} is not one of the job {issue.job}")
    if not 2 <= len(issue.position) <= _MOST_NUMBERS or len(issue.position) % 2:
        refusals.add(place, f"position must be x, y pairs, got {len(issue.position)} numbers")
    if not all(map(math.isfinite, issue.position)):
        refusals.add(place, "position must be numbers of pixels")
    if not issue.comments:
        refusals.add(place, "needs a comment")
    for comment in issue.comments:
        if not comment.message.strip() or len(comment.message) > _LONGEST_MESSAGE:
            refusals.add(place, f"a comment must have 1 to {_LONGEST_MESSAGE} characters")
