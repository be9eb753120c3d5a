"""Files as they come back: what a reader makes of them, in the data set of `sample`."""

import io
import zipfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from yard.annotations.batch import Batch
from yard.annotations.columnar import decode
from yard.annotations.model import AnnotationSet
from yard.export.archives.opening import open_upload
from yard.export.archives.refusals import FileFault, RefusedError
from yard.export.domain import Subject
from yard.export.formats.format import Format
from yard.export.intakes.collected import Collected, Target
from yard.export.intakes.frame_table import FrameTable
from yard.media.budget import ArchiveLimits

from services.export.tests.sample import SUBJECT, frame_name

Files = Mapping[str, bytes] | bytes


@dataclass
class Imported:
    """What came of a file: objects and what was ignored, or faults."""

    objects: AnnotationSet = field(default_factory=AnnotationSet)
    ignored: Counter[tuple[str, str]] = field(default_factory=Counter)
    faults: list[FileFault] = field(default_factory=list)


def imported(
    known: Format, files: Files, subject: Subject = SUBJECT, *, name: str = "given.zip"
) -> AnnotationSet:
    """The objects in an archive with these files, or in a bare file; fails the test if it is refused."""
    found = tried(known, files, subject, name=name)
    assert not found.faults
    return found.objects


def tried(known: Format, files: Files, subject: Subject = SUBJECT, *, name: str = "given.zip") -> Imported:
    """The same with what was ignored; or the faults for which it is refused."""
    content = files if isinstance(files, bytes) else archived(files)
    return tried_into(known, content, target_of(subject), name=name)


def tried_into(
    known: Format,
    content: bytes,
    into: Target,
    *,
    name: str = "given.zip",
    limits: ArchiveLimits | None = None,
    collecting: type[Collected] = Collected,
) -> Imported:
    """What comes of an uploaded file for this target."""
    batches: list[Batch] = []
    intake = collecting(into, batches.append)
    try:
        known.read(open_upload(io.BytesIO(content), name, limits or ArchiveLimits()), intake)
        intake.finish()
    except RefusedError as refused:
        return Imported(faults=refused.faults, ignored=intake.ignored)
    return Imported(objects=decode(batches), ignored=intake.ignored)


def archived(files: Mapping[str, bytes]) -> bytes:
    """A zip with these files."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return made.getvalue()


def target_of(subject: Subject, *, width: int = 20, height: int = 10) -> Target:
    """The frames that `sample.dataset` has."""
    frames = FrameTable(subject.first)
    for number in range(subject.first, subject.last + 1):
        frames.add(frame_name(subject, subject.start_frame + number * subject.frame_step), width, height)
    return Target(
        labels=subject.labels,
        mode=subject.mode,
        start_frame=subject.start_frame,
        frame_step=subject.frame_step,
        frames=frames,
    )
