"""Small data sets that are hard in one way each; every format is put to all of them."""

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace

from frameyard.annotation.v1.columnar_pb2 import ColumnarBatch
from frameyard.media.v1.media_pb2 import FrameInfo
from frameyard.media.v1.media_service_pb2 import ListFramesResponse
from PIL import Image as Pictures
from yard.annotations.columnar import encode
from yard.annotations.labels import Attribute, AttributeInput, Label, LabelSchema
from yard.annotations.model import AnnotationSet, Keyframe, Shape, ShapeKind, Source, Tag, Track
from yard.export.datasets.dataset import Dataset
from yard.export.datasets.drawn import Frame
from yard.export.domain import ProjectSubject, Segment, Subject

from services.export.tests.sample import SUBJECT

RECTANGLE, POLYGON, MASK = ShapeKind.RECTANGLE, ShapeKind.POLYGON, ShapeKind.MASK
COLOUR = Attribute(id=1, name="colour", input=AttributeInput.SELECT, values=("red", "light blue", "7"))
SPEED = Attribute(id=2, name="speed", input=AttributeInput.NUMBER, values=("0", "90", "0.5"), mutable=True)
NOTE = Attribute(id=3, name="note", input=AttributeInput.TEXT)
PARKED = Attribute(id=4, name="parked", input=AttributeInput.CHECKBOX, mutable=True)
CAR = Label(id=7, name="car", color="#ff0000", attributes=(COLOUR, SPEED, NOTE, PARKED))
ROAD = Label(id=4, name="Straße", color="#00ff00")
TREE = Label(id=9, name="Apple tree's", color="#0000ff")
LABELS = LabelSchema([CAR, ROAD, TREE])
WIDTH, HEIGHT = 64, 48
VIDEO = ("",)
_SPOOL_BYTES = 500
# Words that one format or another keeps among the attributes of objects, or as elements or columns.
WORDS: Sequence[str] = (
    *("rotation", "occluded", "track_id", "keyframe", "truncated", "difficult", "is_crowd", "score"),
    *("ignored", "visibility", "ellipse", "username", "z_order", "group"),
)


@dataclass(frozen=True, kw_only=True)
class Task:
    """A task of a scene; a video has frames of one size and no names."""

    subject: Subject
    objects: AnnotationSet
    names: Sequence[str]

    def name(self, frame: int) -> str:
        """Name of a relative frame."""
        source = self.subject.start_frame + frame * self.subject.frame_step
        return f"frame_{source:06}" if self.subject.mode == "interpolation" else self.names[frame]


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A task, or a project of several."""

    name: str
    tasks: tuple[Task, ...]

    @property
    def whole(self) -> Subject | ProjectSubject:
        """What is exported."""
        if len(self.tasks) == 1:
            return self.tasks[0].subject
        first = self.tasks[0].subject
        return ProjectSubject(
            project_id=3,
            name="All & more",
            issue_tracker="",
            owner="ann",
            assignee="",
            created=first.created,
            updated=first.updated,
            labels=first.labels,
            tasks=tuple(task.subject for task in self.tasks),
        )

    def dataset(self, *, with_images: bool = False) -> Dataset:
        """The data set as writers get it."""
        made = Dataset(self.whole, _SPOOL_BYTES, picture_of if with_images else None)
        for part, task in zip(made.parts, self.tasks, strict=True):
            for number in range(task.subject.first, task.subject.last + 1):
                part.add_frames(ListFramesResponse(frames=[_info(task, number)]))
            for batch in encode(task.objects.in_order(), rows=3):
                part.add_batch(ColumnarBatch(**batch.columns()))
        return made


def picture_of(frame: Frame) -> list[bytes]:
    """A picture of the frame's size, whose colour tells its number."""
    content = io.BytesIO()
    picture = Pictures.new("RGB", (frame.width, frame.height), (frame.number * 9 % 256, frame.part, 50))
    picture.save(content, "JPEG" if frame.file_name.lower().endswith((".jpg", ".jpeg")) else "PNG")
    return [content.getvalue()]


def _info(task: Task, number: int) -> FrameInfo:
    source = task.subject.start_frame + number * task.subject.frame_step
    width, height = WIDTH, HEIGHT - (number % 2) * 8 * (task.subject.mode == "annotation")
    return FrameInfo(frame=number, source_frame=source, name=task.name(number), width=width, height=height)


def subject(size: int, *, mode: str = "annotation", **more: object) -> Subject:
    """A task with that many frames."""
    made = replace(
        SUBJECT,
        overlap=0,
        start_frame=0,
        frame_step=1,
        last=size - 1,
        width=WIDTH,
        height=HEIGHT,
        segments=(Segment(job_id=31, first=0, last=size - 1),),
        labels=LABELS,
    )
    return replace(made, mode=mode, **more)  # type: ignore[arg-type]


def box(frame: int, *corners: float, **more: object) -> Shape:
    return shape(frame, RECTANGLE, *(corners or (4, 6, 20.5, 30.25)), **more)


def shape(frame: int, kind: ShapeKind, *points: float, **more: object) -> Shape:
    numbers = tuple(float(number) for number in points)
    return Shape(frame=frame, kind=kind, points=numbers, **{"label_id": 4, **more})  # type: ignore[arg-type]


def track(*keyframes: Keyframe, **more: object) -> Track:
    return Track(keyframes=keyframes, **{"label_id": 7, **more})  # type: ignore[arg-type]


def key(frame: int, *corners: float, kind: ShapeKind = RECTANGLE, **more: object) -> Keyframe:
    numbers = tuple(float(number) for number in corners or (8, 8, 24, 24))
    return Keyframe(frame=frame, kind=kind, points=numbers, **more)  # type: ignore[arg-type]


def images(name: str, *objects: Shape | Tag, names: Sequence[str] = (), **more: object) -> Scene:
    """A task of images."""
    names = names or [f"img_{number}.png" for number in range(4)]
    tags = tuple(one for one in objects if isinstance(one, Tag))
    shapes = tuple(one for one in objects if isinstance(one, Shape))
    made = subject(len(names), **more)  # type: ignore[arg-type]
    return Scene(
        name=name, tasks=(Task(subject=made, objects=AnnotationSet(tags=tags, shapes=shapes), names=names),)
    )


def video(name: str, *objects: Shape | Track, size: int = 8, **more: object) -> Scene:
    """A task of a video."""
    tracks = tuple(one for one in objects if isinstance(one, Track))
    shapes = tuple(one for one in objects if isinstance(one, Shape))
    made = subject(size, mode="interpolation", **more)
    return Scene(
        name=name, tasks=(Task(subject=made, objects=AnnotationSet(shapes=shapes, tracks=tracks), names=()),)
    )


# A ring of 5 by 5 with a hole, at 10, 12.
RING = (0, 6, 3, 2, 3, 2, 3, 6, 10, 12, 14, 16)
_CROSSED = {1: "light blue", 2: "5.5", 3: 'a "b" <c> & d, e=f\\', 4: "true"}
KINDS = (
    box(0),
    shape(0, POLYGON, 10, 10, 30, 10, 30, 20.5, 12, 25),
    shape(1, ShapeKind.POLYLINE, 0, 0, 5, 5, 9, 3),
    shape(1, ShapeKind.POINTS, 3, 4, 5, 6.5),
    shape(2, ShapeKind.ELLIPSE, 20, 20, 30, 15),
    shape(2, ShapeKind.CUBOID, *range(1, 17)),
    shape(3, MASK, 0, 3, 2, 5, 5, 5, 9, 6),
    Tag(frame=3, label_id=9),
)
MOVING = track(
    key(0, 2, 2, 10, 10, attributes={2: "5.5"}),
    key(2, 6, 4, 14, 12, outside=True),
    key(4, 20, 20, 30, 31, occluded=True, attributes={2: "80", 4: "true"}),
    key(6, 24, 22, 34, 33, z_order=2),
    attributes={1: "light blue", 3: "seen twice"},
)
STAYING = track(key(1, 40, 10, 50, 20), label_id=9)


def worded() -> Scene:
    """Labels whose attributes are called by words of formats, and mean something else by them."""
    kinds = (AttributeInput.TEXT, AttributeInput.SELECT, AttributeInput.NUMBER, AttributeInput.CHECKBOX)
    allowed = ((), ("no", "7", "partly"), ("0", "1", "0.25"), ())
    labels = [
        Label(
            id=20 + place,
            name=kind.name,
            color=f"#0{place + 1}0000",
            attributes=tuple(
                Attribute(id=100 * place + number, name=word, input=kind, values=values)
                for number, word in enumerate(WORDS, 1)
            ),
        )
        for place, (kind, values) in enumerate(zip(kinds, allowed, strict=True))
    ]
    objects: list[Shape] = []
    for place, value in enumerate(("x y", "7", "0.5", "true")):
        label_id, values = 20 + place, {100 * place + number: value for number in range(1, len(WORDS) + 1)}
        objects += (
            box(place, label_id=label_id, attributes=values),
            shape(place, POLYGON, 30, 1, 39, 1, 39, 9, label_id=label_id, attributes=values),
            shape(place, MASK, *RING, label_id=label_id, attributes=values),
        )
    return images("words of formats", *objects, labels=LabelSchema(labels))


SCENES = (
    images("empty"),
    images("one frame", box(0), names=["only.png"]),
    images("nothing on one frame", names=["only.png"]),
    images("every kind", *KINDS),
    images("subset", box(0), box(2, label_id=9), subset="Validation"),
    images(
        "hostile names",
        *(box(number, 1 + number, 2, 9 + number, 12) for number in range(6)),
        names=["Ü ñ/人 .png", "a <&\">'.png", "with.dots.v1.jpg", "x,y=z.PNG", "-dash_0.png", "a/b c/d.jpeg"],
    ),
    images(
        "equal names",
        *(box(number, 1 + number, 2, 9 + number, 12) for number in range(4)),
        names=["dup.png", "dup.jpg", "a/dup.png", "b/dup.png"],
    ),
    images("rotated", box(0, 20, 10, 40, 20, rotation=30.0), box(1, 10, 10, 30, 20, rotation=90.0)),
    images(
        "groups",
        *(
            box(0, 1, 1, 9, 9 + number, group=1 + number // 2, label_id=(4, 9)[number % 2])
            for number in range(4)
        ),
        box(1, group=1),
        shape(0, MASK, *RING, group=3),
        Tag(frame=2, label_id=9, group=4),
        Tag(frame=2, label_id=4, group=4),
    ),
    images(
        "z order",
        *(
            shape(0, POLYGON, number, 0, 30, number, 30, 30, z_order=order, label_id=(4, 9)[number % 2])
            for number, order in enumerate((3, -1, 0, 3))
        ),
    ),
    images("holes", shape(0, MASK, *RING), shape(1, MASK, 0, 1, 2, 1, 0, 0, 1, 1)),
    images("covered", shape(0, MASK, *RING), shape(0, MASK, 0, 9, 10, 12, 12, 14, label_id=9, z_order=1)),
    images(
        "attributes",
        box(0, label_id=7, attributes=_CROSSED, occluded=True, source=Source.AUTO),
        box(1, label_id=7, attributes={1: "7", 3: ""}),
        box(2, label_id=7, attributes={1: "red", 3: "true", 2: "90"}),
        box(3, label_id=7, attributes={3: "Grüße\nzweite Zeile"}),
        Tag(frame=1, label_id=7, attributes={1: "7", 2: "1.5"}),
    ),
    images("controls", box(0, label_id=7, attributes={3: "bell \x07"}), Tag(frame=1, label_id=7)),
    worded(),
    images(
        "blanks in names",
        *(box(number, label_id=number) for number in (1, 2)),
        *(shape(number, MASK, *RING, label_id=number) for number in (1, 2)),
        Tag(frame=0, label_id=1, attributes={5: "x"}),
        labels=LabelSchema(
            [
                Label(id=1, name=" a, b ", color="#ff0000", attributes=(replace(NOTE, id=5, name=" c "),)),
                Label(id=2, name="#b:c ", color="#00ff00"),
            ]
        ),
    ),
    images("thin", box(0, 1, 1, 1.004, 9), box(1, 1, 1, 9, 1.001)),
    video(
        "thin track",
        track(key(0, 1, 1, 1.004, 9), key(2, 3, 3, 9, 3.001), key(5, 3, 3, 9, 3.001, outside=True)),
    ),
    images(
        "labels like lists",
        *(Tag(frame=number, label_id=number) for number in (1, 2, 3)),
        labels=LabelSchema([Label(id=1, name="a/b"), Label(id=2, name="a_b"), Label(id=3, name="test")]),
        subset="test_2",
    ),
    images("beyond the edge", box(0, -5, -3.5, 20, 30), box(1, 50, 30, 90.25, 60), box(2, -20, 4, -2, 20)),
    video("tracks with gaps", MOVING, STAYING),
    video("start and step", MOVING, STAYING, box(7), start_frame=10, frame_step=5),
    video("deleted frames", MOVING, STAYING, box(5), deleted=((1, 1), (3, 4))),
    video(
        "a job",
        track(key(4, 2, 2, 10, 10), key(5, 4, 4, 12, 12), key(6, 4, 4, 12, 12, outside=True)),
        box(7),
        job_id=32,
        first=4,
        start_frame=3,
    ),
    video("one frame of video", track(key(0)), size=1),
)
PROJECT = Scene(
    name="project",
    tasks=(
        replace(images("", box(0), names=["a.png", "b.png"], subset="Train").tasks[0]),
        replace(images("", box(1), names=["c.png", "b.png"], subset="Test", task_id=13).tasks[0]),
        replace(video("", MOVING, subset="Train", task_id=14).tasks[0]),
    ),
)
