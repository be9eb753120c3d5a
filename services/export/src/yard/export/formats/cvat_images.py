"""CVAT for images 1.1: every frame with what is on it; tracks become single shapes."""

from collections.abc import Iterator

from yard.annotations.model import ShapeKind
from yard.export.archives.archive import Member
from yard.export.datasets.dataset import Dataset
from yard.export.datasets.drawn import Drawn, Frame, Tagged
from yard.export.formats import media
from yard.export.formats.cvat_meta import head
from yard.export.formats.cvat_reading import read
from yard.export.formats.cvat_shapes import (
    BITS,
    BOX,
    ELEMENTS,
    GEOMETRIES,
    Identities,
    ValueLines,
    group,
    turned,
    widened,
)
from yard.export.formats.cvat_survey import survey_cvat
from yard.export.formats.division import Division
from yard.export.formats.format import Format
from yard.export.formats.xml_values import account_values
from yard.export.wording.xml_text import in_quotes

_RECTANGLE = int(ShapeKind.RECTANGLE)
_BOX = f'    <box%s occluded="%s"{BOX}%s z_order="%d"%s>\n%s    </box>\n'
TRACKS = "tracks become single shapes on each frame"


def write(dataset: Dataset) -> Iterator[Member]:
    """`annotations.xml` and, if wanted, `images/`, in a project with a folder for each subset."""
    account_values(dataset, tuple(ShapeKind), has_tags=True)
    yield Member(name="annotations.xml", content=_document(dataset))
    yield from images(dataset)


def images(dataset: Dataset) -> Iterator[Member]:
    """The files of frames where both CVAT formats have them."""
    if len(dataset.parts) == 1 and dataset.parts[0].subject is dataset.whole:
        yield from media.members(dataset, "images")
        return
    for subset in dataset.subsets:
        yield from media.members(dataset, f"images/{subset}", subset)


def _document(dataset: Dataset) -> Iterator[bytes]:
    yield b'<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n'
    yield head(dataset).encode()
    identities, lines = Identities(dataset.labels), ValueLines(dataset.labels)
    for part in dataset.parts:
        subject = part.subject
        where = f' subset="{in_quotes(subject.subset_name)}" task_id="{subject.task_id}"'
        where = "" if subject is dataset.whole else where
        tracks: set[int] = set()
        for picture in part.pictures():
            inside = [_opening(picture.frame, where)]
            inside += _shapes(picture.objects, identities, lines, tracks)
            inside += [_tag(tag, identities, lines) for tag in picture.tags]
            inside.append("  </image>\n")
            yield "".join(inside).encode()
        if tracks:
            dataset.leave_out("track", TRACKS, len(tracks))
    yield b"</annotations>\n"


def _opening(frame: Frame, where: str) -> str:
    return (
        f'  <image id="{frame.source_number}" name="{in_quotes(frame.name)}"{where} '
        f'width="{frame.width}" height="{frame.height}">\n'
    )


def _shapes(
    objects: list[Drawn], identities: Identities, lines: ValueLines, tracks: set[int]
) -> Iterator[str]:
    """Notes the tracks that it meets."""
    for _, kind, points, rotation, occluded, z_order, label_id, group_id, source, given, track, _ in objects:
        if track >= 0:
            tracks.add(track)
        if kind == _RECTANGLE:
            x0, y0, x1, y1 = widened(points)
            yield _BOX % (
                identities[label_id, source],
                BITS[occluded],
                x0,
                y0,
                x1,
                y1,
                turned(rotation) if rotation else "",
                z_order,
                group(group_id) if group_id else "",
                lines[label_id, given],
            )
        else:
            element = ELEMENTS[kind]
            yield (
                f'    <{element}{identities[label_id, source]} occluded="{BITS[occluded]}"'
                f'{GEOMETRIES[kind](points)}{turned(rotation)} z_order="{z_order}"{group(group_id)}>\n'
                f"{lines[label_id, given]}    </{element}>\n"
            )


def _tag(tag: Tagged, identities: Identities, lines: ValueLines) -> str:
    return (
        f"    <tag{identities[tag.label_id, tag.source]}{group(tag.group)}>\n"
        f"{lines[tag.label_id, tag.attributes]}    </tag>\n"
    )


CVAT_FOR_IMAGES = Format(
    name="CVAT for images",
    version="1.1",
    extension="zip",
    description=(
        "XML with every frame and the tags and shapes on it, numbers with two decimals. "
        "Tracks become single shapes; deleted frames are left out."
    ),
    holds=("tag", "rectangle", "polygon", "polyline", "points", "ellipse", "cuboid", "mask"),
    keeps=("attributes", "group", "occluded", "rotation", "source", "z_order"),
    for_interpolation=False,
    for_annotation=True,
    write=write,
    read=read,
    division=Division(survey=survey_cvat),
    bare=("xml",),
)
