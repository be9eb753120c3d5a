"""Conditions of lists: put together briefly, drawn at random, and evaluated without a database."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from frameyard.common.v1 import filter_pb2
from frameyard.common.v1.filter_pb2 import Comparison, Filter, Filters, SortKey
from hypothesis import strategies as st

EQUAL, IN = filter_pb2.OPERATOR_EQUAL, filter_pb2.OPERATOR_IN
CONTAINS, IS_SET = filter_pb2.OPERATOR_CONTAINS, filter_pb2.OPERATOR_IS_SET
RANGES: Final[Mapping[int, Callable[[Any, Any], bool]]] = {
    filter_pb2.OPERATOR_LESS: operator.lt,
    filter_pb2.OPERATOR_AT_MOST: operator.le,
    filter_pb2.OPERATOR_GREATER: operator.gt,
    filter_pb2.OPERATOR_AT_LEAST: operator.ge,
}


def where(field: str, operator_: Any, *values: str) -> Filter:
    return Filter(comparison=Comparison(field=field, operator=operator_, values=values))


def every(*parts: Filter) -> Filter:
    return Filter(all=Filters(filters=parts))


def some(*parts: Filter) -> Filter:
    return Filter(any=Filters(filters=parts))


def no(part: Filter) -> Filter:
    fields: dict[str, Any] = {"not": part}
    return Filter(**fields)


def by(*names: str) -> list[SortKey]:
    """Fields to sort by, with a minus in front of those that descend."""
    return [SortKey(field=name.removeprefix("-"), descending=name.startswith("-")) for name in names]


def conditions(values: Mapping[str, list[str]], operators: Mapping[str, list[int]]) -> st.SearchStrategy[Any]:
    """Filters of fields that have these values and operators."""
    return st.recursive(
        st.sampled_from(sorted(values)).flatmap(lambda name: _comparison(name, values, operators)),
        lambda inner: st.one_of(
            st.lists(inner, min_size=1, max_size=3).map(lambda parts: every(*parts)),
            st.lists(inner, min_size=1, max_size=3).map(lambda parts: some(*parts)),
            inner.map(no),
        ),
        max_leaves=6,
    )


def _comparison(
    name: str, values: Mapping[str, list[str]], operators: Mapping[str, list[int]]
) -> st.SearchStrategy[Filter]:
    def given(operator_: int) -> st.SearchStrategy[Filter]:
        if operator_ == IS_SET:
            return st.just(where(name, operator_))
        most = 3 if operator_ == IN else 1
        chosen = st.lists(st.sampled_from(values[name]), min_size=1, max_size=most)
        return chosen.map(lambda texts: where(name, operator_, *texts))

    return st.sampled_from(operators[name]).flatmap(given)


def holds(filter_: Filter, row: Mapping[str, Any]) -> bool:
    """Whether a row, in which None stands for what is not there, is selected."""
    match filter_.WhichOneof("kind"):
        case "all":
            return all(holds(part, row) for part in filter_.all.filters)
        case "any":
            return any(holds(part, row) for part in filter_.any.filters)
        case "not":
            return not holds(getattr(filter_, "not"), row)
    return _compares(filter_.comparison, row[filter_.comparison.field])


def _compares(comparison: Comparison, held: Any) -> bool:
    if comparison.operator == IS_SET:
        return held not in (None, "")
    if held is None:
        return False
    values = [_like(held, text) for text in comparison.values]
    held = held.lower() if isinstance(held, str) else held
    if comparison.operator in (EQUAL, IN):
        return held in values
    if comparison.operator == CONTAINS:
        return values[0] in held
    return RANGES[comparison.operator](held, values[0])


def _like(held: Any, text: str) -> Any:
    """The value of a text, of the type of what it is compared with."""
    if isinstance(held, datetime):
        return datetime.fromisoformat(text).astimezone(UTC)
    if isinstance(held, str):
        return text.lower()
    return int(text)
