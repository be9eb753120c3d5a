import io
import random
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

import pytest
from yard.annotations.model import AnnotationSet, Shape, ShapeKind, Tag
from yard.export.archives.archive import BLOCK_BYTES, Member, safe_path, zipped
from yard.export.datasets.spool import Spool
from yard.export.formats import FORMATS
from yard.export.formats.format import Format
from yard.runtime import errors

from services.export.tests.sample import IMAGES, OBJECTS, SUBJECT, dataset

OFFERED = [
    "CVAT for video 1.1",
    "CVAT for images 1.1",
    "PASCAL VOC 1.1",
    "Segmentation mask 1.1",
    "YOLO 1.1",
    "COCO 1.0",
    "TFRecord 1.0",
    "MOT 1.1",
    "LabelMe 3.0",
    "Datumaro 1.0",
]


def written(known: Format, memory_bytes: int) -> bytes:
    with dataset(memory_bytes=memory_bytes, image=lambda frame: [b"pixels"]) as made:
        return b"".join(zipped(known.write(made)))


@pytest.mark.parametrize("known", FORMATS, ids=lambda known: known.full_name)
def test_equal_content_gives_equal_bytes_whether_in_memory_or_in_files(known: Format) -> None:
    assert written(known, 1) == written(known, 10_000_000)


def test_formats_have_names_of_their_own() -> None:
    names = [known.full_name for known in FORMATS]
    assert names == [name for name in OFFERED if name in names]
    kinds = {"tag", "track", *(kind.name.lower() for kind in ShapeKind)}
    assert all(set(known.holds) <= kinds for known in FORMATS)


@pytest.mark.parametrize("known", FORMATS, ids=lambda known: known.full_name)
def test_blocks_leave_while_the_archive_is_written(known: Format) -> None:
    """The first block is there before the last object was read: nothing is gathered."""
    chance = random.Random(1)
    many = tuple(shape for frame in range(4000) for shape in _shapes(known, frame, chance))
    with dataset(AnnotationSet(shapes=many), replace(SUBJECT, last=3999)) as made:
        blocks = zipped(known.write(made))
        first = next(blocks)
        assert made.done < 0.9
        # The others would take ten times as long, and are as these.
        sizes = [len(first), *(len(block) for block in islice(blocks, 2))]
    assert len(sizes) > 2
    assert max(sizes) < BLOCK_BYTES + 100_000


def _shapes(known: Format, frame: int, chance: random.Random) -> list[Shape]:
    """As many numbers on each frame, whatever the format holds."""
    if "polygon" in known.holds:
        return [Shape(frame=frame, label_id=7, kind=ShapeKind.POLYGON, points=_outline(chance))]
    boxes = [(chance.random(), chance.random(), 1 + chance.random(), 1 + chance.random()) for _ in range(15)]
    return [Shape(frame=frame, label_id=7, kind=ShapeKind.RECTANGLE, points=box) for box in boxes]


def _outline(chance: random.Random) -> tuple[float, ...]:
    return tuple(chance.random() * 10 for _ in range(60))


def test_media_is_stored_and_text_deflated() -> None:
    members = [
        Member(name="a.xml", content=[b"x" * 1000]),
        Member(name="b.jpg", content=[b"y"], is_media=True),
    ]
    with zipfile.ZipFile(io.BytesIO(b"".join(zipped(members)))) as archive:
        first, second = archive.infolist()
    assert (first.compress_type, second.compress_type) == (zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED)
    assert first.compress_size < 100
    assert first.date_time == second.date_time == (1980, 1, 1, 0, 0, 0)


@pytest.mark.parametrize(
    ("name", "safe"),
    [("a/b.jpg", "a/b.jpg"), ("../../etc/passwd", "etc/passwd"), ("/a", "a"), ("..\\x\\y", "x/y")],
)
def test_paths_stay_inside(name: str, safe: str) -> None:
    assert safe_path(name) == safe


def test_a_writer_that_fails_leaves_no_whole_archive() -> None:
    def broken() -> Iterator[bytes]:
        yield b"x"
        raise errors.DataLoss("gone")

    with pytest.raises(errors.DataLoss):
        list(zipped([Member(name="a", content=broken())]))


def test_a_spool_is_read_as_often_as_wanted() -> None:
    with Spool(10) as spool:
        records = [bytes([number]) * number for number in range(9)]
        for record in records:
            spool.append(record)
        first = iter(spool)
        assert next(first) == b""
        assert list(spool) == records
        assert list(first) == records[1:]


def test_objects_that_come_out_of_order_are_not_written_wrongly() -> None:
    objects = AnnotationSet(tags=(Tag(frame=2, label_id=4), Tag(frame=1, label_id=4)))
    with dataset(objects) as made, pytest.raises(errors.Internal, match="out of order"):
        list(made.parts[0].tags())


def test_objects_of_a_frame_ascend_by_z_order_and_tracks_are_where_they_are() -> None:
    with dataset(subject=IMAGES) as made:
        pictures = list(made.pictures())
    assert [[drawn.kind.name for drawn in picture.objects] for picture in pictures] == [
        ["RECTANGLE"],
        ["ELLIPSE", "RECTANGLE", "POLYGON"],
        ["MASK", "POLYGON", "RECTANGLE"],
        ["POLYLINE", "POINTS", "CUBOID", "RECTANGLE"],
    ]
    assert pictures[1].objects[1].attributes == ((1, "red"), (2, "5.5"), (3, "a\nb <"))
    assert len(OBJECTS.tags) == sum(len(picture.tags) for picture in pictures)
