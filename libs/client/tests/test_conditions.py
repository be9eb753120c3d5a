"""What `--where` and `--sort` are read as."""

from contextlib import suppress
from typing import Any

import click
import pytest
from frameyard.common.v1 import filter_pb2
from frameyard.common.v1.filter_pb2 import Comparison, Filter, SortKey
from hypothesis import given
from hypothesis import strategies as st
from yard.client.cli.conditions import Condition, Key


def condition(text: str) -> Filter:
    return Condition().convert(text, None, None)


def no(part: Filter) -> Filter:
    fields: dict[str, Any] = {"not": part}
    return Filter(**fields)


@pytest.mark.parametrize(
    ("sign", "operator"),
    [
        ("=", filter_pb2.OPERATOR_EQUAL),
        ("<", filter_pb2.OPERATOR_LESS),
        ("<=", filter_pb2.OPERATOR_AT_MOST),
        (">", filter_pb2.OPERATOR_GREATER),
        (">=", filter_pb2.OPERATOR_AT_LEAST),
        ("~", filter_pb2.OPERATOR_CONTAINS),
    ],
)
def test_every_sign_is_an_operator(sign: str, operator: filter_pb2.Operator.ValueType) -> None:
    wanted = Filter(comparison=Comparison(field="size", operator=operator, values=["a = b, c"]))
    assert condition(f"size{sign}a = b, c") == condition(f" size {sign} a = b, c ") == wanted


def test_unequal_is_a_denial() -> None:
    assert condition("owner!=anna") == no(condition("owner=anna"))


def test_no_value_is_nobody() -> None:
    is_set = Filter(comparison=Comparison(field="assignee", operator=filter_pb2.OPERATOR_IS_SET))
    assert condition("assignee!=") == is_set
    assert condition("assignee=") == no(is_set)


def test_sort_keys_may_descend() -> None:
    assert Key().convert("name", None, None) == SortKey(field="name")
    assert Key().convert("-name", None, None) == SortKey(field="name", descending=True)


@given(st.text(max_size=20))
def test_any_text_is_read_or_refused(text: str) -> None:
    for kind in (Condition(), Key()):
        with suppress(click.BadParameter):
            assert isinstance(kind.convert(text, None, None), Filter | SortKey)
