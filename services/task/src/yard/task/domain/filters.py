"""Conditions and orders as clients put them together: read, and checked against the fields of a list.

What is read is a tree of what is known; the store makes SQL of it. A field that is not there, such as the
assignee of what nobody is to do, compares with nothing: only a denial holds for it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias

from frameyard.common.v1 import filter_pb2
from yard.runtime.errors import Violation

Value: TypeAlias = str | int | bool | datetime

DEEPEST: Final = 10
MOST_COMPARISONS: Final = 100
MOST_PARTS: Final = 100
MOST_VALUES: Final = 1_000
LONGEST_VALUE: Final = 1_000
MOST_SORT_KEYS: Final = 5
# Reports travel in the trailers of an answer.
_MOST_FAULTS: Final = 50
_LARGEST: Final = 2**63 - 1
_NUMBER: Final = re.compile(r"-?[0-9]{1,19}")
_MOMENT: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_EQUALITY: Final = frozenset({filter_pb2.OPERATOR_EQUAL, filter_pb2.OPERATOR_IN, filter_pb2.OPERATOR_IS_SET})
_RANGES: Final = frozenset(
    {
        filter_pb2.OPERATOR_LESS,
        filter_pb2.OPERATOR_AT_MOST,
        filter_pb2.OPERATOR_GREATER,
        filter_pb2.OPERATOR_AT_LEAST,
    }
)
_NAMES: Final[dict[int, str]] = {
    number: name.removeprefix("OPERATOR_") for name, number in filter_pb2.Operator.items()
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What values a field has: by which operators they compare, and how one is read.

    `read` tells by a ValueError what is wrong with a value.
    """

    read: Callable[[str], Value]
    operators: frozenset[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A field compared with values."""

    field: str
    operator: int
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Every:
    """All of these hold."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Some:
    """At least one of these holds."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Denial:
    """This does not hold."""

    part: Condition


Condition: TypeAlias = Comparison | Every | Some | Denial


def _number(text: str) -> int:
    number = int(text) if _NUMBER.fullmatch(text) else _LARGEST + 1
    if not -_LARGEST <= number <= _LARGEST:
        raise ValueError("must be a whole number")
    return number


def _moment(text: str) -> datetime:
    if _MOMENT.fullmatch(text):
        try:
            return datetime.fromisoformat(text.upper()).astimezone(UTC)
        except (ValueError, OverflowError):
            pass
    raise ValueError("must be a time as in RFC 3339")


def _truth(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError("must be true or false")
    return text == "true"


def _text(text: str) -> str:
    if len(text) > LONGEST_VALUE or "\0" in text:
        raise ValueError(f"must be a text of at most {LONGEST_VALUE} characters")
    return text


NUMBER: Final = Kind(read=_number, operators=_EQUALITY | _RANGES)
TIME: Final = Kind(read=_moment, operators=_EQUALITY | _RANGES)
TRUTH: Final = Kind(read=_truth, operators=_EQUALITY)
TEXT: Final = Kind(read=_text, operators=_EQUALITY | {filter_pb2.OPERATOR_CONTAINS})


def choice(enum: Any) -> Kind:
    """One of the values of an enum, by their names without prefix; unspecified is none of them."""
    prefix = f"{enum.keys()[0].removesuffix('UNSPECIFIED')}"
    numbers = {name.removeprefix(prefix).lower(): number for name, number in enum.items() if number}

    def read(text: str) -> int:
        if text not in numbers:
            raise ValueError(f"must be one of {', '.join(numbers)}")
        return int(numbers[text])

    return Kind(read=read, operators=_EQUALITY)


@dataclass(slots=True)
class _Reader:
    """Reads one filter; `faults` grows with what is wrong."""

    fields: Mapping[str, Kind]
    faults: list[Violation] = field(default_factory=list)
    comparisons: int = 0

    def condition(self, message: filter_pb2.Filter, path: str, depth: int) -> Condition:
        """What a filter says; anything where there are faults."""
        kind = message.WhichOneof("kind")
        if depth > DEEPEST:
            return self._refused(path, f"must be at most {DEEPEST} deep")
        match kind:
            case "all":
                return Every(parts=self._parts(message.all, f"{path}.all", depth))
            case "any":
                return Some(parts=self._parts(message.any, f"{path}.any", depth))
            case "not":
                inner: filter_pb2.Filter = getattr(message, "not")
                return Denial(part=self.condition(inner, f"{path}.not", depth + 1))
            case "comparison":
                return self._comparison(message.comparison, f"{path}.comparison")
        return self._refused(path, "must be a condition")

    def _parts(self, parts: filter_pb2.Filters, path: str, depth: int) -> tuple[Condition, ...]:
        given = parts.filters
        if not 1 <= len(given) <= MOST_PARTS:
            return (self._refused(path, f"must be 1 to {MOST_PARTS} conditions, got {len(given)}"),)
        return tuple(
            self.condition(part, f"{path}.filters[{number}]", depth + 1) for number, part in enumerate(given)
        )

    def _comparison(self, message: filter_pb2.Comparison, path: str) -> Comparison:
        self.comparisons += 1
        values: tuple[Value, ...] = ()
        kind = self.fields.get(message.field)
        if kind is None:
            self._refused(f"{path}.field", f"must be one of {', '.join(self.fields)}")
        elif message.operator not in kind.operators:
            names = ", ".join(_NAMES[operator] for operator in sorted(kind.operators))
            self._refused(f"{path}.operator", f"must be one of {names} for {message.field}")
        elif wrong := _count_fault(message.operator, len(message.values)):
            self._refused(f"{path}.values", wrong)
        else:
            values = tuple(self._values(kind, message.values, path))
        return Comparison(field=message.field, operator=message.operator, values=values)

    def _values(self, kind: Kind, given: Sequence[str], path: str) -> Iterator[Value]:
        for number, text in enumerate(given):
            try:
                yield kind.read(text)
            except ValueError as fault:
                self._refused(f"{path}.values[{number}]", str(fault))

    def _refused(self, path: str, description: str) -> Condition:
        self.faults.append(Violation(path, description))
        return Every(parts=())


def read(
    message: filter_pb2.Filter, fields: Mapping[str, Kind], path: str = "filter"
) -> tuple[Condition, list[Violation]]:
    """The condition, and all that is wrong with it; where there is something, the condition means nothing."""
    reader = _Reader(fields)
    condition = reader.condition(message, path, 1)
    if reader.comparisons > MOST_COMPARISONS:
        wrong = f"must have at most {MOST_COMPARISONS} comparisons, got {reader.comparisons}"
        return condition, [Violation(path, wrong)]
    return condition, reader.faults[:_MOST_FAULTS]


def sort_violations(
    keys: Sequence[filter_pb2.SortKey], fields: Mapping[str, Kind], path: str = "sort"
) -> Iterator[Violation]:
    """At most five fields of the list."""
    if len(keys) > MOST_SORT_KEYS:
        yield Violation(path, f"must be at most {MOST_SORT_KEYS} fields, got {len(keys)}")
        return
    for number, key in enumerate(keys):
        if key.field not in fields:
            yield Violation(f"{path}[{number}].field", f"must be one of {', '.join(fields)}")


def comparisons(condition: Condition) -> Iterator[Comparison]:
    """All comparisons of a condition."""
    match condition:
        case Comparison():
            yield condition
        case Denial():
            yield from comparisons(condition.part)
        case Every() | Some():
            for part in condition.parts:
                yield from comparisons(part)


def _count_fault(operator: int, count: int) -> str:
    if operator == filter_pb2.OPERATOR_IS_SET:
        return "must be empty: whether something is there takes no value" if count else ""
    if operator == filter_pb2.OPERATOR_IN:
        return "" if 1 <= count <= MOST_VALUES else f"must be 1 to {MOST_VALUES} values, got {count}"
    return "" if count == 1 else f"must be one value, got {count}"
