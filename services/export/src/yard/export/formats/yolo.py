"""YOLO 1.1, the layout of darknet: a text file an image with class and box, relative to the image's size.

By the definition of the format boxes lie inside the image: the envelope of a rotated one is cut to it. The
file of labels has the image's name with the extension replaced: images of equal stem get theirs twice.
"""

from collections.abc import Iterator

from yard.export.archives.archive import Member
from yard.export.datasets.dataset import Dataset
from yard.export.datasets.drawn import Frame
from yard.export.formats.boxes import Boxes
from yard.export.formats.format import Format
from yard.export.formats.yolo_reading import DIVISION, read

# Keys of obj.data that say something else than where a subset is.
RESERVED = ("classes", "names", "backup")
_BLOCK = 1024
_LINE, _FIELDS = "%d %.6f %.6f %.6f %.6f\n", 5


def write(dataset: Dataset) -> Iterator[Member]:
    """`obj.data`, `obj.names`, then for each subset its list of images and `obj_<subset>_data/`."""
    words = subset_words(dataset.subsets)
    names = [label.name for label in dataset.labels.labels]
    lists = [f"{word} = data/{word}.txt\n" for word in words.values()]
    head = [f"classes = {len(names)}\n", *lists, "names = data/obj.names\n", "backup = backup/\n"]
    yield Member(name="obj.data", content=["".join(head).encode()])
    yield Member(name="obj.names", content=["".join(f"{name}\n" for name in names).encode()])
    boxes = Boxes(dataset, "YOLO", clips=True)
    for subset, word in words.items():
        yield Member(name=f"{word}.txt", content=_list(dataset, subset, f"data/obj_{word}_data"))
        yield from _labels(dataset, boxes, subset, f"obj_{word}_data")
    for subset, word in words.items():
        yield from _images(dataset, subset, f"obj_{word}_data")


def subset_words(subsets: list[str]) -> dict[str, str]:
    """How subsets are called in obj.data; `default` is `train` there, as darknet calls it."""
    taken = {*RESERVED, *(subset for subset in subsets if subset not in RESERVED)}
    words = {}
    for subset in subsets:
        word = subset.replace("=", "_")
        if subset == "default" and "train" not in taken:
            word = "train"
        while (word != subset and word in taken) or word in RESERVED:
            word += "_"
        taken.add(word)
        words[subset] = word
    return words


def _list(dataset: Dataset, subset: str, folder: str) -> Iterator[bytes]:
    block: list[str] = []
    for frame in dataset.frames(subset):
        block.append(f"{folder}/{image_name(frame)}\n")
        if len(block) == _BLOCK:
            yield "".join(block).encode()
            block.clear()
    yield "".join(block).encode()


def _labels(dataset: Dataset, boxes: Boxes, subset: str, folder: str) -> Iterator[Member]:
    classes = {label.id: number for number, label in enumerate(dataset.labels.labels)}
    for picture in dataset.pictures(subset):
        frame = picture.frame
        across, down = 0.5 / frame.width, 0.5 / frame.height
        wide, high = 1 / frame.width, 1 / frame.height
        numbers: list[float] = []
        for left, top, right, bottom, drawn in boxes.of(picture):
            numbers += (
                classes[drawn.label_id],
                (left + right) * across,
                (top + bottom) * down,
                (right - left) * wide,
                (bottom - top) * high,
            )
        # One pattern for all lines: half the time of a line at a time.
        text = _LINE * (len(numbers) // _FIELDS) % tuple(numbers)
        yield Member(name=f"{folder}/{frame.item}.txt", content=[text.encode()])


def _images(dataset: Dataset, subset: str, folder: str) -> Iterator[Member]:
    if dataset.image is not None:
        for frame in dataset.frames(subset):
            name = f"{folder}/{image_name(frame)}"
            yield Member(name=name, content=dataset.image(frame), is_media=True)


def image_name(frame: Frame) -> str:
    """The image's name, whose stem is that of the file of labels."""
    _, dot, extension = frame.file_name.rpartition("/")[2].rpartition(".")
    return f"{frame.item}.{extension}" if dot else frame.item


YOLO = Format(
    name="YOLO",
    version="1.1",
    extension="zip",
    description=(
        "Darknet's text files with a class and a box a line, relative to the size of the image. Rotated "
        "rectangles become the upright boxes around them."
    ),
    holds=("rectangle",),
    for_interpolation=False,
    for_annotation=True,
    write=write,
    read=read,
    division=DIVISION,
)
