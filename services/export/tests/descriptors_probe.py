"""Writes a project of many small tasks in each format with few open files; prints what it wrote, as JSON.

`python -m services.export.tests.descriptors_probe MOST TASKS DIRECTORY`
"""

import io
import json
import resource
import sys
import tempfile
import zipfile
from dataclasses import replace

from frameyard.annotation.v1.columnar_pb2 import ColumnarBatch
from frameyard.media.v1.media_pb2 import FrameInfo
from frameyard.media.v1.media_service_pb2 import ListFramesResponse
from yard.annotations.columnar import encode
from yard.annotations.model import AnnotationSet, Keyframe, Shape, ShapeKind, Tag, Track
from yard.export.archives.archive import zipped
from yard.export.datasets.dataset import Dataset
from yard.export.datasets.parts import Part
from yard.export.formats import FORMATS
from yard.export.formats.format import Format

from services.export.tests.sample import SUBJECT, project_of

BOX = (1.0, 2.0, 3.0, 4.0)
TASK = replace(SUBJECT, start_frame=0, frame_step=1, last=0)


def fill(part: Part, number: int) -> None:
    info = FrameInfo(frame=0, source_frame=0, name=f"{number}.jpg", width=20, height=10)
    part.add_frames(ListFramesResponse(frames=[info]))
    objects = AnnotationSet(
        tags=(Tag(frame=0, label_id=4),),
        shapes=(Shape(frame=0, label_id=4, kind=ShapeKind.RECTANGLE, points=BOX),),
        tracks=(Track(label_id=7, keyframes=(Keyframe(frame=0, kind=ShapeKind.RECTANGLE, points=BOX),)),),
    )
    for batch in encode(objects):
        part.add_batch(ColumnarBatch(**batch.columns()))


def write(known: Format, tasks: int) -> bytes:
    subjects = (replace(TASK, task_id=1 + number, subset=f"s{number % 3}") for number in range(tasks))
    whole = project_of(replace(subject, mode="annotation") for subject in subjects)
    with Dataset(whole, 1) as made:
        for number, part in enumerate(made.parts):
            fill(part, number)
        return b"".join(zipped(known.write(made)))


def main(most: str, tasks: str, folder: str) -> None:
    tempfile.tempdir = folder
    resource.setrlimit(resource.RLIMIT_NOFILE, (int(most), int(most)))
    found = {}
    for known in FORMATS:
        with zipfile.ZipFile(io.BytesIO(write(known, int(tasks)))) as archive:
            texts = b"".join(archive.read(name) for name in archive.namelist())
        found[known.full_name] = len(texts)
        if known.full_name == "CVAT for images 1.1":
            found["boxes"] = texts.count(b"<box ")
            found["tags"] = texts.count(b"<tag ")
    sys.stdout.write(json.dumps(found))


main(*sys.argv[1:])
