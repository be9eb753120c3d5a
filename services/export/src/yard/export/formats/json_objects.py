"""What readers of JSON formats share: objects on their way from parsed values to an intake."""

import marshal
import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

from yard.annotations.labels import Label
from yard.export.archives.opened import Entry, Opened
from yard.export.formats.json_text import CACHED, KEYFRAME, OCCLUDED, OWN, ROTATION, TRACK
from yard.export.intakes.attribute_texts import NOT_DECLARED
from yard.export.intakes.intake import NONE, Intake
from yard.export.wording.json_stream import JsonError, JsonStream

_LONGEST_KNOWN = 1000
_NUMBERS = frozenset({int, float})


Place = TypeVar("Place")


class ObjectError(ValueError):
    """What is wrong with one object of the file."""


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
        self._known: dict[tuple[int, bytes], tuple[Given, int]] = {}
        self._names = {
            label.id: frozenset(attribute.name for attribute in label.attributes)
            for label in intake.labels.labels
        }

    def declares(self, label: Label, name: str) -> bool:
        """Whether objects with the label have an attribute of this name."""
        return name in self._names[label.id]

    def of(self, label: Label, given: object, place: Place, words: Callable[[Place], str]) -> Given:
        """Reads the member `attributes`, taking from it what is the track's; raises ObjectError.

        `words` are those for the place of the object in the file.
        """
        if not given or given == _NOTHING:
            return PLAIN
        if not isinstance(given, dict):
            raise ObjectError("attributes must be an object")
        track = given.pop(TRACK, None)
        is_keyframe = given.pop(KEYFRAME, True) is not False
        found = self._found(label, given, place, words)
        if track is None:
            return found
        if not isinstance(track, int | str):
            raise ObjectError(f"{TRACK} must be a whole number or a text")
        return found._replace(track=track, is_keyframe=is_keyframe)

    def _found(
        self, label: Label, given: dict[str, Any], place: Place, words: Callable[[Place], str]
    ) -> Given:
        # Bytes tell 1 from true and 1.0, which are equal keys otherwise; version 2 has no references.
        key = (label.id, marshal.dumps(given, 2))
        known = self._known.get(key)
        if known is None:
            found = self._read(label, given, words(place))
            if len(self._known) >= CACHED:
                self._known.clear()
            if len(key[1]) <= _LONGEST_KNOWN:
                self._known[key] = found, len(given.keys() - OWN - self._names[label.id])
            return found
        found, undeclared = known
        if undeclared:
            self._intake.ignore("attribute", NOT_DECLARED, undeclared)
        return found

    def _read(self, label: Label, given: dict[str, Any], where: str) -> Given:
        values = {name: value for name, value in given.items() if name not in OWN}
        for name, value in values.items():
            if not _is_text(name) or (isinstance(value, str) and not _is_text(value)):
                raise ObjectError(f"the attribute {name[:60]!r} holds characters that are none")
        attributes = self._intake.attributes(label, values, where) if values else NONE
        occluded = _switch(given.get(OCCLUDED, False), OCCLUDED)
        return Given(attributes, occluded, _rotation(given.get(ROTATION, 0)), None, True)


class Document(Protocol):
    """Takes the outermost members of a file."""

    def take(self, name: str, json: JsonStream) -> bool:
        """Reads the member or leaves it; False: what it builds on comes later in the file."""

    def flush(self) -> None:
        """Hands over what waits, so that its faults are told before others."""

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

        document = begin(entry.name)
        try:
            _read_document(opened, entry, document, progress)
        except JsonError as wrong:
            document.flush()
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
    try:
        # A sum is finite if all are; what is too large to be added is too large.
        if _NUMBERS.issuperset(map(type, given)) and math.isfinite(sum(given)):
            return given
    except OverflowError:
        pass
    raise ObjectError(f"{str(given)[:60]} does not hold finite numbers only")


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
