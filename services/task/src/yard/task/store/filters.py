"""Conditions and orders of lists as SQL.

Nothing that a client writes becomes part of it: names of fields are looked up in the list's table of them,
values are arguments. What is unknown is as good as false: a denial holds for both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from frameyard.common.v1 import filter_pb2
from yard.task.domain import filters
from yard.task.domain.filters import Comparison, Condition, Denial, Every, Kind, Some, Value
from yard.task.domain.requests import name_key
from yard.task.store.lists import Order, Selection

_SIGNS: Final[dict[int, str]] = {
    filter_pb2.OPERATOR_EQUAL: "=",
    filter_pb2.OPERATOR_LESS: "<",
    filter_pb2.OPERATOR_AT_MOST: "<=",
    filter_pb2.OPERATOR_GREATER: ">",
    filter_pb2.OPERATOR_AT_LEAST: ">=",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A field of a list: the expression that holds it, of a type of the database; enums are smallint.

    `order` is the list's own order by it, which has an index; without one rows are sorted by `sort_key`, with
    the help of `joins`.
    """

    kind: Kind
    sql: str
    sql_type: str = ""
    order: Order | None = None

    @property
    def sort_key(self) -> str:
        """What rows are sorted by."""
        return self.sql

    @property
    def joins(self) -> str:
        """The tables that it needs."""
        return ""

    def condition(self, comparison: Comparison, held: _Held) -> str:
        """SQL of a comparison."""
        if comparison.operator == filter_pb2.OPERATOR_IS_SET:
            return f"{self.sql} <> 0" if self.sql_type == "smallint" else f"{self.sql} IS NOT NULL"
        if comparison.operator == filter_pb2.OPERATOR_IN:
            return f"{self.sql} = ANY ({held.values(list(comparison.values))}::{self.sql_type}[])"
        value = held.values(comparison.values[0])
        return f"{self.sql} {_SIGNS[comparison.operator]} {value}::{self.sql_type}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Text(Column):
    """A text that is stored as it was given."""

    @property
    def sort_key(self) -> str:
        """By its characters, as all names are sorted."""
        return f'lower({self.sql}) COLLATE "C"'

    def condition(self, comparison: Comparison, held: _Held) -> str:
        """Without regard to case, as the database sees it."""
        if comparison.operator == filter_pb2.OPERATOR_IS_SET:
            return f"{self.sql} <> ''"
        if comparison.operator == filter_pb2.OPERATOR_IN:
            values = held.values(list(comparison.values))
            given = f"SELECT lower(given) FROM unnest({values}::text[]) AS given"  # noqa: S608 - as above
            return f"lower({self.sql}) = ANY (ARRAY({given}))"
        value = f"lower({held.values(comparison.values[0])}::text)"
        if comparison.operator == filter_pb2.OPERATOR_CONTAINS:
            return f"strpos(lower({self.sql}), {value}) > 0"
        return f"lower({self.sql}) = {value}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Name(Column):
    """A name with a key beside it, which is the same for names that differ in case only."""

    def condition(self, comparison: Comparison, held: _Held) -> str:
        """By the key."""
        return _by_key(self.sql, comparison, held)


@dataclass(frozen=True, slots=True, kw_only=True)
class NameOf(Column):
    """The name of what a column names in another table, by its key there."""

    kind: Kind = filters.TEXT
    table: str
    key: str
    alias: str

    @property
    def sort_key(self) -> str:
        """The key there."""
        return f"{self.alias}.{self.key}"

    @property
    def joins(self) -> str:
        """The other table."""
        return f"LEFT JOIN {self.table} AS {self.alias} ON {self.alias}.id = {self.sql}"

    def condition(self, comparison: Comparison, held: _Held) -> str:
        """By the few that have such a name, or by all that have."""
        if comparison.operator == filter_pb2.OPERATOR_IS_SET:
            return f"{self.sql} IS NOT NULL"
        named = f"SELECT id FROM {self.table} WHERE {_by_key(self.key, comparison, held)}"  # noqa: S608
        if comparison.operator == filter_pb2.OPERATOR_CONTAINS:
            return f"{self.sql} IN ({named})"
        return f"{self.sql} = ANY (ARRAY({named}))"


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonName(NameOf):
    """The user name of somebody, whose id is known before, so that the index of the column is used."""

    table: str = "person"
    key: str = "username_key"

    def condition(self, comparison: Comparison, held: _Held) -> str:
        """By ids; where there is nobody of that name, nothing holds."""
        if comparison.operator not in _BY_NAME:
            return NameOf.condition(self, comparison, held)
        ids = [id_ for value in comparison.values for id_ in held.people.get(name_key(str(value)), ())]
        if len(ids) == 1:
            return f"{self.sql} = {held.values(ids[0])}::bigint"
        return f"{self.sql} = ANY ({held.values(ids)}::bigint[])" if ids else "false"


_BY_NAME: Final = (filter_pb2.OPERATOR_EQUAL, filter_pb2.OPERATOR_IN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """A condition without faults, and who the people are that it names, by the keys of their names."""

    condition: Condition
    people: Mapping[str, Sequence[int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Held:
    selection: Selection
    people: Mapping[str, Sequence[int]]

    def values(self, given: Value | Sequence[Value] | Sequence[int]) -> str:
        return self.selection.hold(given)


def add(selection: Selection, given: Filter | None, columns: Mapping[str, Column]) -> None:
    """Adds a filter to what a list shows."""
    if given is not None:
        selection.conditions.append(_sql(given.condition, columns, _Held(selection, given.people)))


def people_of(condition: Condition, columns: Mapping[str, Column]) -> set[str]:
    """The keys of the user names of which the ids are to be known."""
    return {
        name_key(str(value))
        for comparison in filters.comparisons(condition)
        if isinstance(columns[comparison.field], PersonName) and comparison.operator in _BY_NAME
        for value in comparison.values
    }


def order_of(keys: Sequence[filter_pb2.SortKey], columns: Mapping[str, Column]) -> Order:
    """Rows by these fields, then by id in the direction of the last one."""
    [first, *others] = keys
    own = columns[first.field].order
    if own is not None and not others:
        return own.reversed() if first.descending else own
    joins = dict.fromkeys(columns[key.field].joins for key in keys)
    return Order(
        sorting=tuple((columns[key.field].sort_key, key.descending) for key in keys),
        joins=" ".join(joins),
        is_descending=keys[-1].descending,
    )


def _by_key(key: str, comparison: Comparison, held: _Held) -> str:
    given: list[Any] = [name_key(str(value)) for value in comparison.values]
    match comparison.operator:
        case filter_pb2.OPERATOR_IS_SET:
            return f"{key} <> ''"
        case filter_pb2.OPERATOR_IN:
            return f"{key} = ANY ({held.values(given)}::text[])"
        case filter_pb2.OPERATOR_CONTAINS:
            return f"strpos({key}, {held.values(given[0])}::text) > 0"
        case _:
            return f"{key} = {held.values(given[0])}::text"


def _sql(condition: Condition, columns: Mapping[str, Column], held: _Held) -> str:
    match condition:
        case Comparison():
            return f"({columns[condition.field].condition(condition, held)})"
        case Denial():
            return f"({_sql(condition.part, columns, held)} IS NOT TRUE)"
        case Every():
            return f"({' AND '.join(_sql(part, columns, held) for part in condition.parts)})"
        case Some():
            return f"({' OR '.join(_sql(part, columns, held) for part in condition.parts)})"
