"""PASCAL VOC 1.1: an XML file a frame, lists of items, and PNGs of masks.

Coordinates are pixels from 0 as they are kept, not the whole numbers from 1 of the devkit. Rotated boxes are
written as before the rotation, with an attribute that tells it. Every frame has its file, empty ones too.
"""

from collections import Counter
from collections.abc import Iterator

from yard.annotations.model import ShapeKind
from yard.export.archives.archive import Member
from yard.export.datasets.dataset import Dataset
from yard.export.datasets.drawn import Drawn, Frame, Picture, Tagged
from yard.export.datasets.spool import Spool
from yard.export.formats.division import Division
from yard.export.formats.format import Format
from yard.export.formats.list_survey import is_no_mask, survey_voc
from yard.export.formats.losses import Z_ORDER, Losses
from yard.export.formats.own_words import OwnWords
from yard.export.formats.painting import Canvas
from yard.export.formats.voc_labelmap import NAME, RENAMED, LabelMap, label_of_list, list_of
from yard.export.formats.voc_layout import Layout
from yard.export.formats.voc_objects import OWN, Wording
from yard.export.formats.voc_reading import read
from yard.export.formats.xml_values import account_values
from yard.export.wording.xml_text import text

NO_PLACE = "PASCAL VOC has no place for it"
LIKE_ANOTHER = "the list of its label would be called like another one"
PIXELS = "its pixels are written"
_MASKS = (ShapeKind.MASK, ShapeKind.POLYGON, ShapeKind.ELLIPSE)
_SPOOLED = 1 << 20


def write(dataset: Dataset) -> Iterator[Member]:
    """`labelmap.txt`, `ImageSets/`, `Annotations/`, folders of masks if there are any, and `JPEGImages/`."""
    label_map = LabelMap(dataset.labels.labels)
    if label_map.renamed:
        dataset.leave_out("label", RENAMED, label_map.renamed)
    account_values(dataset, (ShapeKind.RECTANGLE,))
    yield Member(name=NAME, content=[label_map.text()])
    objects = _Objects(dataset, label_map)
    for subset in dataset.subsets:
        layout = Layout(dataset, subset)
        yield layout.listed("Main")
        yield from _tagged(dataset, subset, layout, label_map)
        with Spool(_SPOOLED) as segmented:
            for picture in dataset.pictures(subset):
                yield from objects.members(picture, layout, segmented)
            lines = list(_first(segmented))
            if lines:
                name = f"ImageSets/Segmentation/{subset}.txt"
                yield Member(name=name, content=iter(segmented))
    for subset in dataset.subsets:
        yield from Layout(dataset, subset).images()


def _first(spool: Spool) -> Iterator[bytes]:
    for record in spool:
        yield record
        return


def _tagged(dataset: Dataset, subset: str, layout: Layout, label_map: LabelMap) -> Iterator[Member]:
    """For each label that frames have a list that tells which do."""
    parts = [part for part in dataset.parts if part.subject.subset_name == subset]
    used = Counter(tag.label_id for part in parts for tag in part.tags())
    labels = dataset.labels.labels
    for label in sorted((one for one in labels if one.id in used), key=lambda one: label_map.names[one.id]):
        stem = list_of(label, subset)
        if stem in dataset.subsets or label_of_list(labels, stem) is not label:
            dataset.leave_out("tag", LIKE_ANOTHER, used[label.id])
        else:
            content = _presence(dataset, subset, layout, label.id)
            yield Member(name=f"ImageSets/Main/{stem}.txt", content=content)


def _presence(dataset: Dataset, subset: str, layout: Layout, label_id: int) -> Iterator[bytes]:
    for part in dataset.parts:
        if part.subject.subset_name != subset:
            continue
        tags = part.tags()
        tag = next(tags, None)
        for frame in part.frames():
            is_there = False
            while tag is not None and tag.frame <= frame.number:
                is_there |= tag.frame == frame.number and tag.label_id == label_id
                tag = next(tags, None)
            yield f"{layout.item(frame)}  {1 if is_there else -1}\n".encode()


class _Objects:
    """The files of one frame after the other."""

    def __init__(self, dataset: Dataset, label_map: LabelMap) -> None:
        self._dataset = dataset
        self._map = label_map
        self._wording = Wording(dataset.labels, label_map)
        self._losses = Losses(dataset)
        self._words = OwnWords(dataset, OWN, (ShapeKind.RECTANGLE,))

    def members(self, picture: Picture, layout: Layout, segmented: Spool) -> Iterator[Member]:
        """The XML file of a frame, and its masks if there are any, which are listed then."""
        frame = picture.frame
        lines, painted = [], []
        for drawn in picture.objects:
            if drawn.kind is ShapeKind.RECTANGLE:
                lines.append(self._wording.written(drawn))
                if drawn.track >= 0 or drawn.group or drawn.z_order:
                    self._account(frame.part, drawn)
            elif drawn.kind in _MASKS:
                painted.append(drawn)
            else:
                self._losses.note(frame.part, drawn, drawn.kind.name.lower(), NO_PLACE)
        item = layout.item(frame)
        document = _document(frame, layout.file_name(frame), lines, is_segmented=bool(painted))
        yield Member(name=f"Annotations/{item}.xml", content=[document])
        if painted:
            segmented.append(f"{item}\n".encode())
            yield from self._masks(frame, item, painted)
        self._words.account(picture)
        if picture.tags:
            self._account_tags(picture.tags)

    def _masks(self, frame: Frame, item: str, painted: list[Drawn]) -> Iterator[Member]:
        canvas = Canvas(frame.width, frame.height, classes=len(self._map.colors), objects=len(painted))
        for number, drawn in enumerate(painted, 1):
            canvas.paint(drawn, self._map.numbers[drawn.label_id], number)
            self._account(frame.part, drawn)
        canvas.account(self._dataset, painted)
        classes = canvas.classes(self._map.colors)
        yield Member(name=f"SegmentationClass/{item}.png", content=[classes], is_media=True)
        yield Member(name=f"SegmentationObject/{item}.png", content=[canvas.objects()], is_media=True)

    def _account_tags(self, tags: list[Tagged]) -> None:
        for kind, count in (
            ("attribute", sum(len(tag.attributes) for tag in tags)),
            ("group", sum(tag.group != 0 for tag in tags)),
        ):
            if count:
                self._dataset.leave_out(kind, "lists of tags have no place for it", count)

    def _account(self, part: int, drawn: Drawn) -> None:
        note = self._losses.note
        if drawn.track >= 0:
            note(part, drawn, "track", "tracks become single objects on each frame")
        if drawn.group:
            note(part, drawn, "group", NO_PLACE)
        if drawn.z_order:
            note(part, drawn, "z_order", Z_ORDER)
        if drawn.kind is not ShapeKind.RECTANGLE:
            if drawn.kind is not ShapeKind.MASK:
                note(part, drawn, drawn.kind.name.lower(), PIXELS)
            if drawn.occluded:
                note(part, drawn, "occluded", "masks have no place for it")
            if drawn.attributes:
                note(part, drawn, "attribute", "masks have no place for it", len(drawn.attributes))


def _document(frame: Frame, file_name: str, objects: list[str], *, is_segmented: bool) -> bytes:
    return (
        "<annotation>\n"
        "  <folder></folder>\n"
        f"  <filename>{text(file_name)}</filename>\n"
        "  <source>\n"
        "    <database>Unknown</database>\n"
        "    <annotation>Unknown</annotation>\n"
        "    <image>Unknown</image>\n"
        "  </source>\n"
        "  <size>\n"
        f"    <width>{frame.width}</width>\n"
        f"    <height>{frame.height}</height>\n"
        "    <depth>3</depth>\n"
        "  </size>\n"
        f"  <segmented>{is_segmented:d}</segmented>\n"
        f"{''.join(objects)}"
        "</annotation>\n"
    ).encode()


VOC = Format(
    name="PASCAL VOC",
    version="1.1",
    extension="zip",
    description=(
        "An XML file a frame with boxes and their attributes, lists of frames with tags, and masks as PNGs. "
        "Polygons and ellipses become masks."
    ),
    holds=("tag", "rectangle", "mask"),
    keeps=("attributes", "occluded", "rotation"),
    for_interpolation=False,
    for_annotation=True,
    write=write,
    read=read,
    division=Division(survey=survey_voc, is_picture=is_no_mask, shares_files=True),
    bare=("xml",),
)
