"""Conditions of lists as clients write them: JSON Logic in `filter`, words in `search`, values of fields."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import orjson
from frameyard.common.v1 import filter_pb2
from frameyard.common.v1.filter_pb2 import Filter, Operator
from yard.gateway.cvat import conditions
from yard.gateway.cvat.fields import Constant, Field, Fields, Listing
from yard.runtime import errors

LONGEST: Final = 50_000
"""Characters of a condition."""

_RANGES: Final[Mapping[str, Operator.ValueType]] = {
    "<": filter_pb2.OPERATOR_LESS,
    "<=": filter_pb2.OPERATOR_AT_MOST,
    ">": filter_pb2.OPERATOR_GREATER,
    ">=": filter_pb2.OPERATOR_AT_LEAST,
}
_TURNED: Final = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}


def condition_of(
    listing: Listing, *, logic: str = "", search: str = "", values: Mapping[str, Any] | None = None
) -> Filter | None:
    """All that a request asks of what is listed; None if that is nothing.

    `values` are what fields are to be equal to. Faults are reported by the name of the parameter.
    """
    parts = [_equal(listing.fields, name, value) for name, value in (values or {}).items()]
    parts += _searched(listing, search)
    if logic.strip():
        parts.append(_read(logic, listing.fields))
    if not parts:
        return None
    whole = conditions.every(parts)
    if conditions.depth(whole) > conditions.DEEPEST:
        raise _refused(f"goes more than {conditions.DEEPEST} deep")
    if conditions.size(whole) > conditions.MOST_COMPARISONS:
        raise _refused(f"has more than {conditions.MOST_COMPARISONS} comparisons")
    return whole


def _equal(fields: Fields, name: str, value: Any) -> Filter:
    try:
        return conditions.equal(fields[name], value)
    except conditions.UnfitError as fault:
        raise errors.invalid(name, str(fault)) from None


def _searched(listing: Listing, search: str) -> list[Filter]:
    """Each word is somewhere in the fields that are searched."""
    words = search.split()
    if words and not listing.searched:
        raise errors.invalid("search", "this list has nothing that is searched: narrow it by filter")
    if len(words) * len(listing.searched) > conditions.MOST_COMPARISONS:
        raise errors.invalid("search", "has too many words")
    try:
        return [
            conditions.some([conditions.containing(listing.fields[name], word) for name in listing.searched])
            for word in words
        ]
    except conditions.UnfitError as fault:
        raise errors.invalid("search", str(fault)) from None


def _read(text: str, fields: Fields) -> Filter:
    if len(text) > LONGEST:
        raise _refused(f"has more than {LONGEST} characters")
    try:
        rule = orjson.loads(text)
    except ValueError:
        raise _refused("is no JSON") from None
    return _Reader(fields).condition(rule, 1)


class _Reader:
    """Reads one condition."""

    def __init__(self, fields: Fields) -> None:
        self._fields = fields

    def condition(self, rule: Any, depth: int) -> Filter:
        """What a rule says; `depth` counts how far it is within others."""
        if depth > conditions.DEEPEST:
            raise _refused(f"goes more than {conditions.DEEPEST} deep")
        if not isinstance(rule, dict) or len(rule) != 1:
            raise _refused('has a part that is no {"operator": ...}')
        [(operator, given)] = rule.items()
        try:
            if operator in ("and", "or", "!"):
                return self._combined(operator, given, depth)
            read = self._operators().get(operator)
            if read is None:
                raise _refused(f"has the unknown operator {operator[:50]!r}")
            return read(operator, given)
        except conditions.UnfitError as fault:
            raise _refused(f"{operator}: {fault}") from None

    def _operators(self) -> Mapping[str, Callable[[str, Any], Filter]]:
        return {
            "var": lambda _, given: conditions.is_set(self._named(given)),
            "==": self._equal,
            "in": self._in,
            **dict.fromkeys(_RANGES, self._ordered),
        }

    def _combined(self, operator: str, given: Any, depth: int) -> Filter:
        if operator == "!":
            inner = given[0] if isinstance(given, list) and len(given) == 1 else given
            return conditions.denied(self.condition(inner, depth + 1))
        if not isinstance(given, list) or not 1 <= len(given) <= conditions.MOST_COMPARISONS:
            raise conditions.UnfitError(f"takes a list of 1 to {conditions.MOST_COMPARISONS} conditions")
        parts = [self.condition(part, depth + 1) for part in given]
        return conditions.every(parts) if operator == "and" else conditions.some(parts)

    def _equal(self, _: str, given: Any) -> Filter:
        left, right = _operands(given, 2)
        if not _is_var(left):
            left, right = right, left
        return conditions.equal(self._field(left), right)

    def _ordered(self, operator: str, given: Any) -> Filter:
        """Two sides, or a field between two values."""
        if isinstance(given, list) and len(given) == 3:
            low, middle, high = given
            field = self._field(middle)
            parts = [(_TURNED[operator], low), (operator, high)]
            return conditions.every([conditions.compared(field, _RANGES[each], v) for each, v in parts])
        left, right = _operands(given, 2)
        if not _is_var(left):
            left, right, operator = right, left, _TURNED[operator]
        return conditions.compared(self._field(left), _RANGES[operator], right)

    def _in(self, _: str, given: Any) -> Filter:
        """A field among values, or a text within a field."""
        left, right = _operands(given, 2)
        if not _is_var(left):
            return conditions.containing(self._field(right), left)
        if not isinstance(right, list):
            raise conditions.UnfitError("takes a list of values behind the field")
        return conditions.among(self._field(left), right)

    def _field(self, operand: Any) -> Field | Constant:
        if not _is_var(operand):
            raise conditions.UnfitError('compares a field, {"var": "name"}, with values')
        return self._named(operand["var"])

    def _named(self, name: Any) -> Field | Constant:
        if not isinstance(name, str) or name not in self._fields:
            shown = repr(name)[:60]
            raise conditions.UnfitError(f"there is no field {shown}, only {', '.join(self._fields)}")
        return self._fields[name]


def _operands(given: Any, count: int) -> list[Any]:
    if not isinstance(given, list) or len(given) != count:
        raise conditions.UnfitError(f"takes a list of {count}")
    return given


def _is_var(operand: Any) -> bool:
    return isinstance(operand, dict) and operand.keys() == {"var"}


def _refused(description: str) -> errors.InvalidArgument:
    return errors.invalid("filter", description)
