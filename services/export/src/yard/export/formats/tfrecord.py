"""TFRecord 1.0: a record an image, as TensorFlow's object detection reads them.

Boxes are shares of the image, cut to it; numbers of classes begin at 1. A record without boxes has
empty lists.
"""

import hashlib
import sys
from array import array
from collections.abc import Iterator
from itertools import chain

from yard.annotations.model import ShapeKind
from yard.export.archives.archive import Member
from yard.export.datasets.dataset import Dataset
from yard.export.datasets.drawn import Frame
from yard.export.formats import label_map
from yard.export.formats.boxes import Box, Boxes
from yard.export.formats.format import Format
from yard.export.formats.tfrecord_reading import read
from yard.export.formats.tfrecord_wire import (
    FLOATS,
    NUMBERS,
    TEXTS,
    example,
    feature,
    framed,
    text_value,
    varint,
)

_BLOCK_BYTES = 65_536
_ENCLOSED = frozenset({ShapeKind.ELLIPSE, ShapeKind.MASK})
_FORMATS = {"jpg": "jpeg", "jpe": "jpeg", "jfif": "jpeg"}


def write(dataset: Dataset) -> Iterator[Member]:
    """`label_map.pbtxt` and `<subset>.tfrecord`."""
    names = [label.name for label in dataset.labels.labels]
    yield Member(name="label_map.pbtxt", content=[label_map.written(names).encode()])
    records = _Records(dataset)
    for subset in dataset.subsets:
        yield Member(name=f"{subset}.tfrecord", content=_blocks(dataset, records, subset))


def _blocks(dataset: Dataset, records: "_Records", subset: str) -> Iterator[bytes]:
    block: list[bytes] = []
    size = 0
    for picture in dataset.pictures(subset):
        record = records.record(picture.frame, records.boxes.of(picture))
        block.append(framed(record))
        size += len(record)
        if size > _BLOCK_BYTES:
            yield b"".join(block)
            block.clear()
            size = 0
    yield b"".join(block)


class _Records:
    """Makes records; what is the same in all of them is made once."""

    def __init__(self, dataset: Dataset) -> None:
        self.boxes = Boxes(dataset, "TFRecord", enclosed=_ENCLOSED, clips=True)
        self._image = dataset.image
        labels = list(enumerate(dataset.labels.labels, 1))
        self._numbers = {label.id: varint(number) for number, label in labels}
        self._texts = {label.id: text_value(label.name.encode()) for _, label in labels}

    def record(self, frame: Frame, boxes: list[Box]) -> bytes:
        """The Example of a frame, its features by name."""
        content = b"" if self._image is None else b"".join(self._image(frame))
        checksum = hashlib.sha256(content).hexdigest().encode() if content else b""
        name = text_value(frame.file_name.encode())
        kind = _format(frame) if content else ""
        ids = [drawn.label_id for *_, drawn in boxes]
        across, down = 1 / frame.width, 1 / frame.height
        sides = chain(
            [right * across for _, _, right, _, _ in boxes],
            [left * across for left, _, _, _, _ in boxes],
            [bottom * down for _, _, _, bottom, _ in boxes],
            [top * down for _, top, _, _, _ in boxes],
        )
        packed, size = _packed(sides), 4 * len(boxes)
        return example(
            (
                feature("image/encoded", TEXTS, text_value(content)),
                feature("image/filename", TEXTS, name),
                feature("image/format", TEXTS, text_value(kind.encode())),
                feature("image/height", NUMBERS, varint(frame.height)),
                feature("image/key/sha256", TEXTS, text_value(checksum)),
                feature("image/object/bbox/xmax", FLOATS, packed[:size]),
                feature("image/object/bbox/xmin", FLOATS, packed[size : 2 * size]),
                feature("image/object/bbox/ymax", FLOATS, packed[2 * size : 3 * size]),
                feature("image/object/bbox/ymin", FLOATS, packed[3 * size :]),
                feature("image/object/class/label", NUMBERS, b"".join([self._numbers[id_] for id_ in ids])),
                feature("image/object/class/text", TEXTS, b"".join([self._texts[id_] for id_ in ids])),
                feature("image/source_id", TEXTS, name),
                feature("image/width", NUMBERS, varint(frame.width)),
            )
        )


def _packed(values: Iterator[float]) -> bytes:
    packed = array("f", values)
    if sys.byteorder == "big":
        packed.byteswap()
    return packed.tobytes()


def _format(frame: Frame) -> str:
    extension = frame.file_name.rpartition(".")[2].lower()
    return _FORMATS.get(extension, extension)


TFRECORD = Format(
    name="TFRecord",
    version="1.0",
    extension="zip",
    description=(
        "Records of TensorFlow's object detection with boxes. Rotated rectangles, ellipses and masks become "
        "the upright boxes around them."
    ),
    holds=("rectangle",),
    for_interpolation=False,
    for_annotation=True,
    write=write,
    read=read,
    bare=("tfrecord",),
)
