"""Labels as the JSON text that people keep in files and copy from one tool into another.

A list of labels with `name`, `color`, `type` and `attributes`, these with `name`, `input_type`, `mutable`,
`values` and `default_value`; ids are those of labels that there are already. The values of a number are
minimum, maximum and step, the value of a text or of a yes-or-no is its default.

parse     text to labels, with all faults by their place, such as `[0].attributes[1].values`
written   labels to text
canonical what a label looks like after both
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeVar

from yard.annotations.errors import AnnotationError, Fault
from yard.annotations.labels import Attribute, AttributeInput, Label, LabelKind, label_faults
from yard.annotations.raw_json import Odd, loaded

_KINDS: Final = {kind.name.lower(): kind for kind in LabelKind} | {"bbox": LabelKind.RECTANGLE}
_NOT_SUPPORTED: Final = ("skeleton", "cuboid_3d")
_INPUTS: Final = {kind.name.lower(): kind for kind in AttributeInput}
_LABEL_KEYS: Final = frozenset({"id", "name", "color", "type", "attributes", "svg", "sublabels"})
_ATTRIBUTE_KEYS: Final = frozenset({"id", "name", "mutable", "input_type", "values", "default_value"})
# So many keys that mean nothing are named.
_MOST_UNKNOWN: Final = 1_000
_LONGEST_KEY: Final = 64
_LARGEST_ID: Final = 2**63 - 1
_Choice = TypeVar("_Choice", AttributeInput, LabelKind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """Labels of a text; those without a colour have "". `unknown_keys` are places of what was left out."""

    labels: list[Label]
    unknown_keys: list[str]


def parse(text: str) -> Parsed:
    """Labels of a text; AnnotationError names all that is wrong with it."""
    reader = _Reader()
    labels = reader.labels(loaded(text))
    broken = tuple(fault.field for fault in reader.faults)
    rules = label_faults(labels, path="")
    found = reader.faults + [fault for fault in rules if not fault.field.startswith(broken)]
    if found:
        raise AnnotationError(found)
    return Parsed(labels=list(map(canonical, labels)), unknown_keys=reader.unknown)


def written(labels: Iterable[Label], *, with_ids: bool = True) -> str:
    """The text of labels; without ids it makes new ones wherever it is read."""
    raw = [_raw_label(canonical(label), with_ids=with_ids) for label in labels]
    return json.dumps(raw, ensure_ascii=False, indent=2)


def canonical(label: Label) -> Label:
    """The same label without what follows from the rest of it."""
    return replace(
        label, color=label.color.lower(), attributes=tuple(map(_canonical_attribute, label.attributes))
    )


def _canonical_attribute(attribute: Attribute) -> Attribute:
    has_no_choice = attribute.input is AttributeInput.TEXT or attribute.is_boolean
    bare = replace(attribute, values=() if has_no_choice else attribute.values, default_value=None)
    return bare if bare.default == attribute.default else replace(bare, default_value=attribute.default)


def _raw_label(label: Label, *, with_ids: bool) -> dict[str, Any]:
    raw: dict[str, Any] = {"id": label.id} if with_ids and label.id else {}
    return raw | {
        "name": label.name,
        "color": label.color,
        "type": label.kind.name.lower(),
        "attributes": [_raw_attribute(one, with_ids=with_ids) for one in label.attributes],
    }


def _raw_attribute(attribute: Attribute, *, with_ids: bool) -> dict[str, Any]:
    raw: dict[str, Any] = {"id": attribute.id} if with_ids and attribute.id else {}
    return raw | {
        "name": attribute.name,
        "input_type": attribute.input.name.lower(),
        "mutable": attribute.mutable,
        # Others want at least one value of each attribute.
        "values": list(attribute.values) or [attribute.default],
        "default_value": attribute.default,
    }


@dataclass(slots=True)
class _Reader:
    """Makes labels of what JSON holds, with placeholders where it holds something else."""

    faults: list[Fault] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)

    def labels(self, raw: object) -> list[Label]:
        items = self._list(raw, "")
        return [self._label(item, f"[{index}]") for index, item in enumerate(items)]

    def _label(self, raw: object, place: str) -> Label:
        entry = self._object(raw, place, _LABEL_KEYS)
        if entry.get("svg") or entry.get("sublabels"):
            self._fault(f"{place}.type", "is a skeleton, which is not supported")
        attributes = self._list(entry.get("attributes") or [], f"{place}.attributes")
        return Label(
            id=self._id(entry, place),
            name=self._text(entry, "name", place),
            color=self._text(entry, "color", place, "").lower(),
            kind=self._choice(entry, "type", place, _KINDS, LabelKind.ANY) or LabelKind.ANY,
            attributes=tuple(
                self._attribute(item, f"{place}.attributes[{number}]")
                for number, item in enumerate(attributes)
            ),
        )

    def _attribute(self, raw: object, place: str) -> Attribute:
        entry = self._object(raw, place, _ATTRIBUTE_KEYS)
        kind = self._choice(entry, "input_type", place, _INPUTS, None)
        values = self._values(entry, place)
        default: str | None = None
        if entry.get("default_value") is not None:
            default = self._text(entry, "default_value", place)
        is_free = kind is AttributeInput.TEXT
        is_choice_of_many = kind is AttributeInput.CHECKBOX and len(values) > 1
        if default == "" and not is_choice_of_many:
            # Nothing, as others write it.
            default = None
        if is_free and len(values) > 1:
            self._fault(f"{place}.values", "takes at most one value, the default text")
        if is_free and default is None and values:
            default = values[0]
        if kind is AttributeInput.NUMBER and len(values) == 1:
            values = tuple(values[0].split(";"))
        return Attribute(
            id=self._id(entry, place),
            name=self._text(entry, "name", place),
            input=kind or AttributeInput.TEXT,
            mutable=self._flag(entry, "mutable", place),
            values=() if is_free or kind is None else values,
            default_value=None if kind is None else default,
        )

    def _values(self, entry: Mapping[str, object], place: str) -> tuple[str, ...]:
        items = self._list(entry.get("values") or [], f"{place}.values")
        texts = {f"values[{number}]": item for number, item in enumerate(items)}
        return tuple(self._text(texts, key, place) for key in texts)

    def _object(self, raw: object, place: str, known: frozenset[str]) -> Mapping[str, object]:
        if isinstance(raw, Odd):
            for key in sorted(raw.repeated):
                self._fault(f"{place}.{_shown(key)}", "is given more than once")
            raw = raw.entries
        if not isinstance(raw, dict):
            self._fault(place, f"must be an object, not {_kind_of(raw)}")
            # Nothing else is said of it.
            return {"name": "?", "input_type": "text"}
        unknown = (f"{place}.{_shown(key)}" for key in raw if key not in known)
        self.unknown.extend(key for key in unknown if len(self.unknown) < _MOST_UNKNOWN)
        return raw

    def _list(self, raw: object, place: str) -> list[object]:
        if isinstance(raw, list):
            return raw
        self._fault(place or "[]", f"must be a list, not {_kind_of(raw)}")
        return []

    def _text(self, entry: Mapping[str, object], key: str, place: str, absent: str | None = None) -> str:
        value = entry.get(key)
        if value is None and absent is not None:
            return absent
        if not isinstance(value, str):
            wrong = "is missing" if value is None else f"must be a text, not {_kind_of(value)}"
            self._fault(f"{place}.{key}", wrong)
        elif _is_broken(value):
            self._fault(f"{place}.{key}", "holds half a character")
        else:
            return value
        # Unlike all others, so that nothing else is said of it.
        return f"{place}.{key}"

    def _choice(
        self,
        entry: Mapping[str, object],
        key: str,
        place: str,
        choices: Mapping[str, _Choice],
        absent: _Choice | None,
    ) -> _Choice | None:
        text = self._text(entry, key, place, None if absent is None else "").lower()
        if text in choices:
            return choices[text]
        if text in _NOT_SUPPORTED:
            self._fault(f"{place}.{key}", f"is {text}, which is not supported")
        elif text or absent is None:
            self._fault(f"{place}.{key}", f"must be one of {', '.join(choices)}")
        return absent

    def _flag(self, entry: Mapping[str, object], key: str, place: str) -> bool:
        value = entry.get(key)
        if value is None or isinstance(value, bool):
            return bool(value)
        self._fault(f"{place}.{key}", f"must be true or false, not {_kind_of(value)}")
        return False

    def _id(self, entry: Mapping[str, object], place: str) -> int:
        value = entry.get("id")
        if value is None:
            return 0
        if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= _LARGEST_ID:
            return value
        self._fault(f"{place}.id", "must be a whole number larger than 0")
        return 0

    def _fault(self, place: str, description: str) -> None:
        if all(fault.field != place for fault in self.faults[-2:]):
            self.faults.append(Fault(place, description))


def _kind_of(value: object) -> str:
    names = {dict: "an object", Odd: "an object", list: "a list", str: "a text", bool: "true or false"}
    return "nothing" if value is None else names.get(type(value), "a number")


def _is_broken(text: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in text) if not text.isascii() else False


def _shown(key: str) -> str:
    return (
        key[:_LONGEST_KEY].encode("ascii", "backslashreplace").decode()
        if _is_broken(key)
        else key[:_LONGEST_KEY]
    )
