"""What the history of saves costs: bytes beside those of the objects themselves, and its share of a save."""

import asyncio
from typing import Any, Final

from frameyard.annotation.v1 import annotation_pb2 as annotation
from frameyard.annotation.v1 import annotation_service_pb2 as messages
from frameyard.annotation.v1.history_service_pb2 import REVISION_KIND_PATCH
from yard.annotations.model import AnnotationSet
from yard.runtime import clock
from yard.runtime.db import Database
from yard.task.domain.annotation_plans import Counts, Trace
from yard.task.domain.history import kept
from yard.task.store import history
from yard.task.store.annotations import reading
from yard.task.store.annotations.reading import Selection
from yard.task.store.history import Limits, Saved

from benchmarks.annotations_saves import boxes
from benchmarks.annotations_service import ANN, Service, Street, task_service
from benchmarks.report import Row, row
from benchmarks.servers import Servers, servers

MANY: Final = 10_000
REPETITIONS: Final = 7
FRAMES: Final = 100

# What a save added to the tables of the history, and what its objects take.
_HISTORY_BYTES: Final = """
SELECT pg_column_size(revision.*)
    + coalesce((SELECT sum(pg_column_size(part.*)) FROM revision_part AS part WHERE part.job_id = $1
        AND part.number = revision.number), 0)
FROM revision
WHERE job_id = $1 AND number = $2
"""
_OBJECT_BYTES: Final = "SELECT sum(pg_column_size(shape.*)) FROM shape WHERE job_id = $1"


def measure_history() -> list[Row]:
    """The rows of this file."""
    with servers() as running:
        return asyncio.run(_measure(running))


async def _measure(running: Servers) -> list[Row]:
    rows: list[Row] = []
    async with task_service(running) as service:
        db = await Database.connect(service.url)
        for count in (1, MANY):
            rows += await _measure_saves(service, db, count)
        await db.close()
    return rows


async def _measure_saves(service: Service, db: Database, count: int) -> list[Row]:
    """Saves of so many shapes into an empty job, then of the same ones moved."""
    sizes: dict[str, tuple[list[float], list[float]]] = {"new": ([], []), "moved": ([], [])}
    times: dict[str, tuple[list[float], list[float]]] = {"new": ([], []), "moved": ([], [])}
    for seed in range(REPETITIONS + 1):
        street = await service.street((0, FRAMES - 1))
        took = await _save(service, street, seed, count)
        for number, name in enumerate(("new", "moved"), 1):
            alone = await _history_alone(db, street, is_update=name == "moved")
            if seed:
                times[name][0].append(alone)
                times[name][1].append(took[number - 1])
                job_id = street.job_ids[0]
                sizes[name][0].append(float(await db.fetchval(_HISTORY_BYTES, job_id, number)))
                sizes[name][1].append(float(await db.fetchval(_OBJECT_BYTES, job_id)))
    noun = f"{count:,} {{}} shape" + ("s" if count > 1 else "")
    return [
        made
        for name in ("new", "moved")
        for made in (
            row(f"history of a save of {noun.format(name)}, beside the objects", "bytes", *sizes[name]),
            row(f"history of a save of {noun.format(name)}, beside the whole save", "ms", *times[name]),
        )
    ]


async def _save(service: Service, street: Street, seed: int, count: int) -> tuple[float, float]:
    """Milliseconds that a save of new shapes takes, and one that moves all of them."""
    target = messages.AnnotationTarget(job_id=street.job_ids[0])
    new = annotation.AnnotationSet(shapes=boxes(street.label_id, count, seed))
    began = clock.monotonic()
    answer = await service.annotations.PutAnnotations(
        messages.PutAnnotationsRequest(target=target, annotations=new)
    )
    first = clock.monotonic() - began
    moved = answer.annotations
    for shape in moved.shapes:
        shape.points[0] = 0.5
    began = clock.monotonic()
    await service.annotations.PatchAnnotations(messages.PatchAnnotationsRequest(target=target, update=moved))
    return 1000 * first, 1000 * (clock.monotonic() - began)


async def _history_alone(db: Database, street: Street, *, is_update: bool) -> float:
    """Milliseconds to pack and write what such a save keeps; taken back afterwards."""
    selection = Selection(task_id=street.task_id, job_id=street.job_ids[0])
    async with db.transaction() as tx:
        found = await reading.annotations_of(tx, selection)
    trace = Trace(
        counts=Counts(),
        removed=found if is_update else AnnotationSet(),
        written={"tag": [], "shape": [shape.id for shape in found.shapes], "track": []},
    )
    began = clock.monotonic()
    packed = kept(trace)
    took = clock.monotonic() - began
    save: Any = Saved(
        task_id=street.task_id,
        job_id=street.job_ids[0],
        number=99,
        kind=REVISION_KIND_PATCH,
        user_id=ANN.user_id,
        created=0,
        updated=0,
        deleted=0,
        kept=packed,
    )
    async with db.transaction() as tx:
        began = clock.monotonic()
        await history.record(tx, [save], Limits(most_revisions=1_000, most_bytes=1 << 26))
        took += clock.monotonic() - began
        await history.forget_until(tx, street.job_ids[0], 0)
        await tx.execute("DELETE FROM revision WHERE job_id = $1 AND number = 99", street.job_ids[0])
    return 1000 * took
