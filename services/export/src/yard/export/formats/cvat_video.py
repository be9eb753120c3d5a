"""CVAT for video 1.1: tracks frame by frame; a single shape is a track that ends on the next frame.

Differs from CVAT in one point: every shape is closed unless it lies on the very last frame.
"""

from collections.abc import Iterable, Iterator
from itertools import count

from yard.annotations.model import Source
from yard.export.formats import media
from yard.export.formats.archive import Member
from yard.export.formats.cvat_meta import head
from yard.export.formats.cvat_shapes import ELEMENTS, geometry, group, identity, values
from yard.export.formats.dataset import Dataset
from yard.export.formats.drawn import Drawn
from yard.export.formats.format import Format, unread
from yard.export.formats.parts import Part
from yard.export.formats.xml_text import nested

TAGS = "a video has tracks only, a frame as a whole cannot have a label"


def write(dataset: Dataset) -> Iterator[Member]:
    """`annotations.xml` and, if wanted, `images/`."""
    yield Member(name="annotations.xml", content=_document(dataset))
    yield from media.members(dataset, "images")


def _document(dataset: Dataset) -> Iterator[bytes]:
    (part,) = dataset.parts
    yield b'<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n'
    yield head(part).encode()
    numbers = count()
    for number, track in enumerate(part.tracks()):
        states = part.states(number, track)
        whose = (track.label_id, track.source, track.group)
        yield from _track(dataset, part, next(numbers), whose, states)
    for shape in part.shapes():
        whose = (shape.label_id, shape.source, shape.group)
        yield from _track(dataset, part, next(numbers), whose, _of_shape(shape, part.subject.last))
    if tags := sum(1 for _ in part.tags()):
        dataset.leave_out("tag", TAGS, tags)
    yield b"</annotations>\n"


def _of_shape(shape: Drawn, last: int) -> Iterator[tuple[Drawn, bool]]:
    yield shape._replace(is_keyframe=True), False
    if shape.frame < last:
        yield shape._replace(frame=shape.frame + 1, is_keyframe=True), True


def _track(
    dataset: Dataset,
    part: Part,
    number: int,
    whose: tuple[int, Source, int],
    states: Iterable[tuple[Drawn, bool]],
) -> Iterator[bytes]:
    label_id, source, group_id = whose
    yield (f'  <track id="{number}"{identity(dataset.labels, label_id, source)}{group(group_id)}>\n'.encode())
    for state, is_outside in states:
        yield _state(dataset, part, state, is_outside=is_outside).encode()
    yield b"  </track>\n"


def _state(dataset: Dataset, part: Part, state: Drawn, *, is_outside: bool) -> str:
    written = (
        f' frame="{part.source_number(state.frame)}" keyframe="{state.is_keyframe:d}" '
        f'outside="{is_outside:d}" occluded="{state.occluded:d}"'
        f'{geometry(state.kind, state.points, state.rotation)} z_order="{state.z_order}"'
    )
    lines = (values(dataset.labels, state.label_id, state.attributes, 3),)
    return nested(2, ELEMENTS[state.kind], lines, written)


CVAT_FOR_VIDEO = Format(
    name="CVAT for video",
    version="1.1",
    extension="zip",
    description="XML with tracks over frames. Single shapes become tracks of one frame; tags are left out.",
    holds=("rectangle", "polygon", "polyline", "points", "ellipse", "cuboid", "mask", "track"),
    for_interpolation=True,
    for_annotation=False,
    write=write,
    read=unread,
)
