"""Filters and sort keys as they are read: all faults at once, each with its path."""

from datetime import UTC, datetime

import pytest
from frameyard.common.v1 import filter_pb2
from frameyard.common.v1.filter_pb2 import Comparison, Filter
from frameyard.task.v1 import job_pb2
from hypothesis import given
from hypothesis import strategies as st
from yard.task.domain import filters

from services.task.tests.filtering import CONTAINS, EQUAL, IN, IS_SET, by, every, no, some, where

LESS = filter_pb2.OPERATOR_LESS
FIELDS = {
    "id": filters.NUMBER,
    "name": filters.TEXT,
    "at": filters.TIME,
    "done": filters.TRUTH,
    "stage": filters.choice(job_pb2.JobStage),
}


def faults(message: Filter) -> list[str]:
    return [fault.field for fault in filters.read(message, FIELDS)[1]]


def value(field: str, text: str) -> object:
    condition, wrong = filters.read(where(field, EQUAL, text), FIELDS)
    assert not wrong
    assert isinstance(condition, filters.Comparison)
    return condition.values[0]


def test_values_are_read_by_the_kind_of_their_field() -> None:
    assert value("id", "-12") == -12
    assert value("name", "Ää 'x'; --") == "Ää 'x'; --"
    assert value("at", "2026-02-03T04:05:06.123456789+01:00") == datetime(
        2026, 2, 3, 3, 5, 6, 123456, tzinfo=UTC
    )
    assert value("done", "true") is True
    assert value("stage", "acceptance") == job_pb2.JOB_STAGE_ACCEPTANCE


@pytest.mark.parametrize(
    ("field", "text"),
    [
        *(
            ("id", text)
            for text in ("", "1.0", "0x1", "\N{ARABIC-INDIC DIGIT ONE}", "1" * 19 + "9", str(2**63))
        ),
        *(("at", text) for text in ("2026-02-03", "2026-02-03T04:05:06", "2026-02-30T00:00:00Z", "now")),
        ("at", "0001-01-01T00:00:00+14:00"),
        *(("done", text) for text in ("True", "1", "")),
        *(("stage", text) for text in ("unspecified", "JOB_STAGE_ACCEPTANCE", "Acceptance", "4")),
        *(("name", text) for text in ("x" * 1_001, "a\0b")),
    ],
)
def test_wrong_values_are_named(field: str, text: str) -> None:
    assert faults(where(field, IN, *(["1"] if field == "id" else []), text))[-1].startswith(
        "filter.comparison.values["
    )


def test_all_faults_are_named_with_their_path() -> None:
    message = every(
        where("id", EQUAL, "1"),
        some(where("id", CONTAINS, "1"), where("password", EQUAL, "1"), Filter()),
        where("id", IN, "1", "x", "y"),
        no(where("stage", LESS, "annotation")),
        no(every()),
        where("name", EQUAL),
        where("name", EQUAL, "a", "b"),
        where("name", IS_SET, "a"),
        where("name", IN),
        where("name", IN, *["a"] * 1_001),
        where("name", filter_pb2.OPERATOR_UNSPECIFIED, "a"),
        Filter(comparison=Comparison(field="name", operator=99, values=["a"])),  # type: ignore[arg-type]
    )
    assert faults(message) == [
        "filter.all.filters[1].any.filters[0].comparison.operator",
        "filter.all.filters[1].any.filters[1].comparison.field",
        "filter.all.filters[1].any.filters[2]",
        "filter.all.filters[2].comparison.values[1]",
        "filter.all.filters[2].comparison.values[2]",
        "filter.all.filters[3].not.comparison.operator",
        "filter.all.filters[4].not.all",
        "filter.all.filters[5].comparison.values",
        "filter.all.filters[6].comparison.values",
        "filter.all.filters[7].comparison.values",
        "filter.all.filters[8].comparison.values",
        "filter.all.filters[9].comparison.values",
        "filter.all.filters[10].comparison.operator",
        "filter.all.filters[11].comparison.operator",
    ]


def test_depth_and_number_have_limits() -> None:
    one = where("id", EQUAL, "1")
    deep = one
    for _ in range(9):
        deep = no(deep)
    assert faults(deep) == []
    assert faults(no(deep)) == ["filter" + ".not" * 10]
    assert faults(every(*[one] * 100)) == []
    assert faults(every(*[one] * 101)) == ["filter.all"]
    assert faults(every(some(*[one] * 50), some(*[one] * 50))) == []
    assert faults(every(some(*[one] * 50), some(*[one] * 51))) == ["filter"]


def test_reports_stay_small() -> None:
    assert len(faults(where("id", IN, *["x"] * 1_000))) == 50


def test_sort_keys_are_fields_of_the_list() -> None:
    assert list(filters.sort_violations(by("id", "-name"), FIELDS)) == []
    wrong = filters.sort_violations(by("id", "-password", "--id"), FIELDS)
    assert [fault.field for fault in wrong] == ["sort[1].field", "sort[2].field"]
    assert [fault.field for fault in filters.sort_violations(by(*["id"] * 6), FIELDS)] == ["sort"]


@given(st.sampled_from(["id", "at", "done", "stage", "name"]), st.text(max_size=40))
def test_any_text_is_a_value_or_a_fault(field: str, text: str) -> None:
    condition, wrong = filters.read(where(field, EQUAL, text), FIELDS)
    assert isinstance(condition, filters.Comparison)
    assert len(condition.values) + len(wrong) == 1
