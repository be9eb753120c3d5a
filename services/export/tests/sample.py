"""A small data set with every kind of object, as exports read it."""

import io
import zipfile
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime

from frameyard.annotation.v1.columnar_pb2 import ColumnarBatch
from frameyard.media.v1.media_pb2 import FrameInfo
from frameyard.media.v1.media_service_pb2 import ListFramesResponse
from yard.annotations.columnar import encode
from yard.annotations.labels import Attribute, AttributeInput, Label, LabelSchema
from yard.annotations.model import AnnotationSet, Keyframe, Shape, ShapeKind, Source, Tag, Track
from yard.export.archives.archive import zipped
from yard.export.datasets.dataset import Dataset, Image
from yard.export.domain import ProjectSubject, Segment, Subject
from yard.export.formats.format import Format

CAR = Label(
    id=7,
    name='car <&"',
    color="#ff0000",
    attributes=(
        Attribute(
            id=1, name="colour", input=AttributeInput.SELECT, values=("red", "blue"), default_value="blue"
        ),
        Attribute(id=2, name="speed", input=AttributeInput.NUMBER, values=("0", "90", "0.5"), mutable=True),
        Attribute(id=3, name="note", input=AttributeInput.TEXT),
    ),
)
ROAD = Label(
    id=4,
    name="Straße",
    color="#00ff00",
    attributes=(Attribute(id=5, name="is_crowd", input=AttributeInput.CHECKBOX),),
)
SUBJECT = Subject(
    task_id=12,
    job_id=0,
    name="Night & Day",
    mode="interpolation",
    subset="",
    issue_tracker="",
    owner="ann",
    assignee="",
    created=datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC),
    updated=datetime(2026, 1, 3, tzinfo=UTC),
    overlap=1,
    start_frame=10,
    frame_step=5,
    first=0,
    last=3,
    width=20,
    height=10,
    segments=(Segment(job_id=31, first=0, last=2), Segment(job_id=32, first=2, last=3)),
    labels=LabelSchema([CAR, ROAD]),
    media_id="00000000-0000-7000-8000-000000000001",
)


def _shape(frame: int, kind: ShapeKind, *points: float, **more: object) -> Shape:
    return Shape(frame=frame, kind=kind, points=points, **{"label_id": 4, **more})  # type: ignore[arg-type]


MOVING = Track(
    label_id=7,
    source=Source.SEMI_AUTO,
    group=2,
    attributes={1: "red", 3: "a\nb <"},
    keyframes=(
        Keyframe(
            frame=0, kind=ShapeKind.RECTANGLE, points=(0, 0, 4, 4), rotation=350.0, attributes={2: "5.5"}
        ),
        Keyframe(
            frame=2, kind=ShapeKind.RECTANGLE, points=(2, 1, 6, 5), rotation=10.0, occluded=True, z_order=1
        ),
        Keyframe(frame=3, kind=ShapeKind.RECTANGLE, points=(3, 1, 7, 5), outside=True),
    ),
)
OBJECTS = AnnotationSet(
    tags=(Tag(frame=1, label_id=4, attributes={5: "true"}),),
    shapes=(
        _shape(1, ShapeKind.POLYGON, 1, 1, 9, 1, 9, 6.125, z_order=2, attributes={5: "false"}),
        _shape(1, ShapeKind.ELLIPSE, 10, 5, 13, 3, rotation=45.0, source=Source.FILE),
        _shape(2, ShapeKind.MASK, 1, 2, 1, 5, 5, 6, 6),
        _shape(2, ShapeKind.POLYGON, 2, 2, 6, 2, 6, 8, 2, 8, attributes={5: "true"}),
        _shape(3, ShapeKind.POLYLINE, 0, 0, 5, 5),
        _shape(3, ShapeKind.POINTS, 3, 4),
        _shape(3, ShapeKind.CUBOID, *(float(number) for number in range(16))),
        _shape(3, ShapeKind.RECTANGLE, 1, 2, 3, 4.005, label_id=7),
    ),
    tracks=(MOVING,),
)


def dataset(
    objects: AnnotationSet = OBJECTS,
    subject: Subject = SUBJECT,
    *,
    image: Image | None = None,
    memory_bytes: int = 1000,
    rows: int = 3,
) -> Dataset:
    """The data set; small memory puts it into files."""
    made = Dataset(subject, memory_bytes, image)
    (part,) = made.parts
    for number in range(subject.first, subject.last + 1):
        source = subject.start_frame + number * subject.frame_step
        info = FrameInfo(
            frame=number, source_frame=source, name=frame_name(subject, source), width=20, height=10
        )
        part.add_frames(ListFramesResponse(frames=[info]))
    for batch in encode(objects, rows=rows):
        part.add_batch(ColumnarBatch(**batch.columns()))
    return made


def frame_name(subject: Subject, source: int) -> str:
    return f"frame_{source:06}" if subject.mode == "interpolation" else f"a b/{source}.v1.jpg"


IMAGES = replace(SUBJECT, mode="annotation", subset="val")


def files(known: Format, made: Dataset) -> dict[str, bytes]:
    """The files of the archive by name."""
    with made, zipfile.ZipFile(io.BytesIO(b"".join(zipped(known.write(made))))) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def project_of(tasks: Iterable[Subject]) -> ProjectSubject:
    """A project that says nothing of itself."""
    return ProjectSubject(
        project_id=1,
        name="p",
        issue_tracker="",
        owner="",
        assignee="",
        created=SUBJECT.created,
        updated=SUBJECT.updated,
        labels=SUBJECT.labels,
        tasks=tuple(tasks),
    )
