"""Writes and reads data sets of 10,000 frames and of more, and prints what they cost, as JSON.

`python -m services.export.tests.frames_probe FORMAT FRAMES DIRECTORY`
"""

import json
import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from frameyard.annotation.v1.columnar_pb2 import ColumnarBatch
from frameyard.media.v1.media_pb2 import FrameInfo
from frameyard.media.v1.media_service_pb2 import ListFramesResponse
from yard.annotations.batch import Batch
from yard.export.archives.archive import zipped
from yard.export.archives.opening import open_upload
from yard.export.datasets.dataset import Dataset
from yard.export.domain import Subject
from yard.export.formats import FORMATS
from yard.export.formats.format import Format
from yard.export.intakes.collected import Collected, Target
from yard.export.intakes.found_columns import box_batch
from yard.export.intakes.frame_table import FrameTable
from yard.media.budget import ArchiveLimits

from services.export.tests.scenes import HEIGHT, LABELS, WIDTH, subject

PAGE = 1_000
SPOOL_BYTES = 1_000_000


def name_of(frame: int) -> str:
    return f"folder {frame // PAGE}/picture_{frame:06}.jpg"


def filled(whole: Subject) -> Dataset:
    """A box on each frame."""
    made = Dataset(whole, SPOOL_BYTES, None)
    (part,) = made.parts
    for first in range(0, whole.size, PAGE):
        numbers = range(first, first + PAGE)
        size = {"width": WIDTH, "height": HEIGHT}
        frames = [FrameInfo(frame=one, source_frame=one, name=name_of(one), **size) for one in numbers]
        part.add_frames(ListFramesResponse(frames=frames))
        corners = np.tile([4.0, 6.0, 20.5, 30.25], (PAGE, 1))
        batch = box_batch(np.array(numbers), np.full(PAGE, 4), corners)
        part.add_batch(ColumnarBatch(**batch.columns()))
    return made


def written(known: Format, whole: Subject, path: Path) -> None:
    with filled(whole) as made, path.open("wb") as file:
        for block in zipped(known.write(made), stored=True):
            file.write(block)


def read(known: Format, whole: Subject, path: Path) -> int:
    """How many objects were found."""
    frames = FrameTable(0)
    for number in range(whole.size):
        frames.add(name_of(number), WIDTH, HEIGHT)
    into = Target(labels=LABELS, mode=whole.mode, start_frame=0, frame_step=1, frames=frames)
    count = 0

    def take(batch: Batch) -> None:
        nonlocal count
        count += batch.count

    intake = Collected(into, take)
    with path.open("rb") as file:
        known.read(open_upload(file, path.name, ArchiveLimits(members=1_000_000)), intake)
        intake.finish()
    return count


def peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main(name: str, large: str, folder: str) -> None:
    tempfile.tempdir = folder
    (known,) = [known for known in FORMATS if known.full_name == name]
    found: dict[str, float] = {}
    for kind, size in (("small", int(large) // 10), ("large", int(large))):
        whole, path = subject(size), Path(folder, f"{size}.zip")
        begun = time.process_time()
        written(known, whole, path)
        found |= {f"written_{kind}": peak_bytes(), "write_s": time.process_time() - begun}
        begun = time.process_time()
        found |= {f"objects_{kind}": read(known, whole, path)}
        found |= {f"read_{kind}": peak_bytes(), "read_s": time.process_time() - begun}
    sys.stdout.write(json.dumps(found))


main(*sys.argv[1:])
