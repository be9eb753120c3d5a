"""Conditions and orders as clients write them."""

import operator
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from frameyard.common.v1 import filter_pb2
from frameyard.common.v1.filter_pb2 import Filter
from hypothesis import given
from hypothesis import strategies as st
from yard.gateway.cvat.conditions import DEEPEST, depth, size
from yard.gateway.cvat.fields import COMMENTS, ISSUES, JOBS, LABELS, PROJECTS, TASKS, Constant, Field, Listing
from yard.gateway.cvat.filters import condition_of
from yard.gateway.cvat.sorts import keys_of
from yard.runtime import errors

LISTINGS = (TASKS, PROJECTS, JOBS, LABELS, ISSUES, COMMENTS)
SIGNS: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
RANGES: Mapping[int, Callable[[Any, Any], bool]] = {
    filter_pb2.OPERATOR_LESS: operator.lt,
    filter_pb2.OPERATOR_AT_MOST: operator.le,
    filter_pb2.OPERATOR_GREATER: operator.gt,
    filter_pb2.OPERATOR_AT_LEAST: operator.ge,
}
# A row as clients see it, by the names of clients, and as the service has it.
TEXTS = st.sampled_from(["", "street", "Street", "x", "tree"])
NUMBERS = st.integers(0, 5)
STATES = st.sampled_from(["new", "in progress", "completed", "rejected"])
ROWS = st.fixed_dictionaries(
    {
        "id": st.integers(1, 5),
        "task_id": NUMBERS,
        "project_id": st.one_of(st.none(), NUMBERS),
        "task_name": TEXTS,
        "assignee": st.one_of(st.none(), TEXTS.filter(bool)),
        "state": STATES,
    }
)
OPERANDS: Mapping[str, st.SearchStrategy[Any]] = {
    "id": NUMBERS,
    "task_id": NUMBERS,
    "project_id": st.one_of(st.none(), NUMBERS),
    "task_name": TEXTS,
    "assignee": st.one_of(st.none(), TEXTS),
    "state": STATES,
}
NUMERIC = ("id", "task_id", "project_id")


def var(name: str) -> dict[str, str]:
    return {"var": name}


@st.composite
def comparisons(draw: st.DrawFn) -> dict[str, Any]:
    """One comparison, as the client's own functions write it."""
    name = draw(st.sampled_from(sorted(OPERANDS)))
    values = OPERANDS[name]
    kinds = ["==", "in", "var"]
    kinds += ["between", *SIGNS] if name in NUMERIC else ["sub"]
    match draw(st.sampled_from(kinds)):
        case "==":
            return {"==": [var(name), draw(values)]}
        case "in":
            return {"in": [var(name), draw(st.lists(values, max_size=3))]}
        case "var":
            return var(name)
        case "sub":
            return {"in": [draw(st.sampled_from(["t", "tree", "EE", "new", "o"])), var(name)]}
        case "between":
            return {"<=": [draw(NUMBERS), var(name), draw(NUMBERS)]}
        case sign:
            return {sign: [var(name), draw(NUMBERS)]}


RULES = st.recursive(
    comparisons(),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"and": parts}),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"or": parts}),
        inner.map(lambda part: {"!": part}),
    ),
    max_leaves=5,
)


def holds_for_clients(rule: Mapping[str, Any], row: Mapping[str, Any]) -> bool:
    """What a rule means, told from what the client's functions say."""
    [(sign, parts)] = rule.items()
    match sign:
        case "and":
            return all(holds_for_clients(part, row) for part in parts)
        case "or":
            return any(holds_for_clients(part, row) for part in parts)
        case "!":
            return not holds_for_clients(parts, row)
        case "var":
            return row[parts] not in (None, "")
    return compares(sign, parts, row)


def compares(sign: str, parts: list[Any], row: Mapping[str, Any]) -> bool:
    [held] = [row[part["var"]] for part in parts if isinstance(part, dict)]
    match sign, parts:
        case "==", [_, value]:
            return same(held, value)
        case "in", [str(sub), _]:
            return bool(held) and sub.lower() in held.lower()
        case "in", [_, values]:
            return any(same(held, value) for value in values)
        case _, [low, _, high]:
            return held is not None and low <= held <= high
    return held is not None and SIGNS[sign](held, parts[1])


def same(held: Any, value: Any) -> bool:
    if value is None:
        return held in (None, "")
    return held is not None and (held.lower() == value.lower() if isinstance(held, str) else held == value)


def holds_for_services(condition: Filter, row: Mapping[str, Any]) -> bool:
    """What a condition means, told from the contract of the services."""
    match condition.WhichOneof("kind"):
        case "all":
            return all(holds_for_services(part, row) for part in condition.all.filters)
        case "any":
            return any(holds_for_services(part, row) for part in condition.any.filters)
        case "not":
            return not holds_for_services(getattr(condition, "not"), row)
    compared = condition.comparison
    held = row[compared.field]
    if compared.operator == filter_pb2.OPERATOR_IS_SET:
        return held not in (None, "")
    if held is None:
        return False
    kind = type(held)
    values = [text.lower() if kind is str else kind(text) for text in compared.values]
    held = held.lower() if kind is str else held
    if compared.operator in (filter_pb2.OPERATOR_EQUAL, filter_pb2.OPERATOR_IN):
        return held in values
    if compared.operator == filter_pb2.OPERATOR_CONTAINS:
        return values[0] in held
    return RANGES[compared.operator](held, values[0])


def in_words_of_services(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, "state": row["state"].replace(" ", "_")}


def read(rule: Any, listing: Listing = JOBS) -> Filter:
    found = condition_of(listing, logic=rule if isinstance(rule, str) else orjson.dumps(rule).decode())
    assert found is not None
    return found


def faults_of(rule: Any, listing: Listing = JOBS) -> str:
    with pytest.raises(errors.InvalidArgument) as caught:
        read(rule, listing)
    [fault] = caught.value.violations
    assert fault.field == "filter"
    return fault.description


def nesting(rule: Any) -> int:
    if isinstance(rule, dict):
        return 1 + nesting(next(iter(rule.values())))
    return max(map(nesting, rule), default=0) if isinstance(rule, list) else 0


def refused(listing: Listing, text: str) -> list[str]:
    """The names of the parameters that are refused."""
    try:
        condition_of(listing, logic=text)
    except errors.InvalidArgument as fault:
        return [violation.field for violation in fault.violations]
    return []


@given(RULES.filter(lambda rule: nesting(rule) < DEEPEST - 2), st.lists(ROWS, min_size=1, max_size=5))
def test_a_condition_selects_what_clients_mean(rule: dict[str, Any], rows: list[dict[str, Any]]) -> None:
    condition = read(rule)
    for row in rows:
        assert holds_for_services(condition, in_words_of_services(row)) == holds_for_clients(rule, row)


@given(st.text(max_size=60) | RULES.map(lambda rule: orjson.dumps(rule).decode()[:-1]))
def test_what_is_no_condition_is_refused_and_never_crashes(text: str) -> None:
    for listing in LISTINGS:
        assert refused(listing, text) == (["filter"] if text.strip() else [])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["and", "or", "!", "==", "<", "<=", "in", "var"]), inner, max_size=2
        )
    ),
    max_leaves=8,
)


@given(JSON)
def test_no_json_crashes(rule: Any) -> None:
    try:
        text = orjson.dumps(rule).decode()
    except TypeError:
        return
    try:
        condition = condition_of(TASKS, logic=text)
    except errors.InvalidArgument:
        return
    assert condition is not None
    assert depth(condition) <= DEEPEST


@pytest.mark.parametrize(
    ("rule", "part"),
    [
        ('{"==": [', "JSON"),
        ([], "operator"),
        ({"and": [], "or": []}, "operator"),
        ({"xor": [1, 2]}, "'xor'"),
        ({"==": [var("colour"), "red"]}, "'colour'"),
        ({"==": [var("state"), "done"]}, "in progress"),
        ({"==": [var("id"), "many"]}, "whole numbers"),
        ({"==": [var("id"), 2**63]}, "whole numbers"),
        ({"==": [var("id"), True]}, "whole numbers"),
        ({"<": [var("state"), "new"]}, "no order"),
        ({"<": [var("updated_date"), "yesterday"]}, "ISO 8601"),
        ({"in": ["1", var("id")]}, "no text"),
        ({"in": [var("id"), list(range(1001))]}, "1000"),
        ({"and": []}, "1 to"),
        ({"or": [var("id")] * 101}, "1 to"),
        ({"==": [1, 2]}, "field"),
    ],
)
def test_faults_say_what_is_wrong(rule: Any, part: str) -> None:
    assert part in faults_of(rule)


def test_depth_and_length_are_limited() -> None:
    rule: dict[str, Any] = var("id")
    for _ in range(DEEPEST - 1):
        rule = {"!": rule}
    assert depth(read(rule)) == DEEPEST
    assert "deep" in faults_of({"!": rule})
    assert "deep" in faults_of('{"!":' * 900 + '{"var":"id"}' + "}" * 900)
    assert "comparisons" in faults_of({"and": [{"or": [var("id")] * 50}] * 3})
    assert "characters" in faults_of(" " * 60_000 + "{}")


def test_times_and_words_are_those_of_the_services() -> None:
    condition = read({"<=": ["2026-01-01", var("updated_date"), "2026-02-01T12:00:00+02:00"]}, TASKS)
    first, last = (part.comparison for part in condition.all.filters)
    assert [first.field, first.operator] == ["update_time", filter_pb2.OPERATOR_AT_LEAST]
    assert datetime.fromisoformat(first.values[0]) == datetime(2026, 1, 1, tzinfo=UTC)
    assert datetime.fromisoformat(last.values[0]) == datetime(2026, 2, 1, 10, tzinfo=UTC)
    assert read({"==": [var("tracker_link"), "x"]}, TASKS).comparison.field == "issue_tracker"
    assert read({"==": [var("resolved"), True]}, ISSUES).comparison.values == ["true"]


def test_what_is_the_same_everywhere_selects_all_or_nothing() -> None:
    rows = [{"id": 1}]

    def found(rule: Any) -> bool:
        return holds_for_services(read(rule, TASKS), rows[0])

    assert found({"==": [var("dimension"), "2d"]})
    assert not found({"==": [var("dimension"), "3d"]})
    assert not found(var("validation_mode"))
    assert found({"!": var("validation_mode")})
    assert found({"==": [var("validation_mode"), None]})
    assert not found({"==": [var("validation_mode"), "gt"]})


def test_search_values_and_condition_hold_together() -> None:
    condition = condition_of(
        TASKS, logic=orjson.dumps(var("id")).decode(), search="road valid", values={"name": "x"}
    )
    assert condition is not None
    by_name, road, word, by_id = condition.all.filters
    assert by_name.comparison.values == ["x"]
    assert {part.comparison.field for part in road.any.filters if part.HasField("comparison")} == {
        "name",
        "project_name",
        "owner",
        "assignee",
        "subset",
        "issue_tracker",
    }
    assert ["validation"] in [list(part.comparison.values) for part in word.any.filters]
    assert by_id.comparison.operator == filter_pb2.OPERATOR_IS_SET
    assert size(condition) <= 100
    with pytest.raises(errors.InvalidArgument):
        condition_of(TASKS, search="a " * 50)
    assert condition_of(TASKS, search="  ") is None


def test_orders_are_read() -> None:
    keys = keys_of("name, -updated_date", TASKS.fields)
    assert [(key.field, key.descending) for key in keys] == [("name", False), ("update_time", True)]
    assert [(key.field, key.descending) for key in keys_of("", TASKS.fields)] == [("id", True)]
    assert [(key.field, key.descending) for key in keys_of("dimension", TASKS.fields)] == [("id", True)]
    for wrong in ("colour", "--id", "id,name,owner,status,mode,subset"):
        with pytest.raises(errors.InvalidArgument) as caught:
            keys_of(wrong, TASKS.fields)
        assert [violation.field for violation in caught.value.violations] == ["sort"]


def test_what_is_searched_is_there() -> None:
    for listing in LISTINGS:
        fields = [listing.fields[name] for name in listing.searched]
        assert all(isinstance(field, Field) and field.kind in ("text", "word") for field in fields)
        assert not any(isinstance(field, Constant) for field in fields)
