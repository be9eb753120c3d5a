"""CVAT for video 1.1: tracks frame by frame; a single shape is a track that ends on the next frame.

Differs from CVAT in one point: every shape is closed unless it lies on the very last frame. Two processing
instructions, which other readers pass over, tell tracks from shapes, so that a track of one frame comes back
as what it was. Nothing is written on deleted frames: keyframes on them move to the frames beside them.
"""

from collections.abc import Iterable, Iterator
from itertools import chain, count, islice

from yard.annotations.model import ShapeKind
from yard.export.archives.archive import Member
from yard.export.datasets.dataset import Dataset
from yard.export.datasets.drawn import Drawn
from yard.export.datasets.parts import Part
from yard.export.formats.cvat_images import images
from yard.export.formats.cvat_meta import head
from yard.export.formats.cvat_reading import SHAPES_FOLLOW, TRACKS_FOLLOW, read
from yard.export.formats.cvat_shapes import BITS, ELEMENTS, GEOMETRIES, Identities, ValueLines, group, turned
from yard.export.formats.cvat_survey import survey_cvat
from yard.export.formats.division import Division
from yard.export.formats.format import Format
from yard.export.formats.xml_values import account_values
from yard.export.wording.xml_text import in_quotes

TAGS = "a video has tracks only, a frame as a whole cannot have a label"
States = Iterable[tuple[Drawn, bool]]
_STATES_AT_ONCE = 256
_STATE = '    <%s frame="%d" keyframe="%s" outside="%s" occluded="%s"%s%s z_order="%d">\n%s    </%s>\n'


def write(dataset: Dataset) -> Iterator[Member]:
    """`annotations.xml` and, if wanted, `images/`, in a project with a folder for each subset."""
    account_values(dataset, tuple(ShapeKind))
    yield Member(name="annotations.xml", content=_document(dataset))
    yield from images(dataset)


def _document(dataset: Dataset) -> Iterator[bytes]:
    yield b'<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n'
    yield head(dataset).encode()
    numbers = count()
    identities, lines = Identities(dataset.labels), ValueLines(dataset.labels)
    for part in dataset.parts:
        writer = _PartWriter(part, identities, lines, numbers, is_whole=part.subject is dataset.whole)
        yield f"  <?{TRACKS_FOLLOW}?>\n".encode()
        yield from writer.tracks()
        yield f"  <?{SHAPES_FOLLOW}?>\n".encode()
        yield from writer.shapes()
        if tags := sum(1 for _ in part.tags()):
            dataset.leave_out("tag", TAGS, tags)
    yield b"</annotations>\n"


class _PartWriter:
    """The tracks of one task; numbers run on through those of a project."""

    def __init__(
        self, part: Part, identities: Identities, lines: ValueLines, numbers: Iterator[int], *, is_whole: bool
    ) -> None:
        self._part = part
        self._identities = identities
        self._values = lines
        self._numbers = numbers
        subject = part.subject
        where = f' task_id="{subject.task_id}" subset="{in_quotes(subject.subset_name)}"'
        self._where = "" if is_whole else where

    def tracks(self) -> Iterator[bytes]:
        for number, track in enumerate(self._part.tracks()):
            lines = self._lines(self._part.states(number, track))
            while block := "".join(islice(lines, _STATES_AT_ONCE)):
                yield block.encode()

    def shapes(self) -> Iterator[bytes]:
        pending: list[str] = []
        for shape in self._part.shapes():
            pending += self._lines(_of_shape(shape, self._part.shown_from(shape.frame + 1)))
            if len(pending) >= _STATES_AT_ONCE:
                yield "".join(pending).encode()
                pending.clear()
        yield "".join(pending).encode()

    def _lines(self, states: States) -> Iterator[str]:
        """The element of a track; all its states have its label, source and group."""
        states = iter(states)
        first = next(states, None)
        if first is None:
            return
        one = first[0]
        yield (
            f'  <track id="{next(self._numbers)}"{self._identities[one.label_id, one.source]}'
            f"{self._where}{group(one.group)}>\n"
        )
        values, source_number = self._values, self._part.source_number
        for state, is_outside in chain((first,), states):
            frame, kind, points, rotation, occluded, z_order, label_id, _, _, given, _, is_keyframe = state
            element = ELEMENTS[kind]
            yield _STATE % (
                element,
                source_number(frame),
                BITS[is_keyframe],
                BITS[is_outside],
                BITS[occluded],
                GEOMETRIES[kind](points),
                turned(rotation) if rotation else "",
                z_order,
                values[label_id, given],
                element,
            )
        yield "  </track>\n"


def _of_shape(shape: Drawn, following: int | None) -> States:
    """Visible where it is, closed on the frame that follows."""
    shown = shape._replace(is_keyframe=True)
    closing = () if following is None else ((shown._replace(frame=following), True),)
    return (shown, False), *closing


CVAT_FOR_VIDEO = Format(
    name="CVAT for video",
    version="1.1",
    extension="zip",
    description=(
        "XML with tracks over frames, numbers with two decimals. Single shapes become tracks of one frame; "
        "tags and deleted frames are left out."
    ),
    holds=("rectangle", "polygon", "polyline", "points", "ellipse", "cuboid", "mask", "track"),
    keeps=("attributes", "group", "occluded", "rotation", "source", "z_order"),
    for_interpolation=True,
    for_annotation=False,
    write=write,
    read=read,
    division=Division(survey=survey_cvat),
    bare=("xml",),
)
