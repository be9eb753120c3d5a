"""TFRecord 1.0: a record an image, as TensorFlow's object detection reads them.

Boxes are shares of the image, cut to it; numbers of classes begin at 1. A record without boxes has
empty lists.
"""

import hashlib
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import chain

import numpy as np
from yard.annotations.model import ShapeKind
from yard.export.archives.archive import Member
from yard.export.datasets.dataset import Dataset
from yard.export.datasets.drawn import Frame, Picture
from yard.export.formats import label_map
from yard.export.formats.box_blocks import in_groups
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
_FLOAT_BYTES = 4
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
    for record in chain.from_iterable(map(records.of, in_groups(dataset.pictures(subset)))):
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
        self._boxes = Boxes(dataset, "TFRecord", enclosed=_ENCLOSED, clips=True)
        self._image = dataset.image
        labels = list(enumerate(dataset.labels.labels, 1))
        self._numbers = {label.id: varint(number) for number, label in labels}
        self._texts = {label.id: text_value(label.name.encode()) for _, label in labels}

    def of(self, pictures: Sequence[Picture]) -> Iterator[bytes]:
        """The Examples of some pictures."""
        found = [self._boxes.of(picture) for picture in pictures]
        sides = _sides(pictures, found)
        begin = 0
        for (frame, _, _), boxes in zip(pictures, found, strict=True):
            end = begin + _FLOAT_BYTES * len(boxes)
            yield self._record(frame, boxes, [side[begin:end] for side in sides])
            begin = end

    def _record(self, frame: Frame, boxes: list[Box], sides: list[bytes]) -> bytes:
        """The Example of a frame, its features by name."""
        encoded, middle = _NO_IMAGE, _about("", b"", frame.height)
        if self._image is not None and (content := b"".join(self._image(frame))):
            encoded = feature("image/encoded", TEXTS, text_value(content))
            checksum = hashlib.sha256(content).hexdigest().encode()
            middle = _about(_format(frame), checksum, frame.height)
        name = text_value(frame.file_name.encode())
        ids = [drawn.label_id for _, _, _, _, drawn in boxes]
        right, left, bottom, top = sides
        return example(
            (
                encoded,
                feature("image/filename", TEXTS, name),
                middle,
                feature("image/object/bbox/xmax", FLOATS, right),
                feature("image/object/bbox/xmin", FLOATS, left),
                feature("image/object/bbox/ymax", FLOATS, bottom),
                feature("image/object/bbox/ymin", FLOATS, top),
                feature("image/object/class/label", NUMBERS, b"".join([self._numbers[id_] for id_ in ids])),
                feature("image/object/class/text", TEXTS, b"".join([self._texts[id_] for id_ in ids])),
                feature("image/source_id", TEXTS, name),
                _width(frame.width),
            )
        )


_NO_IMAGE = feature("image/encoded", TEXTS, text_value(b""))


@lru_cache(256)
def _about(kind: str, checksum: bytes, height: int) -> bytes:
    """What stands between the name and the boxes; the same in all records without images of one size."""
    return (
        feature("image/format", TEXTS, text_value(kind.encode()))
        + feature("image/height", NUMBERS, varint(height))
        + feature("image/key/sha256", TEXTS, text_value(checksum))
    )


@lru_cache(256)
def _width(width: int) -> bytes:
    return feature("image/width", NUMBERS, varint(width))


def _sides(pictures: Sequence[Picture], found: Sequence[list[Box]]) -> list[bytes]:
    """Right, left, bottom and top of all boxes as shares of their pictures, packed."""
    counts = [len(boxes) for boxes in found]
    numbers = chain.from_iterable(box[:4] for box in chain.from_iterable(found))
    left, top, right, bottom = np.fromiter(numbers, np.float64, 4 * sum(counts)).reshape(-1, 4).T
    across = np.repeat([1 / picture.frame.width for picture in pictures], counts)
    down = np.repeat([1 / picture.frame.height for picture in pictures], counts)
    return [
        side.astype("<f4").tobytes() for side in (right * across, left * across, bottom * down, top * down)
    ]


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
