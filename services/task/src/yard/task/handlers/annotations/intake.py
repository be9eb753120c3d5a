"""Batches of an import on their way in: each is checked, shared out to jobs and put on the disk."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterable
from contextlib import ExitStack
from types import TracebackType
from typing import Final, Self

import numpy as np
from frameyard.annotation.v1 import columnar_pb2
from numpy.typing import NDArray
from yard.annotations.batch import Batch, ObjectKind
from yard.annotations.columnar import Encoder, TrackReader
from yard.annotations.errors import LARGEST_REPORT, AnnotationError, Fault
from yard.annotations.model import AnnotationSet, Track
from yard.annotations.screening import screened
from yard.annotations.validation import Rules, validated
from yard.task.domain.annotation_plans import Table
from yard.task.domain.annotation_shares import Shares, by_job
from yard.task.handlers.annotations.spool import Scratch
from yard.task.store.annotations import binary

TABLES: Final[dict[ObjectKind, Table]] = {
    ObjectKind.TAG: "tag",
    ObjectKind.SHAPE: "shape",
    ObjectKind.TRACK: "track",
}
Reserve = Callable[[Table, int], Awaitable[list[int]]]
RulesFor = Callable[[Iterable[int]], Awaitable[Rules]]


class Intake:
    """Takes batches one after another; rows wait in files until all of them are known to be good."""

    def __init__(self, *, task_id: int, shares: Shares, rules_for: RulesFor, reserve: Reserve) -> None:
        self._task_id = task_id
        self._shares = shares
        self._rules_for = rules_for
        self._reserve = reserve
        self._reader = TrackReader()
        self._batches = self._tracks = 0
        self._ids: defaultdict[int, defaultdict[Table, list[NDArray[np.int64]]]]
        self._ids = defaultdict(lambda: defaultdict(list))
        self._stack = ExitStack()
        self.files: dict[ObjectKind, Scratch] = {}
        self.faults: list[Fault] = []
        self.label_ids: set[int] = set()
        self.given: Counter[ObjectKind] = Counter()

    async def take(self, message: columnar_pb2.ColumnarBatch) -> None:
        """Takes the next batch; what is wrong with it is added to the faults."""
        number = self._batches
        self._batches += 1
        if len(self.faults) >= LARGEST_REPORT:
            return
        try:
            batch = Batch.of(message)
            self.given[batch.object_kind] += batch.count
            if batch.object_kind in (ObjectKind.TAG, ObjectKind.SHAPE):
                await self._stills(batch, number)
            else:
                await self._take_tracks(await asyncio.to_thread(lambda: list(self._reader.feed(batch))))
        except AnnotationError as refused:
            name = f"batch[{number}]"
            self.faults += [
                Fault(name + each.field.removeprefix("batch"), each.description) for each in refused.faults
            ]

    async def finish(self) -> None:
        """Takes the tracks that only the end completes."""
        if len(self.faults) >= LARGEST_REPORT:
            return
        try:
            await self._take_tracks(await asyncio.to_thread(lambda: list(self._reader.close())))
        except AnnotationError as refused:
            self.faults += refused.faults

    def written(self) -> dict[int, dict[Table, NDArray[np.int64]]]:
        """Ids of the new rows by job and table."""
        return {
            job_id: {table: np.concatenate(pieces) for table, pieces in tables.items()}
            for job_id, tables in self._ids.items()
        }

    async def _stills(self, batch: Batch, number: int) -> None:
        rules = await self._rules_for(np.unique(np.frombuffer(batch.frame, "<i4")).tolist())
        good = await asyncio.to_thread(screened, batch, rules, lambda row: f"batch[{number}].row[{row}]")
        self.faults += good.faults
        if self.faults:
            return
        shared = await asyncio.to_thread(self._shares.stills, good.batch)
        ids = np.array(await self._reserve(TABLES[batch.object_kind], shared.count), np.int64)

        def write() -> None:
            self._file(batch.object_kind).append(binary.copy_rows(shared, task_id=self._task_id, id=ids))

        await asyncio.to_thread(write)
        self._note(TABLES[batch.object_kind], np.frombuffer(shared.job_id, "<i8"), ids)
        self.label_ids.update(np.unique(np.frombuffer(batch.label_id, "<i8")).tolist())

    async def _take_tracks(self, tracks: list[Track]) -> None:
        """Complete tracks, whose numbers go on from those before."""
        if not tracks:
            return
        first = self._tracks
        self._tracks += len(tracks)
        rules = await self._rules_for({keyframe.frame for track in tracks for keyframe in track.keyframes})
        good = await asyncio.to_thread(self._checked_tracks, tracks, first, rules)
        if self.faults:
            return
        copies = await asyncio.to_thread(self._shares.tracks, good)
        ids = np.array(await self._reserve("track", len(copies)), np.int64)
        await asyncio.to_thread(self._write_tracks, copies, ids)
        self._note("track", np.array([copy.job_id for copy in copies], np.int64), ids)
        self.label_ids.update(copy.label_id for copy in copies)

    def _checked_tracks(self, tracks: list[Track], first: int, rules: Rules) -> list[Track]:
        good: list[Track] = []
        for number, track in enumerate(tracks, first):
            try:
                good += validated(AnnotationSet(tracks=(track,)), rules, path="").tracks
            except AnnotationError as refused:
                path = f"track[{number}]"
                self.faults += [
                    Fault(path + fault.field.removeprefix(".tracks[0]"), fault.description)
                    for fault in refused.faults
                ]
        return good

    def _write_tracks(self, copies: list[Track], ids: NDArray[np.int64]) -> None:
        done = 0
        for batch in Encoder().tracks(copies):
            if batch.object_kind is ObjectKind.KEYFRAME:
                of_tracks = ids[np.frombuffer(batch.parent, "<i8")]
                rows = binary.copy_rows(batch, task_id=self._task_id, track_id=of_tracks)
            else:
                part = copies[done : done + batch.count]
                rows = binary.copy_rows(
                    batch,
                    task_id=self._task_id,
                    id=ids[done : done + batch.count],
                    first_frame=[track.first_frame for track in part],
                    last_frame=[track.keyframes[-1].frame for track in part],
                    is_open=[not track.keyframes[-1].outside for track in part],
                    weight=[sum(len(keyframe.points) for keyframe in track.keyframes) for track in part],
                )
                done += batch.count
            self._file(batch.object_kind).append(rows)

    def _note(self, table: Table, jobs: NDArray[np.int64], ids: NDArray[np.int64]) -> None:
        for job_id, of_job in by_job(jobs, ids).items():
            self._ids[job_id][table].append(of_job)

    def _file(self, kind: ObjectKind) -> Scratch:
        """The file of a table, which begins with the header of COPY."""
        if kind not in self.files:
            self.files[kind] = self._stack.enter_context(Scratch())
            self.files[kind].append(binary.HEADER)
        return self.files[kind]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()
