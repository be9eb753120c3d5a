"""Segmentation mask 1.1: for each frame the pixels' classes and the pixels' objects as PNGs of PASCAL VOC.

Objects with an area are painted by ascending z order, those of a group as objects of their own, where CVAT
makes one of them. PNGs have palettes, as those of PASCAL VOC itself, with the colours of the labels.
"""

from collections.abc import Iterator

from yard.annotations.model import ShapeKind
from yard.export.archives.archive import Member
from yard.export.datasets.dataset import Dataset
from yard.export.datasets.drawn import Drawn, Picture
from yard.export.formats.division import Division
from yard.export.formats.format import Format
from yard.export.formats.list_survey import is_no_mask, survey_voc
from yard.export.formats.losses import Losses
from yard.export.formats.masks_reading import read
from yard.export.formats.painting import PAINTED, Canvas
from yard.export.formats.voc_labelmap import NAME, RENAMED, LabelMap
from yard.export.formats.voc_layout import Layout

NO_AREA = "it has no pixels"
PIXELS = "its pixels are written"
NO_PLACE = "pictures of masks have no place for it"


def write(dataset: Dataset) -> Iterator[Member]:
    """`labelmap.txt`, lists of items, `SegmentationClass/`, `SegmentationObject/`, and `JPEGImages/`."""
    label_map = LabelMap(dataset.labels.labels)
    if label_map.renamed:
        dataset.leave_out("label", RENAMED, label_map.renamed)
    layouts = [(subset, Layout(dataset, subset)) for subset in dataset.subsets]
    yield Member(name=NAME, content=[label_map.text()])
    yield from (layout.listed("Segmentation") for _, layout in layouts)
    masks = _Masks(dataset, label_map)
    for subset, layout in layouts:
        for picture in dataset.pictures(subset):
            yield from masks.members(picture, layout.item(picture.frame))
    for _, layout in layouts:
        yield from layout.images()


class _Masks:
    """Paints pictures and tells what that loses."""

    def __init__(self, dataset: Dataset, label_map: LabelMap) -> None:
        self._dataset = dataset
        self._map = label_map
        self._losses = Losses(dataset)
        self._attributes = {label.id: len(label.attributes) for label in dataset.labels.labels}

    def members(self, picture: Picture, item: str) -> Iterator[Member]:
        """Both PNGs of a frame; none if nothing is on it."""
        if picture.tags:
            self._dataset.leave_out("tag", NO_PLACE, len(picture.tags))
        painted = [drawn for drawn in picture.objects if self._is_painted(picture.frame.part, drawn)]
        if not painted:
            return
        width, height = picture.frame.width, picture.frame.height
        canvas = Canvas(width, height, classes=len(self._map.colors), objects=len(painted))
        for number, drawn in enumerate(painted, 1):
            canvas.paint(drawn, self._map.numbers[drawn.label_id], number)
        canvas.account(self._dataset, painted)
        classes = canvas.classes(self._map.colors)
        yield Member(name=f"SegmentationClass/{item}.png", content=[classes], is_media=True)
        yield Member(name=f"SegmentationObject/{item}.png", content=[canvas.objects()], is_media=True)

    def _is_painted(self, part: int, drawn: Drawn) -> bool:
        kind = drawn.kind.name.lower()
        if drawn.kind not in PAINTED:
            self._losses.note(part, drawn, kind, NO_AREA)
            return False
        if drawn.kind is not ShapeKind.MASK:
            self._losses.note(part, drawn, kind, PIXELS)
        if drawn.track >= 0:
            self._losses.note(part, drawn, "track", "tracks become single objects on each frame")
        if count := self._attributes[drawn.label_id]:
            self._losses.note(part, drawn, "attribute", NO_PLACE, count)
        if drawn.group:
            self._losses.note(part, drawn, "group", NO_PLACE)
        if drawn.occluded:
            self._losses.note(part, drawn, "occluded", NO_PLACE)
        if drawn.z_order:
            self._losses.note(part, drawn, "z_order", NO_PLACE)
        return True


MASKS = Format(
    name="Segmentation mask",
    version="1.1",
    extension="zip",
    description=(
        "PNGs of classes and of objects for each frame, with the colours of the labels. Rectangles, polygons "
        "and ellipses become pixels; what lies on top hides what is below."
    ),
    holds=("mask",),
    keeps=(),
    for_interpolation=False,
    for_annotation=True,
    write=write,
    read=read,
    division=Division(survey=survey_voc, is_picture=is_no_mask, shares_files=True),
)
