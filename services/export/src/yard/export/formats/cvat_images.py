"""CVAT for images 1.1: every frame with what is on it; tracks become single shapes."""

from collections.abc import Iterable, Iterator

from yard.export.formats import media
from yard.export.formats.archive import Member
from yard.export.formats.cvat_meta import head
from yard.export.formats.cvat_shapes import ELEMENTS, geometry, group, identity, values
from yard.export.formats.dataset import Dataset
from yard.export.formats.drawn import Drawn, Picture, Tagged
from yard.export.formats.format import Format, unread
from yard.export.formats.xml_text import in_quotes, nested

TRACKS = "tracks become single shapes on each frame"


def write(dataset: Dataset) -> Iterator[Member]:
    """`annotations.xml` and, if wanted, `images/`."""
    yield Member(name="annotations.xml", content=_document(dataset))
    yield from media.members(dataset, "images")


def _document(dataset: Dataset) -> Iterator[bytes]:
    yield b'<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n'
    yield head(dataset.parts[0]).encode()
    tracks: set[tuple[int, int]] = set()
    for picture in dataset.pictures():
        tracks.update((picture.frame.part, drawn.track) for drawn in picture.objects if drawn.track >= 0)
        yield _image(dataset, picture).encode()
    if tracks:
        dataset.leave_out("track", TRACKS, len(tracks))
    yield b"</annotations>\n"


def _image(dataset: Dataset, picture: Picture) -> str:
    frame = picture.frame
    written = (
        f' id="{frame.source_number}" name="{in_quotes(frame.name)}" '
        f'width="{frame.width}" height="{frame.height}"'
    )
    return nested(1, "image", _contents(dataset, picture), written)


def _contents(dataset: Dataset, picture: Picture) -> Iterable[str]:
    yield from (_shape(dataset, drawn) for drawn in picture.objects)
    yield from (_tag(dataset, tag) for tag in picture.tags)


def _shape(dataset: Dataset, drawn: Drawn) -> str:
    schema = dataset.labels
    written = (
        f'{identity(schema, drawn.label_id, drawn.source)} occluded="{drawn.occluded:d}"'
        f'{geometry(drawn.kind, drawn.points, drawn.rotation)} z_order="{drawn.z_order}"{group(drawn.group)}'
    )
    return nested(2, ELEMENTS[drawn.kind], (values(schema, drawn.label_id, drawn.attributes, 3),), written)


def _tag(dataset: Dataset, tag: Tagged) -> str:
    schema = dataset.labels
    written = identity(schema, tag.label_id, tag.source) + group(tag.group)
    return nested(2, "tag", (values(schema, tag.label_id, tag.attributes, 3),), written)


CVAT_FOR_IMAGES = Format(
    name="CVAT for images",
    version="1.1",
    extension="zip",
    description="XML with every frame and the tags and shapes on it. Tracks become single shapes.",
    holds=("tag", "rectangle", "polygon", "polyline", "points", "ellipse", "cuboid", "mask"),
    for_interpolation=False,
    for_annotation=True,
    write=write,
    read=unread,
)
