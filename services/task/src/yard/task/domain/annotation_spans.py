"""Frames of a task cut where the jobs that see them change."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from yard.task.domain.rows import Job


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """The frames first to last, both included, and the jobs that see all of them, in frame order."""

    first: int
    last: int
    jobs: tuple[Job, ...]


def spans(jobs: Sequence[Job], first: int, last: int) -> Iterator[Span]:
    """All spans of these frames that a job sees, ascending; jobs are in frame order."""
    ends = {job.last_frame + 1 for job in jobs} | {job.first_frame for job in jobs}
    cuts = sorted({first, last + 1} | {cut for cut in ends if first < cut <= last})
    waiting, open_ = list(reversed(jobs)), list[Job]()
    for begin, end in pairwise(cuts):
        while waiting and waiting[-1].first_frame <= begin:
            open_.append(waiting.pop())
        open_ = [job for job in open_ if job.last_frame >= begin]
        if open_:
            yield Span(first=begin, last=end - 1, jobs=tuple(open_))
