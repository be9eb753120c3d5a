"""Labels, their attributes, and what may stand in them."""

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal, InvalidOperation
from enum import IntEnum
from functools import cached_property

from yard.annotations.errors import Fault
from yard.annotations.model import ShapeKind

LONGEST_NAME = 64
LONGEST_OPTION = 200
LONGEST_VALUE = 4096
_COLOR = re.compile(r"#[0-9a-fA-F]{6}")
MOST_ATTRIBUTES = 200
MOST_OPTIONS = 1_000
_BOOLEANS = ("true", "false")
# Enough digits for the remainder of any two numbers that `_decimal` lets through.
_EXACT = Context(prec=LONGEST_VALUE + 100)


class LabelKind(IntEnum):
    """Objects that a label may be given to; numbers of `frameyard.task.v1`."""

    ANY = 1
    RECTANGLE = 2
    POLYGON = 3
    POLYLINE = 4
    POINTS = 5
    ELLIPSE = 6
    CUBOID = 7
    MASK = 8
    TAG = 9

    def takes_shape(self, kind: ShapeKind) -> bool:
        """Whether a shape or a keyframe of the kind may have it."""
        return self is LabelKind.ANY or self == kind + 1

    def takes_tag(self) -> bool:
        """Whether a tag may have it."""
        return self in (LabelKind.ANY, LabelKind.TAG)


class AttributeInput(IntEnum):
    """How a value is entered, which decides what is allowed; numbers of `frameyard.task.v1`."""

    SELECT = 1
    RADIO = 2
    CHECKBOX = 3
    TEXT = 4
    NUMBER = 5


@dataclass(frozen=True, kw_only=True)
class Attribute:
    """A property of objects with a label; `default_value` None means the first of the values."""

    name: str
    input: AttributeInput
    mutable: bool = False
    values: tuple[str, ...] = ()
    default_value: str | None = None
    id: int = 0

    @property
    def is_boolean(self) -> bool:
        """Whether it is a checkbox without choices, whose value is true or false."""
        return self.input is AttributeInput.CHECKBOX and len(self.values) < 2

    @cached_property
    def default(self) -> str:
        """Value of objects that give none."""
        if self.default_value is not None:
            return self.default_value
        if self.values:
            return self.values[0]
        return "false" if self.is_boolean else ""

    def fault_of(self, value: str) -> str | None:
        """What is wrong with a value, None if nothing is."""
        if len(value) > LONGEST_VALUE:
            return f"is {len(value)} characters long, at most {LONGEST_VALUE} are allowed"
        if "\x00" in value:
            return "must not hold a null character"
        return _VALUE_RULES[self.input](self, value)

    def admits(self, other: "Attribute") -> bool:
        """Whether every value that the other attribute allows is allowed here too."""
        if self.input is not other.input or self.is_boolean is not other.is_boolean:
            return False
        if self.input is AttributeInput.NUMBER:
            return _admits_numbers(self, other)
        return self.input is AttributeInput.TEXT or self.is_boolean or set(other.values) <= set(self.values)


@dataclass(frozen=True, kw_only=True)
class Label:
    """A class of objects."""

    name: str
    color: str = ""
    kind: LabelKind = LabelKind.ANY
    attributes: tuple[Attribute, ...] = ()
    id: int = 0


class LabelSchema:
    """The labels of a task, found by id."""

    def __init__(self, labels: Iterable[Label]) -> None:
        self.labels = tuple(labels)
        self._labels = {label.id: label for label in self.labels}
        self._attributes = {
            label.id: {attribute.id: attribute for attribute in label.attributes} for label in self.labels
        }
        self._defaults = {
            label.id: [(attribute.id, attribute.mutable, attribute.default) for attribute in label.attributes]
            for label in self.labels
        }

    def label(self, label_id: int) -> Label | None:
        """The label, None if there is none with this id."""
        return self._labels.get(label_id)

    def attributes(self, label_id: int) -> Mapping[int, Attribute]:
        """Attributes of a label by id, in their order; empty if the label is unknown."""
        return self._attributes.get(label_id, {})

    def completed(
        self, label_id: int, given: Mapping[int, str], *, mutable: bool | None = None
    ) -> dict[int, str]:
        """All attributes of the label (or those of one mutability) with the given value or their default."""
        return {
            id_: given.get(id_, default)
            for id_, is_mutable, default in self._defaults.get(label_id, ())
            if mutable is None or is_mutable is mutable
        }


def label_faults(labels: Sequence[Label], *, path: str = "labels") -> list[Fault]:
    """All that is wrong with the definition of labels that share a task or a project."""
    faults = list(_repeated([label.name for label in labels], path))
    for index, label in enumerate(labels):
        at = f"{path}[{index}]"
        faults += _name_faults(label.name, at)
        if label.color and not _COLOR.fullmatch(label.color):
            faults.append(Fault(f"{at}.color", f"{label.color!r} is not of the form #rrggbb"))
        if len(label.attributes) > MOST_ATTRIBUTES:
            faults.append(
                Fault(f"{at}.attributes", f"are {len(label.attributes)}, at most {MOST_ATTRIBUTES}")
            )
            continue
        faults += _repeated([attribute.name for attribute in label.attributes], f"{at}.attributes")
        for number, attribute in enumerate(label.attributes):
            faults += attribute_faults(attribute, path=f"{at}.attributes[{number}]")
    return faults


def attribute_faults(attribute: Attribute, *, path: str) -> list[Fault]:
    """All that is wrong with the definition of one attribute."""
    faults = list(_name_faults(attribute.name, path))
    faults += _option_faults(attribute, f"{path}.values")
    if not faults and (wrong := _definition_fault(attribute)):
        faults.append(Fault(f"{path}.values", wrong))
    default = attribute.default_value
    if not faults and default is not None and (wrong := attribute.fault_of(default)):
        faults.append(Fault(f"{path}.default_value", wrong))
    return faults


def _repeated(names: Sequence[str], path: str) -> Iterator[Fault]:
    seen: set[str] = set()
    for index, name in enumerate(names):
        if name in seen:
            yield Fault(f"{path}[{index}].name", f"{name!r} is used more than once")
        seen.add(name)


def _name_faults(name: str, path: str) -> Iterator[Fault]:
    if not name.strip() or len(name) > LONGEST_NAME:
        yield Fault(f"{path}.name", f"has {len(name)} characters, 1 to {LONGEST_NAME} are needed")
    elif not name.isprintable():
        yield Fault(f"{path}.name", "must not hold control characters")


def _option_faults(attribute: Attribute, path: str) -> Iterator[Fault]:
    if len(attribute.values) > MOST_OPTIONS:
        yield Fault(path, f"are {len(attribute.values)}, at most {MOST_OPTIONS}")
        return
    seen: set[str] = set()
    for index, option in enumerate(attribute.values):
        if not 1 <= len(option) <= LONGEST_OPTION:
            yield Fault(f"{path}[{index}]", f"has {len(option)} characters, 1 to {LONGEST_OPTION} are needed")
        elif not option.isprintable() and attribute.input is not AttributeInput.TEXT:
            yield Fault(f"{path}[{index}]", "must not hold control characters")
        if option in seen and attribute.input is not AttributeInput.NUMBER:
            yield Fault(f"{path}[{index}]", f"{option!r} is given more than once")
        seen.add(option)


def _definition_fault(attribute: Attribute) -> str | None:
    values = attribute.values
    if attribute.input in (AttributeInput.SELECT, AttributeInput.RADIO) and not values:
        return "needs at least one value"
    if attribute.input is AttributeInput.CHECKBOX and len(values) == 1 and values[0] not in _BOOLEANS:
        return f"one value must be true or false, not {values[0]!r}"
    if attribute.input is AttributeInput.TEXT and len(values) > 1:
        return "takes at most one value, the default text"
    if attribute.input is AttributeInput.NUMBER:
        return _number_range_fault(values)
    return None


def _number_range_fault(values: tuple[str, ...]) -> str | None:
    numbers = [_decimal(value) for value in values]
    if len(numbers) != 3 or any(number is None for number in numbers):
        return "must be minimum, maximum and step, three decimal numbers"
    low, high, step = (number for number in numbers if number is not None)
    if low > high:
        return f"minimum {low} is larger than maximum {high}"
    return None if step > 0 else f"step {step} is not larger than 0"


def _decimal(text: str) -> Decimal | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    # A huge exponent would make exact arithmetic on it endless.
    return number if number.is_finite() and (not number or -30 <= number.adjusted() <= 30) else None


def _choice_fault(attribute: Attribute, value: str) -> str | None:
    return None if value in attribute.values else f"{value!r} is not one of {list(attribute.values)}"


def _checkbox_fault(attribute: Attribute, value: str) -> str | None:
    if attribute.is_boolean:
        return None if value in _BOOLEANS else f"{value!r} is neither true nor false"
    chosen = value.split("\n") if value else []
    unknown = [option for option in chosen if option not in attribute.values]
    if unknown:
        return f"{unknown[0]!r} is not one of {list(attribute.values)}"
    return "names a value more than once" if len(set(chosen)) < len(chosen) else None


def _number_fault(attribute: Attribute, value: str) -> str | None:
    number = _decimal(value)
    if number is None or math.isnan(number):
        return f"{value!r} is not a decimal number"
    low, high, step = (Decimal(text) for text in attribute.values)
    if not low <= number <= high:
        return f"{value} is not between {low} and {high}"
    if number != high and _EXACT.remainder(_EXACT.subtract(number, low), step) != 0:
        return f"{value} is not {low} plus a multiple of {step}"
    return None


def _admits_numbers(wide: Attribute, narrow: Attribute) -> bool:
    """The ends and the steps from the least one on: what they have in common all between them have."""
    low, high, step = (Decimal(text) for text in narrow.values)
    second = _EXACT.add(low, step)
    last = _EXACT.subtract(high, _EXACT.remainder(_EXACT.subtract(high, low), step))
    probes = {low, high, last} | ({second} if second <= high else set())
    return all(_number_fault(wide, str(number)) is None for number in probes)


_VALUE_RULES = {
    AttributeInput.SELECT: _choice_fault,
    AttributeInput.RADIO: _choice_fault,
    AttributeInput.CHECKBOX: _checkbox_fault,
    AttributeInput.TEXT: lambda attribute, value: None,
    AttributeInput.NUMBER: _number_fault,
}
