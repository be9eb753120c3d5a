"""What is exported, as formats and handlers know it."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from yard.annotations.labels import LabelSchema

Mode = Literal["annotation", "interpolation"]

KEPT = timedelta(days=1)
_NOT_IN_NAMES = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*]')
LONGEST_NAME = 120
LONGEST_FILE_NAME = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What an export is of: a project, or a task, or with `job_id` a job of it; the others are 0."""

    task_id: int = 0
    job_id: int = 0
    project_id: int = 0

    @property
    def name(self) -> str:
        """As operations call it."""
        if self.project_id:
            return f"projects/{self.project_id}"
        return f"jobs/{self.job_id}" if self.job_id else f"tasks/{self.task_id}"

    @property
    def event_key(self) -> str:
        """Events of the same key come in order."""
        return f"project-{self.project_id}" if self.project_id else str(self.task_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """The relative frames first..last of a job, both included."""

    job_id: int
    first: int
    last: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """The task that is exported, or the job of it; `frames` of the subject are first..last."""

    task_id: int
    job_id: int
    name: str
    mode: Mode
    subset: str
    issue_tracker: str
    owner: str
    assignee: str
    created: datetime
    updated: datetime
    overlap: int
    start_frame: int
    frame_step: int
    first: int
    last: int
    width: int
    height: int
    segments: tuple[Segment, ...]
    labels: LabelSchema
    media_id: str

    deleted: tuple[tuple[int, int], ...] = ()
    """Runs of deleted frames, first and last included, ascending: no format writes them."""

    @property
    def size(self) -> int:
        """Number of frames, deleted ones too."""
        return self.last - self.first + 1

    @property
    def subset_name(self) -> str:
        """The subset as part of file names; "default" if the task has none."""
        return clean_name(self.subset) or "default"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectSubject:
    """The project that is exported; all its tasks share its labels."""

    project_id: int
    name: str
    issue_tracker: str
    owner: str
    assignee: str
    created: datetime
    updated: datetime
    labels: LabelSchema
    tasks: tuple[Subject, ...]
    """Those with frames, by id."""


def archive_name(
    whole: Subject | ProjectSubject, format_name: str, extension: str, *, with_images: bool
) -> str:
    """File name to offer to the user, lower case, without folders."""
    what = "dataset" if with_images else "annotations"
    if isinstance(whole, ProjectSubject):
        whose = f"project_{clean_name(whole.name)}"
    else:
        whose = f"job_{whole.job_id}" if whole.job_id else f"task_{clean_name(whole.name)}"
    stamp = time_of_name(whole.updated)
    return f"{whose}_{what}_{stamp}_{format_name}.{extension}".lower()


@dataclass(frozen=True, slots=True, order=True)
class LeftOut:
    """Objects that the format cannot hold."""

    kind: str
    reason: str
    count: int


def fault_of_file_name(name: str) -> str | None:
    """What is wrong with a name that a client wants an archive to be offered under; None if it is good."""
    if len(name) > LONGEST_FILE_NAME:
        return f"must have at most {LONGEST_FILE_NAME} characters, got {len(name)}"
    if name in (".", "..") or any(mark in "/\\" or not mark.isprintable() for mark in name):
        return f"must be a name without folders and control characters, got {name[:80]!r}"
    return None


def time_of_name(moment: datetime) -> str:
    """A time as part of file names."""
    return moment.strftime("%Y_%m_%d_%H_%M_%S")


def clean_name(name: str) -> str:
    """The name without what file systems refuse, at most 120 characters."""
    return _NOT_IN_NAMES.sub("_", name).strip(" .")[:LONGEST_NAME]
