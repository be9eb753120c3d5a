"""Writes a small and a ten times larger data set and prints by how many bytes the process grew in between.

`python memory_probe.py FORMAT OBJECTS SPOOL_DIRECTORY`, with the number of objects of the larger one
"""

import resource
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace

from frameyard.annotation.v1.columnar_pb2 import ColumnarBatch
from frameyard.media.v1.media_pb2 import FrameInfo
from frameyard.media.v1.media_service_pb2 import ListFramesResponse
from yard.annotations.columnar import Encoder
from yard.annotations.model import Keyframe, Shape, ShapeKind, Track
from yard.export.archives.archive import zipped
from yard.export.datasets.dataset import Dataset
from yard.export.formats import FORMATS

from services.export.tests.sample import SUBJECT

A_FRAME = 10
PORTION = 1000
SPOOL_BYTES = 1_000_000


def pages(frames: int) -> Iterator[ListFramesResponse]:
    for first in range(0, frames, PORTION):
        yield ListFramesResponse(
            frames=[
                FrameInfo(frame=number, source_frame=number, name=f"frame_{number:06}", width=160, height=120)
                for number in range(first, min(first + PORTION, frames))
            ]
        )


def batches(shapes: int) -> Iterator[ColumnarBatch]:
    encoder = Encoder()
    for first in range(0, shapes, PORTION):
        for batch in encoder.shapes([shape(number) for number in range(first, first + PORTION)]):
            yield ColumnarBatch(**batch.columns())
    for first in range(0, shapes // A_FRAME, PORTION):
        for batch in encoder.tracks([track(number) for number in range(first, first + PORTION)]):
            yield ColumnarBatch(**batch.columns())


def shape(number: int) -> Shape:
    points = tuple(float((number * 7 + corner * 13) % 100) for corner in range(24))
    return Shape(frame=number // A_FRAME, label_id=7, kind=ShapeKind.POLYGON, points=points)


def track(number: int) -> Track:
    box = (1.0, 2.0, 30.0, 40.0)
    begun = Keyframe(frame=number, kind=ShapeKind.RECTANGLE, points=box)
    return Track(label_id=7, keyframes=(begun, replace(begun, frame=number + 3, outside=True)))


def write(name: str, shapes: int) -> int:
    (known,) = [known for known in FORMATS if known.full_name == name]
    frames = shapes // A_FRAME
    subject = replace(SUBJECT, start_frame=0, frame_step=1, last=frames - 1)
    with Dataset(subject, SPOOL_BYTES, None) as made:
        for page in pages(frames):
            made.parts[0].add_frames(page)
        for batch in batches(shapes):
            made.parts[0].add_batch(batch)
        return sum(len(block) for block in zipped(known.write(made)))


def peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main(name: str, objects: str, spools: str) -> None:
    tempfile.tempdir = spools
    small = write(name, int(objects) // 10)
    before = peak_bytes()
    large = write(name, int(objects))
    sys.stdout.write(f"{peak_bytes() - before} {small} {large}\n")


main(*sys.argv[1:])
