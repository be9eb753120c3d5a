"""What every format must give back of its own export, told by what it says that it holds and keeps."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Any, NamedTuple

from yard.annotations.geometry import envelope
from yard.annotations.model import AnnotationSet, Shape, ShapeKind
from yard.export.archives.archive import zipped
from yard.export.datasets.dataset import Dataset
from yard.export.datasets.drawn import Drawn, Tagged
from yard.export.domain import LeftOut
from yard.export.formats.format import Format
from yard.export.intakes.collected import Target
from yard.export.intakes.frame_table import FrameTable
from yard.media.budget import ArchiveLimits

from services.export.tests.intake_scene import Imported, tried_into
from services.export.tests.scenes import Scene, Task

# What accounts call single ones of a property.
SINGULAR = {"attributes": "attribute"}
# Points of scenes are quarters: what formats round is far less.
QUARTERS = 4


class Lost(NamedTuple):
    """An object on a frame that did not come back."""

    frame: int
    kind: str
    seen: tuple[Any, ...]


def exported(known: Format, scene: Scene, *, with_images: bool = False) -> tuple[bytes, list[LeftOut]]:
    """The archive of a scene, and what was left out."""
    with scene.dataset(with_images=with_images) as made:
        return b"".join(zipped(known.write(made))), made.left_out


def read(
    known: Format, content: bytes, into: Target, name: str = "given.zip", limits: ArchiveLimits | None = None
) -> Imported:
    """What comes of an uploaded file."""
    return tried_into(known, content, into, name=name, limits=limits)


def target(task: Task) -> Target:
    """The frames of a task, as imports know them."""
    frames = FrameTable(task.subject.first)
    with Scene(name="", tasks=(undeleted(task),)).dataset() as made:
        for frame in made.frames():
            frames.add(frame.name, frame.width, frame.height)
    return Target(
        labels=task.subject.labels,
        mode=task.subject.mode,
        start_frame=task.subject.start_frame,
        frame_step=task.subject.frame_step,
        frames=frames,
    )


def undeleted(task: Task) -> Task:
    """The task with all its frames."""
    return replace(task, subject=replace(task.subject, deleted=()))


class Returned(NamedTuple):
    """How what came back differs from what was there, with all that is kept and was not counted as lost."""

    missing: list[Lost]
    added: list[Lost]


def compared(known: Format, task: Task, found: AnnotationSet, counted: Collection[str]) -> Returned:
    """The task's objects beside those that were found.

    Kinds that were counted are not missed: what became of them is for the format's own tests.
    """
    kept = {name for name in known.keeps if name not in counted and SINGULAR.get(name) not in counted}
    before = _seen(kept, task)
    after = _seen(kept, Task(subject=task.subject, objects=found, names=task.names))
    missing = sorted(one for one in (before - after).elements() if one.kind not in counted)
    return Returned(missing, sorted((after - before).elements()))


def _seen(kept: set[str], task: Task) -> Counter[Lost]:
    """Objects frame by frame with what the format keeps of them; groups and tracks are named by members."""
    with Scene(name="", tasks=(task,)).dataset() as made:
        return Counter(_objects(kept, made))


def _objects(kept: set[str], made: Dataset) -> Iterator[Lost]:
    for picture in made.pictures():
        groups: dict[int, list[int]] = defaultdict(list)
        everything: list[Drawn | Tagged] = [*picture.objects, *picture.tags]
        for one in everything:
            groups[one.group].append(one.label_id)
        for tag in picture.tags:
            yield Lost(picture.frame.number, "tag", _kept(kept, tag, groups))
        for drawn in picture.objects:
            kind = drawn.kind.name.lower()
            yield Lost(picture.frame.number, kind, (*_place(kept, drawn), *_kept(kept, drawn, groups)))


def _place(kept: set[str], drawn: Drawn) -> tuple[Any, ...]:
    points, rotation = tuple(drawn.points), drawn.rotation
    if "rotation" not in kept and drawn.kind is ShapeKind.RECTANGLE:
        bounds = Shape(frame=0, label_id=0, kind=drawn.kind, points=points, rotation=rotation)
        points, rotation = envelope(bounds), 0.0
    return (*(round(number * QUARTERS) for number in points), "turned", round(rotation))


def _kept(kept: set[str], one: Drawn | Tagged, groups: dict[int, list[int]]) -> tuple[Any, ...]:
    values: list[Any] = [one.label_id]
    for name in sorted(kept - {"rotation"}):
        if name == "group":
            together = groups[one.group] if one.group else ()
            # One alone is no group, as far as a frame goes.
            values += ["group", *(sorted(together) if len(together) > 1 else ())]
        elif hasattr(one, name):
            values.append(getattr(one, name))
    return tuple(values)
