"""Conditions and orders of what is in memory, for lists that no service filters; compared as services do."""

import operator
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, TypeVar

from frameyard.common.v1 import filter_pb2
from frameyard.common.v1.filter_pb2 import Comparison, Filter, Operator, SortKey

T = TypeVar("T")

_ORDERS: Final[Mapping[Operator.ValueType, Callable[[Any, Any], bool]]] = {
    filter_pb2.OPERATOR_LESS: operator.lt,
    filter_pb2.OPERATOR_AT_MOST: operator.le,
    filter_pb2.OPERATOR_GREATER: operator.gt,
    filter_pb2.OPERATOR_AT_LEAST: operator.ge,
}


def selected(
    found: Sequence[T],
    values_of: Callable[[T], Mapping[str, Any]],
    *,
    condition: Filter | None,
    keys: Sequence[SortKey],
) -> list[T]:
    """Those that are asked for, in the order that is asked for; equal ones stay as they come."""
    rows = [(values_of(one), one) for one in found]
    if condition is not None:
        rows = [row for row in rows if holds(condition, row[0])]
    for key in reversed(keys):
        rows.sort(key=lambda row, name=key.field: _rank(row[0][name]), reverse=key.descending)  # type: ignore[misc]
    return [one for _, one in rows]


def _rank(value: Any) -> tuple[bool, Any]:
    """Nothing comes last where the smallest comes first."""
    return (value is None, 0 if value is None else _plain(value))


def holds(condition: Filter, values: Mapping[str, Any]) -> bool:
    """Whether something with these values by field is what is asked for; nothing is None."""
    match condition.WhichOneof("kind"):
        case "all":
            return all(holds(part, values) for part in condition.all.filters)
        case "any":
            return any(holds(part, values) for part in condition.any.filters)
        case "not":
            return not holds(getattr(condition, "not"), values)
        case _:
            return _compares(condition.comparison, values[condition.comparison.field])


def _compares(comparison: Comparison, value: Any) -> bool:
    if value is None:
        return False
    match comparison.operator:
        case filter_pb2.OPERATOR_IS_SET:
            return True
        case filter_pb2.OPERATOR_EQUAL | filter_pb2.OPERATOR_IN:
            return any(_read(text, value) == _plain(value) for text in comparison.values)
        case filter_pb2.OPERATOR_CONTAINS:
            return comparison.values[0].lower() in str(value).lower()
        case _:
            return _ORDERS[comparison.operator](value, _read(comparison.values[0], value))


def _plain(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _read(text: str, like: Any) -> Any:
    """The text as a value of the same kind."""
    if isinstance(like, bool):
        return text == "true"
    if isinstance(like, int):
        return int(text)
    return datetime.fromisoformat(text) if isinstance(like, datetime) else text.lower()
