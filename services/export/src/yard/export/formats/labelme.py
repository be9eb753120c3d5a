"""LabelMe 3.0, the XML of MIT's tool in the layout that CVAT gives it: a file a frame, masks as PNGs.

Numbers are written in full, dates are left empty: equal content has equal bytes. Rectangles are polygons of
the type `bounding_box` as before their rotation, which is an attribute. Members of a group are parts of the
first.
"""

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from PIL import Image
from yard.annotations.model import Shape, ShapeKind
from yard.annotations.rasters import raster
from yard.export.archives.archive import Member
from yard.export.datasets.dataset import Dataset
from yard.export.datasets.drawn import Drawn, Frame, Picture, Values
from yard.export.formats import media
from yard.export.formats.division import Division, key_by
from yard.export.formats.format import Format
from yard.export.formats.labelme_attributes import written
from yard.export.formats.labelme_reading import ROTATION, read
from yard.export.formats.list_survey import is_no_labelme_mask, survey_objects
from yard.export.formats.losses import Z_ORDER, Losses
from yard.export.formats.own_words import OwnWords
from yard.export.formats.png import encoded
from yard.export.formats.xml_values import account_values
from yard.export.wording.xml_text import text

NO_PLACE = "LabelMe has no place for it"
PIXELS = "its pixels are written"
_PIXELS = (ShapeKind.MASK, ShapeKind.ELLIPSE)
_HELD = (ShapeKind.RECTANGLE, ShapeKind.POLYGON, *_PIXELS)
_CACHED = 4096


def write(dataset: Dataset) -> Iterator[Member]:
    """`<subset>/<item>.xml` with `<subset>/Masks/`, and if wanted the images beside the XML files."""
    account_values(dataset, _HELD)
    documents = _Documents(dataset)
    for subset in dataset.subsets:
        for picture in dataset.pictures(subset):
            yield from documents.members(subset, picture)
    for subset in dataset.subsets:
        yield from media.members(dataset, subset, subset)


class _Documents:
    """The files of one frame after the other."""

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset
        self._losses = Losses(dataset)
        self._words = OwnWords(dataset, (ROTATION,), (ShapeKind.RECTANGLE,))
        self._names = {label.id: text(label.name) for label in dataset.labels.labels}
        self._attributes = lru_cache(maxsize=_CACHED)(self._written)

    def members(self, subset: str, picture: Picture) -> Iterator[Member]:
        """The XML file of a frame, and a PNG for each mask."""
        frame = picture.frame
        if picture.tags:
            self._dataset.leave_out("tag", NO_PLACE, len(picture.tags))
        self._words.account(picture)
        kept = [drawn for drawn in picture.objects if self._is_kept(frame.part, drawn)]
        parts = _parts(kept)
        lines: list[str] = []
        masks: list[Member] = []
        for number, drawn in enumerate(kept):
            mask = ""
            if drawn.kind in _PIXELS:
                mask = f"_mask_{len(masks)}.png"
                masks.append(
                    Member(
                        name=f"{subset}/Masks/{frame.item}{mask}",
                        content=[_png(drawn, frame.width, frame.height)],
                        is_media=True,
                    )
                )
                mask = frame.item.rpartition("/")[2] + mask
            lines.append(self._object(number, drawn, parts.get(number, _ALONE), mask))
        yield Member(name=f"{subset}/{frame.item}.xml", content=[_document(frame, lines)])
        yield from masks

    def _is_kept(self, part: int, drawn: Drawn) -> bool:
        kind = drawn.kind.name.lower()
        if drawn.kind not in _HELD:
            self._losses.note(part, drawn, kind, NO_PLACE)
            return False
        if drawn.track >= 0:
            self._losses.note(part, drawn, "track", "tracks become single objects on each frame")
        if drawn.z_order:
            self._losses.note(part, drawn, "z_order", Z_ORDER)
        if drawn.kind is ShapeKind.ELLIPSE:
            self._losses.note(part, drawn, kind, PIXELS)
        return True

    def _object(self, number: int, drawn: Drawn, parts: str, mask: str) -> str:
        place = _segment(drawn, mask) if mask else _polygon(drawn)
        return (
            "  <object>\n"
            f"    <name>{self._names[drawn.label_id]}</name>\n"
            "    <deleted>0</deleted>\n"
            "    <verified>0</verified>\n"
            f"    <occluded>{'yes' if drawn.occluded else 'no'}</occluded>\n"
            "    <date></date>\n"
            f"    <id>{number}</id>\n"
            f"{parts}{place}"
            f"    <attributes>{self._said(drawn)}</attributes>\n"
            "  </object>\n"
        )

    def _said(self, drawn: Drawn) -> str:
        is_box = drawn.kind is ShapeKind.RECTANGLE
        said = self._attributes(drawn.label_id, drawn.attributes, is_box) if drawn.attributes else ""
        if drawn.rotation and is_box:
            said += f"{', ' if said else ''}{ROTATION}={drawn.rotation}"
        return said

    def _written(self, label_id: int, given: Values, is_box: bool) -> str:
        known = self._dataset.labels.attributes(label_id)
        hidden = (ROTATION,) if is_box else ()
        return text(
            ", ".join(written(known[id_], value) for id_, value in given if known[id_].name not in hidden)
        )


_ALONE = "    <parts>\n      <hasparts></hasparts>\n      <ispartof></ispartof>\n    </parts>\n"


def _parts(kept: list[Drawn]) -> dict[int, str]:
    """The `parts` of objects that have a group on this frame, by their numbers."""
    groups: dict[int, list[int]] = {}
    for number, drawn in enumerate(kept):
        if drawn.group:
            groups.setdefault(drawn.group, []).append(number)
    found = {}
    for first, *others in groups.values():
        found[first] = _ALONE.replace("<hasparts>", f"<hasparts>{','.join(map(str, others))}")
        for other in others:
            found[other] = _ALONE.replace("<ispartof>", f"<ispartof>{first}")
    return found


def _polygon(drawn: Drawn) -> str:
    points = drawn.points
    kind = ""
    if drawn.kind is ShapeKind.RECTANGLE:
        x0, y0, x1, y1 = points
        kind = "    <type>bounding_box</type>\n"
        points = [x0, y0, x1, y0, x1, y1, x0, y1]
    pattern = _PATTERNS.get(len(points)) or _PT * (len(points) // 2)
    return f"{kind}    <polygon>\n{pattern % tuple(points)}      <username></username>\n    </polygon>\n"


_PT = "      <pt>\n        <x>%r</x>\n        <y>%r</y>\n      </pt>\n"
_PATTERNS = {count: _PT * (count // 2) for count in range(6, 66, 2)}


def _segment(drawn: Drawn, mask: str) -> str:
    x0, y0, x1, y1 = (int(number) for number in drawn.points[-4:])
    if drawn.kind is ShapeKind.ELLIPSE:
        cx, cy, right, top = drawn.points
        x0, y0, x1, y1 = int(2 * cx - right), int(top), int(right), int(2 * cy - top)
    return (
        "    <segm>\n"
        f"      <mask>{text(mask)}</mask>\n"
        "      <box>\n"
        f"        <xmin>{x0}</xmin>\n"
        f"        <ymin>{y0}</ymin>\n"
        f"        <xmax>{x1}</xmax>\n"
        f"        <ymax>{y1}</ymax>\n"
        "      </box>\n"
        "      <username></username>\n"
        "    </segm>\n"
    )


def _png(drawn: Drawn, width: int, height: int) -> bytes:
    shape = Shape(
        frame=drawn.frame,
        label_id=drawn.label_id,
        kind=drawn.kind,
        points=tuple(drawn.points),
        rotation=drawn.rotation,
    )
    found = raster(shape, width, height)
    rows, columns = found.pixels.shape
    pixels = np.zeros((height, width), np.uint8)
    pixels[found.top : found.top + rows, found.left : found.left + columns] = found.pixels * np.uint8(255)
    return encoded(Image.fromarray(pixels))


def _document(frame: Frame, objects: list[str]) -> bytes:
    folder, _, name = frame.file_name.rpartition("/")
    return (
        "<annotation>\n"
        f"  <filename>{text(name)}</filename>\n"
        f"  <folder>{text(folder)}</folder>\n"
        "  <source>\n"
        "    <sourceImage></sourceImage>\n"
        "    <sourceAnnotation></sourceAnnotation>\n"
        "  </source>\n"
        "  <imagesize>\n"
        f"    <nrows>{frame.height}</nrows>\n"
        f"    <ncols>{frame.width}</ncols>\n"
        "  </imagesize>\n"
        f"{''.join(objects)}"
        "</annotation>\n"
    ).encode()


LABELME = Format(
    name="LabelMe",
    version="3.0",
    extension="zip",
    description=(
        "An XML file a frame with polygons, boxes and their attributes, and a PNG for each mask. "
        "Ellipses become masks."
    ),
    holds=("rectangle", "polygon", "mask"),
    keeps=("attributes", "group", "occluded", "rotation"),
    for_interpolation=False,
    for_annotation=True,
    write=write,
    read=read,
    division=Division(
        survey=survey_objects,
        key_of=key_by(r"(?:(?:annotations|images)/)?(?:([^/]+)/)?.+\.(?:xml|png|jpe?g|webp|bmp|tiff?|gif)"),
        is_picture=is_no_labelme_mask,
    ),
    bare=("xml",),
)
