"""Objects as columnar batches.

Postgres packs rows into columns, page by page in one snapshot, and they go over the disk to the client, who
may begin to read at once and need not be fast: memory does not grow with them. Of a task with several jobs
only what lies where they overlap, and tracks, become objects, because these are merged.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from typing import Final, Literal

from frameyard.annotation.v1 import annotation_service_pb2 as messages
from frameyard.annotation.v1 import columnar_pb2
from yard.annotations.batch import Batch
from yard.annotations.columnar import Encoder
from yard.annotations.defaults import Defaults
from yard.annotations.labels import Label, LabelSchema
from yard.annotations.model import AnnotationSet
from yard.runtime.db import Transaction
from yard.task.domain.annotation_selection import Wanted
from yard.task.domain.annotation_spans import Span, spans
from yard.task.handlers.annotations.context import Annotations
from yard.task.handlers.annotations.merging import TaskObjects
from yard.task.handlers.annotations.reading import selection_of, wanted_of
from yard.task.handlers.annotations.scopes import Scope, scope_of
from yard.task.handlers.annotations.spool import Spool
from yard.task.store import labels as label_store
from yard.task.store.annotations import packed, reading
from yard.task.store.annotations.reading import Selection

# So many tags and shapes of several jobs are merged at once rather than span by span.
FEW: Final = 20_000


async def stream_annotations(
    annotations: Annotations, request: messages.StreamAnnotationsRequest
) -> AsyncIterator[messages.StreamAnnotationsResponse]:
    """The selected objects; one message without a batch if there are none."""
    wanted = wanted_of(request)
    with Spool() as spool:
        filling = asyncio.create_task(_fill(annotations, request.target, wanted, spool))
        try:
            count = 0
            async for record in spool.records():
                yield messages.StreamAnnotationsResponse.FromString(record)
                count += 1
            revision = await filling
        finally:
            filling.cancel()
            await asyncio.wait([filling])
    if not count:
        yield messages.StreamAnnotationsResponse(revision=revision)


async def _fill(
    annotations: Annotations, target: messages.AnnotationTarget, wanted: Wanted, spool: Spool
) -> int:
    """Writes all messages, and returns the revision that they are of."""
    try:
        async with annotations.tasks.db.transaction() as tx:
            await reading.hold_snapshot(tx)
            scope = await scope_of(tx, target)
            source = _Source(tx, scope, await label_store.labels_of(tx, scope.task), wanted, spool)
            await (source.several() if len(scope.jobs) > 1 else source.single())
        return scope.revision
    finally:
        spool.complete()


class _Source:
    """Puts the batches of a scope into the spool: tags, then shapes, then tracks."""

    def __init__(
        self, tx: Transaction, scope: Scope, labels: list[Label], wanted: Wanted, spool: Spool
    ) -> None:
        self._tx = tx
        self._scope = scope
        self._labels = labels
        self._defaults = Defaults(LabelSchema(labels))
        self._wanted = wanted
        self._spool = spool
        self._encoder = Encoder()

    async def single(self) -> None:
        """Of the only job, in which there is nothing to merge."""
        if not self._scope.jobs:
            return
        selection = replace(selection_of(self._scope, self._wanted), job_id=self._scope.jobs[0].id)
        await self._packed("tag", selection)
        await self._packed("shape", selection)
        async for tracks in reading.track_pages(self._tx, selection):
            found = self._wanted.of(AnnotationSet(tracks=tuple(tracks)))
            await self._put(self._encoder.tracks(self._defaults.of_set(found).tracks))

    async def several(self) -> None:
        """Of jobs that may overlap."""
        task_id = self._scope.task.id
        whole = TaskObjects(scope=self._scope, labels=self._labels, annotations=AnnotationSet())
        everything = Selection(task_id=task_id)
        if await reading.has_at_most(self._tx, task_id, FEW):
            await self._merged(replace(whole, annotations=await reading.annotations_of(self._tx, everything)))
            return
        await self._spans("tag", whole)
        await self._spans("shape", whole)
        tracks = await reading.tracks_of(self._tx, everything)
        await self._merged(replace(whole, annotations=AnnotationSet(tracks=tracks)))

    async def _spans(self, table: Literal["tag", "shape"], whole: TaskObjects) -> None:
        """Frames that only one job sees go as they are."""
        holding = await reading.jobs_holding(self._tx, table, self._scope.task.id)
        jobs = [job for job in self._scope.jobs if job.id in holding]
        last = min(self._wanted.last, self._scope.window.last)
        for span in spans(jobs, self._wanted.first, last):
            if len(span.jobs) == 1:
                await self._packed(table, self._of_span(span, span.jobs[0].id))
            else:
                await self._merged(await self._overlap(table, span, whole))

    async def _overlap(self, table: Literal["tag", "shape"], span: Span, whole: TaskObjects) -> TaskObjects:
        scope = replace(self._scope, jobs=span.jobs)
        selections = [self._of_span(span, job.id) for job in span.jobs]
        if table == "tag":
            tags = [tag for each in selections for tag in await reading.tags_of(self._tx, each)]
            return replace(whole, scope=scope, annotations=AnnotationSet(tags=tuple(tags)))
        shapes = [shape for each in selections for shape in await reading.shapes_of(self._tx, each)]
        return replace(whole, scope=scope, annotations=AnnotationSet(shapes=tuple(shapes)))

    def _of_span(self, span: Span, job_id: int) -> Selection:
        of_job = replace(selection_of(self._scope, self._wanted), job_id=job_id)
        return replace(of_job, first=span.first, last=span.last)

    async def _packed(self, table: Literal["tag", "shape"], selection: Selection) -> None:
        pages = packed.tag_batches if table == "tag" else packed.shape_batches
        async for batch in pages(self._tx, selection):
            await self._put([await asyncio.to_thread(self._defaults.of_batch, batch)])

    async def _merged(self, objects: TaskObjects) -> None:

        def chosen() -> AnnotationSet:
            return self._defaults.of_set(self._wanted.of(objects.merged().annotations))

        merged = await asyncio.to_thread(chosen)
        await self._put(self._encoder.tags(merged.tags))
        await self._put(self._encoder.shapes(merged.shapes))
        await self._put(self._encoder.tracks(merged.tracks))

    async def _put(self, batches: Iterable[Batch]) -> None:
        revision = self._scope.revision
        await self._spool.write(_response(revision, batch).SerializeToString() for batch in batches)


def _response(revision: int, batch: Batch) -> messages.StreamAnnotationsResponse:
    columns = columnar_pb2.ColumnarBatch(**batch.columns())
    return messages.StreamAnnotationsResponse(revision=revision, batch=columns)
