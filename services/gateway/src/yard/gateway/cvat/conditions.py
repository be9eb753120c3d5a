"""Conditions as the services take them, put together of fields as clients name them."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from frameyard.common.v1 import filter_pb2
from frameyard.common.v1.filter_pb2 import Comparison, Filter, Filters, Operator
from yard.gateway.cvat.fields import Constant, Field

DEEPEST: Final = 10
MOST_COMPARISONS: Final = 100
MOST_VALUES: Final = 1_000
LONGEST_VALUE: Final = 1_000
_LARGEST: Final = 2**63 - 1
_ORDERED: Final = ("number", "time")


class UnfitError(Exception):
    """A field, an operator and values do not go together; the text says why."""


def every(parts: Sequence[Filter]) -> Filter:
    """All of these hold; the only one by itself."""
    return parts[0] if len(parts) == 1 else Filter(all=Filters(filters=parts))


def some(parts: Sequence[Filter]) -> Filter:
    """One of these holds at least; none of none does."""
    if not parts:
        return nothing()
    return parts[0] if len(parts) == 1 else Filter(any=Filters(filters=parts))


def denied(part: Filter) -> Filter:
    """This does not hold."""
    denial = Filter()
    getattr(denial, "not").CopyFrom(part)
    return denial


def everything() -> Filter:
    """Holds for all."""
    return _compared("id", filter_pb2.OPERATOR_IS_SET)


def nothing() -> Filter:
    """Holds for none."""
    return denied(everything())


def is_set(field: Field | Constant) -> Filter:
    """The field has a value."""
    if isinstance(field, Constant):
        return nothing() if field.value is None else everything()
    return _compared(field.ours, filter_pb2.OPERATOR_IS_SET)


def equal(field: Field | Constant, value: Any) -> Filter:
    """The field has this value, or none for None; UnfitError for a value that it cannot have."""
    return among(field, [value])


def among(field: Field | Constant, values: Sequence[Any]) -> Filter:
    """The field has one of these values."""
    if isinstance(field, Constant):
        return everything() if field.value in values else nothing()
    if len(values) > MOST_VALUES:
        raise UnfitError(f"compares with {len(values)} values, at most {MOST_VALUES} are possible")
    read = [_value(field, value) for value in values if value is not None]
    parts = [_one_of(field.ours, read)] if read else []
    if None in values:
        parts.append(denied(is_set(field)))
    return some(parts)


def compared(field: Field | Constant, operator: Operator.ValueType, value: Any) -> Filter:
    """The field is before or behind this value; UnfitError if it has no order."""
    if isinstance(field, Constant) or field.kind not in _ORDERED:
        raise UnfitError("has no order")
    return _compared(field.ours, operator, _value(field, value))


def containing(field: Field | Constant, part: Any) -> Filter:
    """The value of the field has this text in it, whatever its case."""
    if not isinstance(part, str):
        raise UnfitError("a text is looked for in a text only")
    if isinstance(field, Constant):
        return everything() if field.value and part.lower() in field.value else nothing()
    if field.kind == "word":
        found = [ours for word, ours in field.words.items() if part.lower() in word]
        return _one_of(field.ours, found) if found else nothing()
    if field.kind != "text":
        raise UnfitError("holds no text")
    return _compared(field.ours, filter_pb2.OPERATOR_CONTAINS, _value(field, part))


def depth(condition: Filter) -> int:
    """Conditions within each other."""
    return 1 + max((depth(part) for part in _parts(condition)), default=0)


def size(condition: Filter) -> int:
    """Comparisons in it."""
    return sum(map(size, _parts(condition))) if _parts(condition) else 1


def _parts(condition: Filter) -> Sequence[Filter]:
    kind = condition.WhichOneof("kind")
    if kind in ("all", "any"):
        filters: Sequence[Filter] = getattr(condition, kind).filters
        return filters
    return [getattr(condition, "not")] if kind == "not" else []


def _compared(name: str, operator: Operator.ValueType, *values: str) -> Filter:
    return Filter(comparison=Comparison(field=name, operator=operator, values=values))


def _one_of(name: str, values: Sequence[str]) -> Filter:
    if len(values) == 1:
        return _compared(name, filter_pb2.OPERATOR_EQUAL, values[0])
    return _compared(name, filter_pb2.OPERATOR_IN, *values)


def _value(field: Field, value: Any) -> str:
    return word_of(field, value) if field.kind == "word" else _READERS[field.kind](value)


def word_of(field: Field, value: Any) -> str:
    """What the service calls a word of clients."""
    if not isinstance(value, str) or value not in field.words:
        raise UnfitError(f"is one of {', '.join(field.words)}, not {_shown(value)}")
    return field.words[value]


def _number(value: Any) -> str:
    if isinstance(value, str) and value.removeprefix("-").isdecimal() and len(value) <= 20:
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) > _LARGEST:
        raise UnfitError(f"compares with whole numbers, not {_shown(value)}")
    return str(value)


def _text(value: Any) -> str:
    if not isinstance(value, str) or len(value) > LONGEST_VALUE or "\0" in value:
        raise UnfitError(f"compares with texts of at most {LONGEST_VALUE} characters, not {_shown(value)}")
    return value


def _time(value: Any) -> str:
    try:
        moment = datetime.fromisoformat(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC).isoformat()
    except (TypeError, ValueError, OverflowError):
        raise UnfitError(f"compares with times as in ISO 8601, not {_shown(value)}") from None


def _truth(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if value not in ("true", "false"):
        raise UnfitError(f"is true or false, not {_shown(value)}")
    return str(value)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 100 else f"{text[:100]}..."


_READERS: Final[dict[str, Callable[[Any], str]]] = {
    "number": _number,
    "text": _text,
    "time": _time,
    "truth": _truth,
}
