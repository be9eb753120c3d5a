"""Our side: from the messages that other services send to an archive, and from an archive to batches."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
from frameyard.annotation.v1.columnar_pb2 import ColumnarBatch
from frameyard.media.v1.media_pb2 import FrameInfo
from frameyard.media.v1.media_service_pb2 import ListFramesResponse
from yard.annotations.batch import LARGEST_BATCH, Batch, ObjectKind
from yard.annotations.columnar import Encoder
from yard.annotations.labels import Label, LabelSchema
from yard.annotations.model import Keyframe, ShapeKind, Track
from yard.export.archives.archive import zipped
from yard.export.archives.opening import open_upload
from yard.export.datasets.dataset import Dataset
from yard.export.datasets.spool import Spool
from yard.export.domain import Segment, Subject
from yard.export.formats import FORMATS
from yard.export.formats.format import Format
from yard.export.intakes.collected import Collected, Target
from yard.export.intakes.frame_table import FrameTable
from yard.export.settings import Settings
from yard.media.budget import ArchiveLimits
from yard.runtime import clock

from benchmarks.formats_scene import HEIGHT, LABELS, WIDTH, Scene, scene_of

SCHEMA: Final = LabelSchema([Label(id=number, name=name) for number, name in enumerate(LABELS, 1)])
PAGE: Final = 10_000
_LABEL_IDS: Final = [label.id for label in SCHEMA.labels]
_SPOOL_BYTES: Final[Any] = Settings.__dataclass_fields__["spool_memory_bytes"].default
_TIME: Final = datetime(2026, 1, 2, tzinfo=UTC)
_LIMITS: Final = ArchiveLimits(members=1 << 24, member_bytes=1 << 40)


def export(format_name: str, scene: dict[str, Any], out: str) -> tuple[float, int]:
    """Writes the archive, stored; the messages are made before the clock runs."""
    made = scene_of(scene)
    known, subject = _format(format_name), _subject(made)
    with Spool(1) as pages, Spool(1) as batches:
        for page in _pages(made):
            pages.append(page.SerializeToString())
        for batch in _batches(made):
            batches.append(batch.SerializeToString())
        began = clock.monotonic()
        with Dataset(subject, _SPOOL_BYTES) as dataset, Path(out).open("wb") as file:
            for record in pages:
                dataset.parts[0].add_frames(ListFramesResponse.FromString(record))
            for record in batches:
                dataset.parts[0].add_batch(ColumnarBatch.FromString(record))
            file.writelines(zipped(known.write(dataset), stored=True))
        return clock.monotonic() - began, 0


def read(format_name: str, scene: dict[str, Any], path: str) -> tuple[float, int]:
    """Reads the archive to batches as they would be saved; gives the number of objects."""
    made = scene_of(scene)
    frames = FrameTable(0)
    for number in range(made.frames):
        frames.add(_source_name(made, number), WIDTH, HEIGHT)
    target = Target(
        labels=SCHEMA, mode="interpolation" if made.is_video else "annotation", start_frame=0, frame_step=1,
        frames=frames,
    )  # fmt: skip
    count = 0

    def take(batch: Batch) -> None:
        nonlocal count
        ColumnarBatch(**batch.columns()).SerializeToString()
        if batch.object_kind in (ObjectKind.SHAPE, ObjectKind.KEYFRAME):
            count += batch.count

    began = clock.monotonic()
    intake = Collected(target, take)
    with Path(path).open("rb") as file:
        _format(format_name).read(open_upload(file, Path(path).name, _LIMITS), intake)
    intake.finish()
    return clock.monotonic() - began, count


def _format(name: str) -> Format:
    return next(known for known in FORMATS if known.full_name == name)


def _source_name(scene: Scene, frame: int) -> str:
    name = scene.name(frame)
    return name.rpartition(".")[0] if scene.is_video else name


def _pages(scene: Scene) -> Iterator[ListFramesResponse]:
    for first in range(0, scene.frames, PAGE):
        yield ListFramesResponse(
            frames=[
                FrameInfo(
                    frame=number,
                    source_frame=number,
                    name=_source_name(scene, number),
                    width=WIDTH,
                    height=HEIGHT,
                )
                for number in range(first, min(first + PAGE, scene.frames))
            ]
        )


def _batches(scene: Scene) -> Iterator[ColumnarBatch]:
    if scene.is_video:
        for batch in Encoder().tracks([_track(scene, number) for number in range(scene.tracks)]):
            yield ColumnarBatch(**batch.columns())
        return
    total = scene.frames * scene.boxes
    for first in range(0, total, LARGEST_BATCH):
        yield boxes(scene, first, min(first + LARGEST_BATCH, total), _LABEL_IDS)


def boxes(scene: Scene, first: int, last: int, label_ids: Sequence[int]) -> ColumnarBatch:
    """Boxes number first to last, not included, with these labels by turns."""
    numbers = np.arange(first, last, dtype=np.int64)
    count = len(numbers)
    nothing = np.zeros(count, dtype="<i4").tobytes()
    offsets = np.arange(count + 1, dtype="<i8")
    return ColumnarBatch(
        object_kind=int(ObjectKind.SHAPE),  # type: ignore[arg-type]
        count=count,
        id=numbers.astype("<i8").tobytes(),
        frame=(numbers // scene.boxes).astype("<i4").tobytes(),
        label_id=np.array(label_ids, dtype="<i8")[numbers % len(label_ids)].tobytes(),
        shape_kind=bytes([ShapeKind.RECTANGLE]) * count,
        flags=bytes(count),
        z_order=nothing,
        group=nothing,
        rotation=bytes(8 * count),
        points_offset=(4 * offsets).tobytes(),
        points=scene.corners(first, last).astype("<f8").tobytes(),
        attributes_offset=bytes(8 * (count + 1)),
        source=bytes([1]) * count,
        origin=np.full(count, -1, dtype="<i4").tobytes(),
        job_id=bytes(8 * count),
    )


def _track(scene: Scene, number: int) -> Track:
    *kept, gone = [
        Keyframe(frame=frame, kind=ShapeKind.RECTANGLE, points=tuple(box))
        for frame, box in scene.keyframes(number)
    ]
    return Track(
        label_id=number % len(LABELS) + 1, id=number + 1, keyframes=(*kept, replace(gone, outside=True))
    )


def _subject(scene: Scene) -> Subject:
    return Subject(
        task_id=1,
        job_id=0,
        name="street",
        mode="interpolation" if scene.is_video else "annotation",
        subset="",
        issue_tracker="",
        owner="ann",
        assignee="",
        created=_TIME,
        updated=_TIME,
        overlap=0,
        start_frame=0,
        frame_step=1,
        first=0,
        last=scene.frames - 1,
        width=WIDTH,
        height=HEIGHT,
        segments=(Segment(job_id=1, first=0, last=scene.frames - 1),),
        labels=SCHEMA,
        media_id="00000000-0000-7000-8000-000000000001",
    )
