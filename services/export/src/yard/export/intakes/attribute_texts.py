"""Values of attributes as files spell them, and as saves want them."""

from collections.abc import Sequence
from typing import Final, NamedTuple, TypeVar

from yard.annotations.labels import Attribute, AttributeInput, Label

Named = TypeVar("Named", Label, Attribute)
NOT_DECLARED = "the label does not declare it"
_MOST_KNOWN, _LONGEST_KNOWN = 4096, 200
_BOOLEANS: Final = {"true": "true", "false": "false", "1": "true", "0": "false", "yes": "true", "no": "false"}


class Value(NamedTuple):
    """What became of one value: `id` is 0 if the label has no such attribute."""

    id: int
    text: str
    fault: str | None


class AttributeTexts:
    """Turns values into texts; those that come again and again are remembered, as long as they are short."""

    def __init__(self) -> None:
        self._by_name: dict[int, dict[str, Attribute]] = {}
        self._known: dict[tuple[int, str, type, object], Value] = {}

    def value(self, label: Label, name: str, given: object) -> Value:
        """The value of the attribute with this name."""
        kind = type(given)
        if kind not in (str, float, int, bool) or (kind is str and len(given) > _LONGEST_KNOWN):  # type: ignore[arg-type]
            return self._value(label, name, given)
        key = (label.id, name, kind, given)
        found = self._known.get(key)
        if found is None:
            found = self._value(label, name, given)
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            if len(name) <= _LONGEST_KNOWN:
                self._known[key] = found
        return found

    def _value(self, label: Label, name: str, given: object) -> Value:
        names = self._by_name.get(label.id)
        if names is None:
            names = self._by_name[label.id] = by_name(label.attributes)
        attribute = names.get(name)
        if attribute is None:
            return Value(0, "", None)
        text = text_of(attribute, given)
        if text is None:
            return Value(attribute.id, "", f"attribute {name!r}: a {type(given).__name__} is no value of it")
        fault = attribute.fault_of(text)
        return Value(attribute.id, text, fault and f"attribute {name!r}: {fault}")


def by_name(known: Sequence[Named]) -> dict[str, Named]:
    """Labels or attributes by their names; also without the blanks around those, which few files keep."""
    return {one.name.strip(): one for one in known} | {one.name: one for one in known}


def text_of(attribute: Attribute, given: object) -> str | None:
    """The value as text, None if it has none; a choice that is a number is found however it is spelled."""
    if given is None:
        return ""
    if not isinstance(given, str | int | float):
        return None
    text = _plain(given)
    if attribute.is_boolean:
        return _BOOLEANS.get(text.lower(), text)
    if attribute.input in (AttributeInput.SELECT, AttributeInput.RADIO, AttributeInput.CHECKBOX):
        return _choice(attribute.values, given, text)
    return text


def _plain(given: str | float) -> str:
    if isinstance(given, bool):
        return "true" if given else "false"
    if isinstance(given, float) and given.is_integer() and abs(given) < 2**53:
        return str(int(given))
    return str(given)


def _choice(values: tuple[str, ...], given: str | float, text: str) -> str:
    """Other tools turn choices that look like numbers or booleans into such."""
    if text in values or isinstance(given, str):
        return text
    for value in values:
        if value.lower() == text or _number(value) == given:
            return value
    return text


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
