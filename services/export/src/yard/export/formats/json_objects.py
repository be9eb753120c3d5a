"""What readers of JSON formats share: objects on their way from parsed values to an intake."""

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple, Protocol

import numpy as np
from yard.annotations.labels import Label
from yard.annotations.model import ShapeKind
from yard.export.formats.intake import NONE, FoundShape, Intake
from yard.export.formats.json_stream import JsonError, JsonStream
from yard.export.formats.json_text import CACHED, KEYFRAME, OCCLUDED, OWN, ROTATION, TRACK
from yard.export.formats.opened import Entry, Opened
from yard.export.formats.track_rows import TrackRows

_ROWS = 4096
# Fewer boxes are not worth the making of arrays.
_FEW = 8
_NO_MASK_TRACKS = "masks cannot be tracked: each frame has a mask of its own"
_NUMBERS = (int, float)


class ObjectError(ValueError):
    """What is wrong with one object of the file."""


Corners = tuple[float, float, float, float]


class Given(NamedTuple):
    """The attributes of an object, apart from what the file keeps among them."""

    attributes: Mapping[int, str]
    occluded: bool
    rotation: float
    track: Hashable
    """None: a shape."""
    is_keyframe: bool


# What most boxes carry.
_NOTHING = {OCCLUDED: False, ROTATION: 0.0}
PLAIN = Given(NONE, False, 0.0, None, False)


class AttributeReader:
    """Turns JSON attributes into those of labels; most objects share theirs with others."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self._cache: dict[Hashable, dict[int, str]] = {}
        self._names = {
            label.id: frozenset(attribute.name for attribute in label.attributes)
            for label in intake.labels.labels
        }

    def declares(self, label: Label, name: str) -> bool:
        """Whether objects with the label have an attribute of this name."""
        return name in self._names[label.id]

    def of(self, label: Label, given: object, where: str) -> Given:
        """Reads the member `attributes`; raises ObjectError."""
        if not given:
            return PLAIN
        if not isinstance(given, dict):
            raise ObjectError("attributes must be an object")
        if given == _NOTHING:
            return PLAIN
        values = {name: value for name, value in given.items() if name not in OWN}
        attributes = self.values(label, values, where) if values else NONE
        track = given.get(TRACK)
        if track is not None and not isinstance(track, int | str):
            raise ObjectError(f"{TRACK} must be a whole number or a text")
        is_keyframe = given.get(KEYFRAME, True) is not False
        occluded = _switch(given.get(OCCLUDED, False), OCCLUDED)
        return Given(attributes, occluded, _rotation(given.get(ROTATION, 0)), track, is_keyframe)

    def values(self, label: Label, values: dict[str, Any], where: str) -> Mapping[int, str]:
        """The values by attribute id."""
        # Equal numbers, switches and texts differ by their types only.
        key = (label.id, tuple(values.items()), tuple(map(type, values.values())))
        with suppress(TypeError):
            if (known := self._cache.get(key)) is not None:
                return known
        for name, value in values.items():
            if isinstance(value, str) and not _is_text(value):
                raise ObjectError(f"the value of {name!r} holds characters that are none")
        found = self._intake.attributes(label, values, where)
        # What the label does not declare has to be counted each time.
        if values.keys() <= self._names[label.id]:
            if len(self._cache) >= CACHED:
                self._cache.clear()
            with suppress(TypeError):
                self._cache[key] = found
        return found


class Objects:
    """Hands shapes to the intake, many plain boxes at a time, and rows of tracks to their tracks."""

    def __init__(self, intake: Intake, tracks: TrackRows) -> None:
        self._intake = intake
        self._tracks = tracks
        self._frames: list[int] = []
        self._labels: list[int] = []
        self._corners: list[Corners] = []
        self._places: list[str] = []

    def box(self, frame: int, label_id: int, corners: Corners, where: str) -> None:
        """Takes a rectangle without any property."""
        self._frames.append(frame)
        self._labels.append(label_id)
        self._corners.append(corners)
        self._places.append(where)
        if len(self._frames) == _ROWS:
            self.flush()

    def add(self, label: Label, shape: FoundShape, given: Given, where: str) -> None:
        """Takes any other shape, or the state of a track."""
        if given.track is None:
            if self._frames:
                self.flush()
            self._intake.shape(shape, where)
        elif shape.kind is ShapeKind.MASK:
            self._intake.ignore("track", _NO_MASK_TRACKS)
            self._intake.shape(shape, where)
        else:
            self._tracks.add(given.track, label, shape, is_keyframe=given.is_keyframe, where=where)

    def flush(self) -> None:
        """Hands over the boxes that wait."""
        frames, labels, corners, places = self._frames, self._labels, self._corners, self._places
        self._frames, self._labels, self._corners, self._places = [], [], [], []
        sizes = np.asarray(corners, dtype=np.float64).reshape(-1, 4)
        sound = np.isfinite(sizes).all(axis=1) & (sizes[:, :2] < sizes[:, 2:]).all(axis=1)
        if len(frames) > _FEW and sound.all():
            where = f"{places[0]} and what follows it"
            self._intake.boxes(np.asarray(frames), np.asarray(labels), sizes, where)
            return
        # One by one, so that faults name their objects.
        for frame, label_id, box, where in zip(frames, labels, corners, places, strict=True):
            self._intake.shape(FoundShape(frame, label_id, ShapeKind.RECTANGLE, box), where)


class Document(Protocol):
    """Takes the outermost members of a file."""

    def take(self, name: str, json: JsonStream) -> bool:
        """Reads the member or leaves it; False: what it builds on comes later in the file."""

    def close(self) -> None:
        """Hands over what still waits, at the end of the file."""


def read_documents(
    opened: Opened, intake: Intake, entries: Sequence[Entry], begin: Callable[[str], Document]
) -> None:
    """Goes through files, `begin` starts one by its name."""
    total, before = max(1, sum(entry.size for entry in entries)), 0
    for entry in entries:
        done = before / total
        share = entry.size / total

        def progress(read: int, done: float = done, share: float = share, size: int = entry.size) -> None:
            intake.read(done + share * min(1.0, read / max(1, size)))

        try:
            _read_document(opened, entry, begin(entry.name), progress)
        except JsonError as wrong:
            intake.refuse(entry.name, str(wrong))
        before += entry.size


def _read_document(opened: Opened, entry: Entry, document: Document, progress: Callable[[int], None]) -> None:
    """Reads twice if the members come in another order than they build on one another."""
    done: set[str] = set()
    postponed: set[str] = set()
    for _ in range(2):
        postponed.clear()
        with opened.open(entry) as file:
            json = JsonStream(file, progress)
            for name in json.members():
                if name not in done and document.take(name, json):
                    done.add(name)
                    continue
                if name not in done:
                    postponed.add(name)
                json.skip()
            json.end()
        if not postponed:
            break
    if postponed:
        raise JsonError(f"what {', '.join(sorted(postponed))} build on is missing")
    document.close()


def numbers(given: object, count: int | None = None) -> list[float]:
    """A list of numbers, as many as wanted; raises ObjectError."""
    if not isinstance(given, list) or (count is not None and len(given) != count):
        raise ObjectError(f"{str(given)[:60]} is not a list of {'' if count is None else f'{count} '}numbers")
    for number in given:
        if type(number) not in _NUMBERS or not -1e300 < number < 1e300:
            raise ObjectError(f"{str(number)[:60]} is not a finite number")
    return given


def whole(given: object, name: str) -> int:
    """A whole number that a database can hold; raises ObjectError."""
    if type(given) is not int or not -(2**31) <= given < 2**31:
        raise ObjectError(f"{name} must be a whole number, not {str(given)[:60]}")
    return given


def text(given: object, name: str) -> str:
    """A text without halves of characters; raises ObjectError."""
    if not isinstance(given, str) or not _is_text(given):
        raise ObjectError(f"{name} must be a text")
    return given


def _is_text(given: str) -> bool:
    try:
        given.encode()
    except UnicodeEncodeError:
        return False
    return True


def _switch(given: object, name: str) -> bool:
    if given in (True, False):
        return bool(given)
    raise ObjectError(f"{name} must be true or false")


def _rotation(given: object) -> float:
    if type(given) not in _NUMBERS or not math.isfinite(given):  # type: ignore[arg-type]
        raise ObjectError(f"{ROTATION} must be a finite number of degrees")
    return float(given) % 360 % 360  # type: ignore[arg-type]
