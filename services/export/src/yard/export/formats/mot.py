"""MOT 1.1, the text of MOTChallenge: a row a box with the frame's position from 1 and the track's number.

Positions count from the first frame of the task or job, deleted ones too, so that rows fit the frames again;
boxes may reach beyond the frame. Several tasks are several sequences, each in a folder of its own.
"""

from collections.abc import Iterator
from functools import lru_cache

from yard.export.archives.archive import Member
from yard.export.datasets.dataset import Dataset
from yard.export.datasets.drawn import Drawn, Values
from yard.export.datasets.parts import Part
from yard.export.formats.boxes import Boxes
from yard.export.formats.division import Division, key_by
from yard.export.formats.format import Format
from yard.export.formats.list_survey import survey_mot
from yard.export.formats.losses import Losses
from yard.export.formats.mot_reading import IGNORED, VISIBILITY, is_column, read

SHOWN = "its column is that of the attribute 'visibility'"
_ROW, _VALUES = "%d,%d,%.2f,%.2f,%.2f,%.2f%s", 7
# What two decimals can tell of a box, which would be none otherwise.
_LEAST = 0.01
_BLOCK_VALUES = 1024 * _VALUES
_CACHED = 4096


def write(dataset: Dataset) -> Iterator[Member]:
    """`gt/gt.txt`, `gt/labels.txt` and, if wanted, `img1/`."""
    names = "".join(f"{label.name}\n" for label in dataset.labels.labels).encode()
    boxes = Boxes(dataset, "MOT", keeps=frozenset({"track", "occluded"}), is_kept=is_column, clips=False)
    for part in dataset.parts:
        folder = _folder(dataset, part)
        yield Member(name=f"{folder}gt/gt.txt", content=_rows(dataset, boxes, part))
        yield Member(name=f"{folder}gt/labels.txt", content=[names])
    for part in dataset.parts:
        yield from _images(dataset, part, f"{_folder(dataset, part)}img1")


def _folder(dataset: Dataset, part: Part) -> str:
    if len(dataset.parts) == 1:
        return ""
    return f"{part.subject.subset_name}/task_{part.subject.task_id}/"


def _rows(dataset: Dataset, boxes: Boxes, part: Part) -> Iterator[bytes]:
    first = part.subject.first - 1
    tails = _Tails(dataset, part.number)
    plain = tails.plain
    values: list[float | str] = []
    for picture in part.pictures():
        position = picture.frame.number - first
        for left, top, right, bottom, drawn in boxes.of(picture):
            pair = plain.get(drawn.label_id)
            tail = pair[drawn.occluded] if pair else tails.of(drawn)
            width, height = right - left, bottom - top
            if width < _LEAST or height < _LEAST:
                width, height = max(width, _LEAST), max(height, _LEAST)
            values += (position, drawn.track + 1 or -1, left, top, width, height, tail)
        if len(values) >= _BLOCK_VALUES:
            yield _text(values)
            values.clear()
    yield _text(values)


def _text(values: list[float | str]) -> bytes:
    # One pattern for all rows: half the time of a row at a time.
    return (_ROW * (len(values) // _VALUES) % tuple(values)).encode()


class _Tails:
    """The last three columns: whether the box counts, its class, which share of it can be seen."""

    def __init__(self, dataset: Dataset, part: int) -> None:
        schema = dataset.labels
        self._part = part
        self._losses = Losses(dataset)
        self._classes = {label.id: number for number, label in enumerate(schema.labels, 1)}
        self._columns = {
            label.id: {one.id: one.name for one in label.attributes if is_column(one)}
            for label in schema.labels
        }
        self._cached = lru_cache(maxsize=_CACHED)(self._written)
        self.plain = {
            id_: (self._written(id_, (), occluded=False), self._written(id_, (), occluded=True))
            for id_, columns in self._columns.items()
            if not columns
        }
        """Of visible and of occluded objects, by label, where attributes do not matter."""

    def of(self, drawn: Drawn) -> str:
        """Of an object whose attributes matter."""
        if drawn.occluded and VISIBILITY in self._columns[drawn.label_id].values():
            self._losses.note(self._part, drawn, "occluded", SHOWN)
        return self._cached(drawn.label_id, drawn.attributes, occluded=drawn.occluded)

    def _written(self, label_id: int, values: Values, *, occluded: bool) -> str:
        names = self._columns[label_id]
        named = {names[key]: value for key, value in values if key in names}
        counts = named.get(IGNORED) != "true"
        return f",{counts:d},{self._classes[label_id]},{named.get(VISIBILITY) or int(not occluded)}\n"


def _images(dataset: Dataset, part: Part, folder: str) -> Iterator[Member]:
    if dataset.image is not None:
        for frame in part.frames():
            extension = frame.file_name.rpartition("/")[2].rpartition(".")[2]
            name = f"{folder}/{frame.number - part.subject.first + 1:06}.{extension}"
            yield Member(name=name, content=dataset.image(frame), is_media=True)


MOT = Format(
    name="MOT",
    version="1.1",
    extension="zip",
    description=(
        "The text format of MOTChallenge: boxes with the numbers of their tracks, frame by frame. Attributes "
        "`ignored` and `visibility` are columns; without the latter occluded objects have visibility 0."
    ),
    holds=("rectangle", "track"),
    keeps=("occluded",),
    for_interpolation=True,
    for_annotation=False,
    write=write,
    read=read,
    division=Division(survey=survey_mot, key_of=key_by(r"(?:(.+)/)?(?:gt|img1)/.+")),
)
