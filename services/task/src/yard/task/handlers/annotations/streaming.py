"""Objects as columnar batches.

Those of a job are read page by page in one snapshot onto the disk, and sent from there: memory does not grow
with them. Those of a task with several jobs are held in memory, as long as its stream lasts, because merging
on overlap needs all of them.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator

from frameyard.annotation.v1 import annotation_service_pb2 as messages
from frameyard.annotation.v1 import columnar_pb2
from yard.annotations.batch import Batch
from yard.annotations.columnar import Encoder, encode
from yard.runtime.db import Transaction
from yard.task.handlers.annotations.context import Annotations
from yard.task.handlers.annotations.merging import TaskObjects
from yard.task.handlers.annotations.scopes import Scope, scope_of
from yard.task.handlers.annotations.spool import Spool
from yard.task.store.annotations import reading
from yard.task.store.annotations.reading import Selection


async def stream_annotations(
    annotations: Annotations, request: messages.StreamAnnotationsRequest
) -> AsyncIterator[messages.StreamAnnotationsResponse]:
    """All objects; one message without a batch if there are none."""
    with Spool() as spool:
        whole = None
        async with annotations.tasks.db.transaction() as tx:
            await reading.hold_snapshot(tx)
            scope = await scope_of(tx, request.target)
            if len(scope.jobs) > 1:
                whole = await TaskObjects.read(tx, scope)
            else:
                await _fill(spool, tx, scope)
        responses = _spooled(spool) if whole is None else _merged(whole, scope.revision)
        count = 0
        while (response := await asyncio.to_thread(next, responses, None)) is not None:
            yield response
            count += 1
    if not count:
        yield messages.StreamAnnotationsResponse(revision=scope.revision)


async def _fill(spool: Spool, tx: Transaction, scope: Scope) -> None:
    """Writes the messages of the only job, in which there is nothing to merge."""
    selection = Selection(task_id=scope.task.id, job_id=scope.jobs[0].id if scope.jobs else None)
    encoder = Encoder()

    def write(batches: Iterable[Batch]) -> None:
        spool.write(_response(scope.revision, batch).SerializeToString() for batch in batches)

    async for tags in reading.tag_pages(tx, selection):
        await asyncio.to_thread(write, encoder.tags(tags))
    async for shapes in reading.shape_pages(tx, selection):
        await asyncio.to_thread(write, encoder.shapes(shapes))
    async for tracks in reading.track_pages(tx, selection):
        await asyncio.to_thread(write, encoder.tracks(tracks))


def _spooled(spool: Spool) -> Iterator[messages.StreamAnnotationsResponse]:
    return map(messages.StreamAnnotationsResponse.FromString, spool.read())


def _merged(whole: TaskObjects, revision: int) -> Iterator[messages.StreamAnnotationsResponse]:
    for batch in encode(whole.merged().annotations):
        yield _response(revision, batch)


def _response(revision: int, batch: Batch) -> messages.StreamAnnotationsResponse:
    columns = columnar_pb2.ColumnarBatch(**batch.columns())
    return messages.StreamAnnotationsResponse(revision=revision, batch=columns)
