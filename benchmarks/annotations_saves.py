"""Saves through the service: one of many shapes beside a bare COPY of its rows, and many of one shape."""

import asyncio
import random
from collections.abc import Iterator, Sequence
from typing import Any, Final

from frameyard.annotation.v1 import annotation_pb2 as annotation
from frameyard.annotation.v1 import annotation_service_pb2 as messages
from yard.annotations.model import Shape, ShapeKind
from yard.runtime import clock
from yard.task.store.annotations import rows

from benchmarks.annotations_service import SIZE, Service, Street, task_service
from benchmarks.report import Aim, Row, row
from benchmarks.servers import servers

MANY: Final = 10_000
REPETITIONS: Final = 7
JOBS: Final = 20
FRAMES: Final = 100
RATE: Final = 50
STEADY_S: Final = 20
THRICE_A_COPY: Final = Aim(of="ratio", relation="<=", value=3)
UNDER_15_MS: Final = Aim(of="ours", relation="<", value=15)
_COLUMNS: Final = ("task_id", *rows.SHAPE_COLUMNS)


def measure_saves() -> list[Row]:
    """The rows of this file."""
    with servers() as running:
        return asyncio.run(_measure(running))


async def _measure(running: Any) -> list[Row]:
    async with task_service(running) as service:
        return [await _measure_many(service), *await _measure_steady(service)]


def boxes(label_id: int, count: int, seed: int, frames: int = FRAMES) -> Iterator[annotation.Shape]:
    """Rectangles with broken coordinates all over the frames."""
    chance = random.Random(seed)  # noqa: S311 - not a secret
    for number in range(count):
        left, top = chance.uniform(0, SIZE[0] - 120), chance.uniform(0, SIZE[1] - 120)
        points = (left, top, left + chance.uniform(1, 120), top + chance.uniform(1, 120))
        yield annotation.Shape(
            frame=number * frames // count,
            label_id=label_id,
            kind=annotation.SHAPE_KIND_RECTANGLE,
            points=points,
            source=annotation.SOURCE_MANUAL,
        )


async def _measure_many(service: Service) -> Row:
    """Saves and bare copies by turns, each into the empty job of a task of its own."""
    ours, baseline = [], []
    for repetition in range(REPETITIONS + 1):
        saved, copied = await service.street((0, FRAMES - 1)), await service.street((0, FRAMES - 1))
        objects = annotation.AnnotationSet(shapes=boxes(saved.label_id, MANY, repetition))
        took = await _save(service, saved, objects), await _copy(service, copied, objects)
        # The first one warms caches of both up.
        if repetition:
            ours.append(1000 * took[0])
            baseline.append(1000 * took[1])
    return row(f"a save of {MANY:,} shapes, beside a bare COPY", "ms", ours, baseline, THRICE_A_COPY)


async def _save(service: Service, street: Street, objects: annotation.AnnotationSet) -> float:
    target = messages.AnnotationTarget(job_id=street.job_ids[0])
    request = messages.PutAnnotationsRequest(target=target, annotations=objects)
    began = clock.monotonic()
    answer = await service.annotations.PutAnnotations(request)
    took = clock.monotonic() - began
    assert len(answer.annotations.shapes) == MANY
    return took


async def _copy(service: Service, street: Street, objects: annotation.AnnotationSet) -> float:
    """The same rows by asyncpg from tuples that are ready, in a transaction of its own."""
    ids = await service.schema.fetchval(
        "SELECT array_agg(nextval('shape_id')) FROM generate_series(1, $1)", len(objects.shapes)
    )
    shapes = [
        Shape(
            id=id_,
            job_id=street.job_ids[0],
            frame=shape.frame,
            label_id=street.label_id,
            kind=ShapeKind.RECTANGLE,
            points=tuple(shape.points),
        )
        for id_, shape in zip(ids, objects.shapes, strict=True)
    ]
    records = list(rows.shape_rows(street.task_id, shapes))
    began = clock.monotonic()
    await service.schema.copy_records_to_table("shape", records=records, columns=list(_COLUMNS))
    return clock.monotonic() - began


async def _measure_steady(service: Service) -> list[Row]:
    """So many saves of one shape a second, spread over the jobs of a task, each at its time."""
    jobs = [(number * FRAMES, (number + 1) * FRAMES - 1) for number in range(JOBS)]
    street = await service.street(*jobs)
    await _steady(service, street, 2)
    took = await _steady(service, street, STEADY_S)
    inserts = await _inserts(service, await service.street(*jobs), len(took))
    name = f"a save of 1 shape, {RATE} a second over {JOBS} jobs, beside a bare INSERT"
    return [
        row(f"{name}: median", "ms", took, inserts),
        row(f"{name}: p99", "ms", [_p99(took)], [_p99(inserts)], UNDER_15_MS),
    ]


async def _steady(service: Service, street: Street, seconds: int) -> list[float]:
    began = clock.monotonic()

    async def save(number: int) -> float:
        await asyncio.sleep(max(0.0, began + number / RATE - clock.monotonic()))
        job = number % JOBS
        [shape] = boxes(street.label_id, 1, number)
        shape.frame = job * FRAMES + number % FRAMES
        target = messages.AnnotationTarget(job_id=street.job_ids[job])
        create = annotation.AnnotationSet(shapes=[shape])
        asked = clock.monotonic()
        await service.annotations.PatchAnnotations(
            messages.PatchAnnotationsRequest(target=target, create=create)
        )
        return 1000 * (clock.monotonic() - asked)

    return await asyncio.gather(*(save(number) for number in range(RATE * seconds)))


async def _inserts(service: Service, street: Street, count: int) -> list[float]:
    """Rows as those of the saves, one after another, each committed by itself."""
    places = ", ".join(f"${number}" for number in range(1, len(_COLUMNS) + 1))
    statement = f"INSERT INTO shape ({', '.join(_COLUMNS)}) VALUES ({places})"  # noqa: S608 - literals only
    took = []
    for number in range(count):
        shape = Shape(
            id=-number,
            job_id=street.job_ids[number % JOBS],
            frame=0,
            label_id=street.label_id,
            kind=ShapeKind.RECTANGLE,
            points=(1.0, 1.0, 2.0, 2.0),
        )
        [record] = rows.shape_rows(street.task_id, [shape])
        began = clock.monotonic()
        await service.schema.execute(statement, *record)
        took.append(1000 * (clock.monotonic() - began))
    return took


def _p99(values: Sequence[float]) -> float:
    return sorted(values)[int(len(values) * 0.99)]
