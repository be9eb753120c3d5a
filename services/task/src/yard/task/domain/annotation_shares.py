"""Objects of a task shared out to the jobs that see them, as columns."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from yard.annotations.batch import Batch
from yard.annotations.columnar_rows import ranges, taken
from yard.annotations.model import Track
from yard.task.domain.annotation_changes import Site, copies_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """The jobs of a task, in frame order, or its only one, in which objects may keep their origins."""

    sites: Sequence[Site]
    new_origin: Callable[[], str]
    keeps_origins: bool = False

    def stills(self, batch: Batch) -> Batch:
        """A row for each job that sees one of the batch; those of several have an origin in common."""
        if len(self.sites) == 1:
            jobs = np.full(batch.count, self.sites[0].job_id, "<i8")
            origin = batch.origin if self.keeps_origins else _no_origins(batch.count)
            return replace(batch, job_id=jobs.tobytes(), origin=origin)
        frames = np.frombuffer(batch.frame, "<i4")
        begins = np.searchsorted([site.window.last for site in self.sites], frames)
        ends = np.searchsorted([site.window.first for site in self.sites], frames, side="right")
        copies = ends - begins
        rows = np.repeat(np.arange(batch.count), copies)
        numbers = np.array([site.job_id for site in self.sites], "<i8")[ranges(begins, copies)]
        strings, origins = list(batch.strings), np.full(batch.count, -1, "<i4")
        for row in np.flatnonzero(copies > 1).tolist():
            origins[row] = len(strings)
            strings.append(self.new_origin())
        batch = replace(batch, origin=origins.tobytes(), strings=tuple(strings))
        return replace(taken(batch, rows), job_id=numbers.tobytes())

    def tracks(self, tracks: Sequence[Track]) -> list[Track]:
        """The tracks as jobs hold them."""
        return [copy for track in tracks for copy in self._copies(track)]

    def _copies(self, track: Track) -> list[Track]:
        if len(self.sites) > 1:
            first, last = track.first_frame, track.keyframes[-1].frame
            begin = bisect_left(self.sites, first, key=lambda site: site.window.last)
            # What is visible at the end goes on in later jobs.
            is_open = not track.keyframes[-1].outside
            end = len(self.sites) if is_open else bisect_right(self.sites, last, key=lambda s: s.window.first)
            copies = copies_of(track, self.sites[begin:end])
        else:
            copies = copies_of(track, self.sites)
            if self.keeps_origins:
                return [replace(copy, origin=track.origin) for copy in copies]
        if len(copies) < 2:
            return copies
        origin = self.new_origin()
        return [replace(copy, origin=origin) for copy in copies]


def by_job(jobs: NDArray[np.int64], ids: NDArray[np.int64]) -> dict[int, NDArray[np.int64]]:
    """The ids of each job."""
    order = np.argsort(jobs, kind="stable")
    found, begins = np.unique(jobs[order], return_index=True)
    return dict(zip(found.tolist(), np.split(ids[order], begins[1:]), strict=True))


def _no_origins(count: int) -> bytes:
    return np.full(count, -1, "<i4").tobytes()
