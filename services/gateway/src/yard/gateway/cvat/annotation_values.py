"""Annotations out of the JSON that clients send; all numbers of geometry are CVAT's."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

from frameyard.annotation.v1 import annotation_pb2 as messages
from yard.gateway.cvat.annotation_rows import SOURCES, TYPES
from yard.runtime import errors

T = TypeVar("T")

KINDS: Final = {name: kind for kind, name in TYPES.items()}
ORIGINS: Final = {**{name: number for number, name in SOURCES.items()}, "consensus": 2}
SECTIONS: Final = ("tags", "shapes", "tracks")
MOST_FAULTS: Final = 100
# Our names of what is wrong, as clients know them.
_NAMES: Final = ((r"\bkind\b", "type"), (r"\bkeyframes\b", "shapes"), (r"\battribute_id\b", "spec_id"))
_OUTER: Final = re.compile(r"^(annotations|create|update|delete)\.")


def annotation_set(data: Any) -> messages.AnnotationSet:
    """The objects; InvalidArgument names each that is malformed, by list and number."""
    if not isinstance(data, Mapping):
        raise errors.invalid("body", "must be an object with tags, shapes and tracks")
    faults: list[errors.Violation] = []
    lists = {name: _read(data.get(name), name, faults, _READERS[name]) for name in SECTIONS}
    if data.get("intervals"):
        faults.append(errors.Violation("intervals", "are not supported: tracks and tags have frames"))
    if faults:
        raise errors.InvalidArgument(violations=faults[:MOST_FAULTS])
    return messages.AnnotationSet(**lists)


def named_objects(data: Any) -> messages.AnnotationSet:
    """Objects by their ids alone: whoever deletes sends them whole, as they were read."""
    if not isinstance(data, Mapping):
        raise errors.invalid("body", "must be an object with tags, shapes and tracks")
    faults: list[errors.Violation] = []
    lists = {name: _read(data.get(name), name, faults, _NAMED[name]) for name in SECTIONS}
    if faults:
        raise errors.InvalidArgument(violations=faults[:MOST_FAULTS])
    return messages.AnnotationSet(**lists)


def identified(found: messages.AnnotationSet) -> tuple[messages.AnnotationSet, messages.AnnotationSet]:
    """Those without an id, and those with one."""
    new, known = messages.AnnotationSet(), messages.AnnotationSet()
    for name in SECTIONS:
        for item in getattr(found, name):
            getattr(known if item.id else new, name).append(item)
    return new, known


def renamed(fault: errors.InvalidArgument) -> errors.InvalidArgument:
    """The same fault with the names that clients use."""
    return errors.InvalidArgument(
        fault.message,
        [errors.Violation(_named(item.field), item.description) for item in fault.violations],
        reason=fault.reason,
    )


def _named(field: str) -> str:
    field = _OUTER.sub("", field)
    for ours, theirs in _NAMES:
        field = re.sub(ours, theirs, field)
    return field


def _read(items: Any, name: str, faults: list[errors.Violation], read: Callable[[Any], Any]) -> list[Any]:
    if items is None:
        return []
    if not isinstance(items, list):
        faults.append(errors.Violation(name, "must be a list"))
        return []
    found = []
    for number, item in enumerate(items):
        place = f"{name}[{number}]"
        try:
            found.append(read(item))
        except KeyError as missing:
            faults.append(errors.Violation(f"{place}.{missing.args[0]}", "is required"))
        except _Wrong as wrong:
            faults.append(errors.Violation(f"{place}.{wrong.field}", wrong.reason))
        except (TypeError, ValueError, AttributeError, OverflowError) as fault:
            faults.append(errors.Violation(place, f"is malformed: {fault}"))
    return found


class _Wrong(Exception):  # noqa: N818 - never leaves this module
    def __init__(self, field: str, reason: str) -> None:
        super().__init__(field, reason)
        self.field = field
        self.reason = reason


def _tag(item: Mapping[str, Any]) -> messages.Tag:
    return messages.Tag(
        id=item.get("id") or 0,
        frame=item["frame"],
        label_id=item["label_id"],
        group=item.get("group") or 0,
        source=_source(item),
        attributes=_attributes(item),
    )


def _shape(item: Mapping[str, Any]) -> messages.Shape:
    _refuse_elements(item)
    if item.get("outside"):
        raise _Wrong("outside", "a shape of one frame is not outside of it")
    return messages.Shape(
        id=item.get("id") or 0,
        frame=item["frame"],
        label_id=item["label_id"],
        kind=_kind(item),
        points=_points(item),
        rotation=_rotation(item),
        occluded=item.get("occluded") or False,
        z_order=item.get("z_order") or 0,
        group=item.get("group") or 0,
        source=_source(item),
        attributes=_attributes(item),
    )


def _track(item: Mapping[str, Any]) -> messages.Track:
    _refuse_elements(item)
    return messages.Track(
        id=item.get("id") or 0,
        label_id=item["label_id"],
        group=item.get("group") or 0,
        source=_source(item),
        attributes=_attributes(item),
        keyframes=[
            _within(f"shapes[{number}]", _keyframe, keyframe)
            for number, keyframe in enumerate(item["shapes"])
        ],
    )


def _keyframe(item: Mapping[str, Any]) -> messages.Keyframe:
    return messages.Keyframe(
        frame=item["frame"],
        kind=_kind(item),
        points=_points(item),
        rotation=_rotation(item),
        occluded=item.get("occluded") or False,
        outside=item.get("outside") or False,
        z_order=item.get("z_order") or 0,
        attributes=_attributes(item),
    )


def _within(place: str, read: Callable[[Any], T], item: Any) -> T:
    try:
        return read(item)
    except KeyError as missing:
        raise _Wrong(f"{place}.{missing.args[0]}", "is required") from missing
    except _Wrong as wrong:
        raise _Wrong(f"{place}.{wrong.field}", wrong.reason) from wrong
    except (TypeError, ValueError, AttributeError, OverflowError) as fault:
        raise _Wrong(place, f"is malformed: {fault}") from fault


def _refuse_elements(item: Mapping[str, Any]) -> None:
    if item.get("elements"):
        raise _Wrong("elements", "skeletons are not supported")


def _kind(item: Mapping[str, Any]) -> Any:
    kind = KINDS.get(item["type"])
    if kind is None:
        raise _Wrong("type", f"{item['type']!r} is none of {', '.join(KINDS)}")
    return kind


def _rotation(item: Mapping[str, Any]) -> float:
    """A whole turn, which clients may send, is none."""
    given: float = item.get("rotation") or 0.0
    return 0.0 if given == 360 else given


def _source(item: Mapping[str, Any]) -> Any:
    name = item.get("source") or "manual"
    number = ORIGINS.get(name)
    if number is None:
        raise _Wrong("source", f"{name!r} is none of {', '.join(ORIGINS)}")
    return number


def _points(item: Mapping[str, Any]) -> Sequence[float]:
    points: Sequence[float] = item.get("points") or ()
    if not isinstance(points, list | tuple):
        raise _Wrong("points", "must be a list of numbers")
    return points


def _attributes(item: Mapping[str, Any]) -> list[messages.AttributeValue]:
    given = item.get("attributes")
    if not given:
        return []
    return [
        messages.AttributeValue(attribute_id=value["spec_id"], value=_text(value["value"])) for value in given
    ]


def _text(value: Any) -> str:
    """Clients send truth values and numbers as such now and then."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str | int | float):
        raise _Wrong("attributes", f"a value must be a text, got {str(value)[:40]!r}")
    return str(value)


_READERS: Final[Mapping[str, Callable[[Any], Any]]] = {"tags": _tag, "shapes": _shape, "tracks": _track}
_NAMED: Final[Mapping[str, Callable[[Any], Any]]] = {
    "tags": lambda item: messages.Tag(id=item["id"]),
    "shapes": lambda item: messages.Shape(id=item["id"]),
    "tracks": lambda item: messages.Track(id=item["id"]),
}
