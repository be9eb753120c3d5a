"""How the frames of a task are split into jobs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from frameyard.task.v1 import task_pb2
from yard.runtime.errors import Violation

VIDEO_OVERLAP: Final = 5
MOST_SEGMENTS: Final = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentPlan:
    """Segments of `size` frames, with the segment size and the overlap in force."""

    size: int
    segment_size: int
    overlap: int

    @property
    def count(self) -> int:
        """Number of segments."""
        return len(self._starts)

    def ranges(self) -> Iterator[tuple[int, int]]:
        """First and last relative frame of each segment, in frame order."""
        for start in self._starts:
            yield start, min(start + self.segment_size, self.size) - 1

    @property
    def _starts(self) -> range:
        return range(0, max(1, self.size - self.overlap), self.segment_size - self.overlap)


def plan(
    size: int, segment_size: int | None, overlap: int | None, mode: task_pb2.TaskMode.ValueType
) -> SegmentPlan:
    """The segments of `size` frames (1 or more); None stands for what was not asked for."""
    in_force = size if segment_size is None else min(segment_size, size)
    default = VIDEO_OVERLAP if mode == task_pb2.TASK_MODE_INTERPOLATION else 0
    wanted = default if overlap is None else overlap
    return SegmentPlan(size=size, segment_size=in_force, overlap=min(wanted, in_force // 2))


def violations(segment_size: int | None, overlap: int | None) -> Iterator[Violation]:
    """What is wrong with a wish."""
    if segment_size is not None and segment_size < 1:
        yield Violation("segment_size", f"must be 1 or more, got {segment_size}")
    if overlap is not None and overlap < 0:
        yield Violation("overlap", f"must be 0 or more, got {overlap}")


def too_many(planned: SegmentPlan) -> Violation | None:
    """Why a plan cannot be carried out."""
    if planned.count <= MOST_SEGMENTS:
        return None
    return Violation("segment_size", f"gives {planned.count} segments, at most {MOST_SEGMENTS} are possible")
