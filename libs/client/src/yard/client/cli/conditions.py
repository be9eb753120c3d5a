"""Conditions and orders of lists as they are typed: `--where "size>100" --sort -name`."""

import re
from collections.abc import Sequence
from typing import Any, Final

import click
from frameyard.common.v1 import filter_pb2
from frameyard.common.v1.filter_pb2 import Comparison, Filter, Filters, SortKey
from yard.client.cli.parameters import stacked

_OPERATORS: Final = {
    "=": filter_pb2.OPERATOR_EQUAL,
    "!=": filter_pb2.OPERATOR_EQUAL,
    "<": filter_pb2.OPERATOR_LESS,
    "<=": filter_pb2.OPERATOR_AT_MOST,
    ">": filter_pb2.OPERATOR_GREATER,
    ">=": filter_pb2.OPERATOR_AT_LEAST,
    "~": filter_pb2.OPERATOR_CONTAINS,
}
_CONDITION: Final = re.compile(r"\s*([A-Za-z_]+)\s*(!=|<=|>=|=|<|>|~)\s*(.*?)\s*", re.DOTALL)
_SORT_KEY: Final = re.compile(r"(-?)([A-Za-z_]+)")


class Condition(click.ParamType[Filter]):
    """A field, how it compares, and with what; which fields there are is for the platform to say."""

    name = "condition"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Filter:
        """The condition; a usage error if it is none."""
        if isinstance(value, Filter):
            return value
        match = _CONDITION.fullmatch(value)
        if match is None:
            self.fail(f"{value!r} is not FIELD=VALUE, with one of = != < <= > >= ~", param, ctx)
        field, sign, text = match.groups()
        if text or sign not in ("=", "!="):
            comparison = Comparison(field=field, operator=_OPERATORS[sign], values=[text])
            return _denied(comparison) if sign == "!=" else Filter(comparison=comparison)
        is_set = Comparison(field=field, operator=filter_pb2.OPERATOR_IS_SET)
        return _denied(is_set) if sign == "=" else Filter(comparison=is_set)


class Key(click.ParamType[SortKey]):
    """A field to sort by, with a minus in front if the largest comes first."""

    name = "field"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> SortKey:
        """The key; a usage error if it is none."""
        if isinstance(value, SortKey):
            return value
        match = _SORT_KEY.fullmatch(value)
        if match is None:
            self.fail(f"{value!r} is not FIELD or -FIELD", param, ctx)
        return SortKey(field=match[2], descending=bool(match[1]))


def _denied(comparison: Comparison) -> Filter:
    fields: dict[str, Any] = {"not": Filter(comparison=comparison)}
    return Filter(**fields)


def _all_of(ctx: click.Context, param: click.Parameter, conditions: Sequence[Filter]) -> Filter | None:
    return Filter(all=Filters(filters=conditions)) if conditions else None


condition_options = stacked(
    (
        click.option(
            "--where",
            "filter",
            type=Condition(),
            multiple=True,
            callback=_all_of,
            metavar="'FIELD=VALUE'",
            help="Only where this holds: = != < <= > >= or ~ (contains). Repeatable; all must hold.",
        ),
        click.option(
            "--sort",
            type=Key(),
            multiple=True,
            metavar="[-]FIELD",
            help="Order by a field, with - the largest first, in place of --order. Repeatable.",
        ),
    )
)
"""The parameters `filter` and `sort` of lists, as their requests have them."""
