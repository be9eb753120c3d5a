"""A million shapes through the service as columnar batches, out and in, and the memory that it takes."""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

import numpy as np
from frameyard.annotation.v1 import annotation_pb2 as annotation
from frameyard.annotation.v1 import annotation_service_pb2 as messages
from frameyard.annotation.v1 import columnar_pb2
from yard.runtime import clock

from benchmarks.annotations_service import SIZE, Service, Street, task_service
from benchmarks.peaks import peak_mib
from benchmarks.report import Aim, Row, row
from benchmarks.servers import Servers, servers

MANY: Final = 1_000_000
FRAMES: Final = 100_000
REPETITIONS: Final = 3
BATCH: Final = 8192
UNDER_5_S: Final = Aim(of="ours", relation="<", value=5)
UNDER_200_MIB: Final = Aim(of="ours", relation="<", value=200)


def measure_streams() -> list[Row]:
    """The rows of this file."""
    with servers() as running:
        return asyncio.run(_measure(running))


async def _measure(running: Servers) -> list[Row]:
    async with task_service(running) as service:
        street = await service.street((0, FRAMES - 1))
        rows = await _measure_import(service, street)
        await service.schema.execute("VACUUM ANALYZE shape")
        return rows + await _measure_stream(service, street)


async def _measure_import(service: Service, street: Street) -> list[Row]:
    """Once, into the empty job, beside COPY from one table into another of the same form."""
    target = messages.AnnotationTarget(job_id=street.job_ids[0])
    with peak_mib(service.program.pid) as peak:
        began = clock.monotonic()
        answer = await service.annotations.ImportAnnotations(_requests(target, street.label_id))
        took = clock.monotonic() - began
    assert answer.shapes == MANY
    other = await service.street((0, FRAMES - 1))
    began = clock.monotonic()
    await service.schema.execute(_COPY, street.task_id, other.task_id)
    copied = clock.monotonic() - began
    await service.schema.execute("DELETE FROM task WHERE id = $1", other.task_id)
    size = [MANY * 100 / (1 << 20)]
    return [
        row(f"import of {MANY:,} shapes, beside INSERT from SELECT", "s", [took], [copied]),
        row("import: memory, beside its bytes", "MiB", [peak[0]], size, UNDER_200_MIB),
    ]


async def _requests(
    target: messages.AnnotationTarget, label_id: int
) -> AsyncIterator[messages.ImportAnnotationsRequest]:
    yield messages.ImportAnnotationsRequest(header=messages.ImportHeader(target=target))
    chance = np.random.default_rng(1)
    for first in range(0, MANY, BATCH):
        count = min(BATCH, MANY - first)
        yield messages.ImportAnnotationsRequest(batch=_batch(first, count, label_id, chance))


def _batch(first: int, count: int, label_id: int, chance: np.random.Generator) -> columnar_pb2.ColumnarBatch:
    corners = chance.uniform(0, np.array(SIZE) - 200, (count, 2))
    points = np.hstack([corners, corners + chance.uniform(1, 200, (count, 2))])
    zeros, ones = np.zeros(count), np.ones(count)
    return columnar_pb2.ColumnarBatch(
        object_kind=columnar_pb2.OBJECT_KIND_SHAPE,
        count=count,
        id=zeros.astype("<i8").tobytes(),
        frame=((np.arange(count) + first) * FRAMES // MANY).astype("<i4").tobytes(),
        label_id=(ones * label_id).astype("<i8").tobytes(),
        shape_kind=(ones * annotation.SHAPE_KIND_RECTANGLE).astype("u1").tobytes(),
        flags=zeros.astype("u1").tobytes(),
        z_order=zeros.astype("<i4").tobytes(),
        group=zeros.astype("<i4").tobytes(),
        rotation=zeros.astype("<f8").tobytes(),
        points_offset=(np.arange(count + 1) * 4).astype("<i8").tobytes(),
        points=points.astype("<f8").tobytes(),
        attributes_offset=np.zeros(count + 1, "<i8").tobytes(),
        source=(ones * annotation.SOURCE_AUTO).astype("u1").tobytes(),
        origin=np.full(count, -1, "<i4").tobytes(),
        job_id=zeros.astype("<i8").tobytes(),
    )


async def _measure_stream(service: Service, street: Street) -> list[Row]:
    """By turns with a bare COPY of the same rows out of the database."""
    target = messages.AnnotationTarget(job_id=street.job_ids[0])
    ours, of_task, baseline, peaks, sizes = [], [], [], [], []
    for _ in range(REPETITIONS):
        with peak_mib(service.program.pid) as peak:
            began = clock.monotonic()
            counts, size = await _streamed(service, target)
            ours.append(clock.monotonic() - began)
        assert counts == MANY
        peaks.append(peak[0])
        sizes.append(size / (1 << 20))
        began = clock.monotonic()
        await _streamed(service, messages.AnnotationTarget(task_id=street.task_id))
        of_task.append(clock.monotonic() - began)
        baseline.append(await _copied(service, street))
    return [
        row(f"stream of {MANY:,} shapes, beside a bare COPY", "s", ours, baseline, UNDER_5_S),
        row("the same by its task", "s", of_task, baseline, UNDER_5_S),
        row("stream: memory, beside its bytes", "MiB", peaks, sizes, UNDER_200_MIB),
    ]


async def _streamed(service: Service, target: messages.AnnotationTarget) -> tuple[int, int]:
    count = size = 0
    call = service.annotations.StreamAnnotations(messages.StreamAnnotationsRequest(target=target))
    async for response in call:
        count += response.batch.count
        size += response.ByteSize()
    return count, size


async def _copied(service: Service, street: Street) -> float:
    async def forget(_: bytes) -> None:
        """Only the time counts."""

    began = clock.monotonic()
    await service.schema.copy_from_query(_SELECT, street.job_ids[0], output=forget, format="binary")
    return clock.monotonic() - began


_SELECT: Final = "SELECT * FROM shape WHERE job_id = $1 ORDER BY frame, id"

_COPY: Final = """
INSERT INTO shape (
    task_id, id, job_id, frame, label_id, group_number, source, kind, z_order, occluded, rotation, points,
    attribute_ids, attribute_values, origin
)
SELECT $2, -id, -job_id, frame, label_id, group_number, source, kind, z_order, occluded, rotation, points,
    attribute_ids, attribute_values, origin
FROM shape
WHERE task_id = $1
"""
