"""Conditions and orders of what is in memory."""

from datetime import UTC, datetime
from typing import Any

import pytest
from yard.gateway.cvat.fields import REQUESTS
from yard.gateway.cvat.matching import selected
from yard.gateway.cvat.queries import RequestQuery, asked
from yard.runtime import errors

Row = dict[str, Any]


def row(number: int, **more: Any) -> Row:
    return {
        "id": f"export/{number}",
        "status": "finished",
        "action": "export",
        "target": "task",
        "subresource": "dataset",
        "format": None,
        "project_id": None,
        "task_id": number,
        "job_id": None,
        "created_date": datetime(2026, 1, number, tzinfo=UTC),
    } | more


ROWS = [
    row(3, status="started", format="COCO 1.0"),
    row(2, action="import", subresource="annotations", format="CVAT 1.1"),
    row(1, target="project", task_id=None, project_id=7, status="failed"),
]


def found(**query: Any) -> list[str]:
    wanted = asked(RequestQuery(**query), REQUESTS, order="-created_date")
    chosen = selected(ROWS, lambda one: one, condition=wanted["filter"], keys=wanted["sort"])
    return [one["id"].removeprefix("export/") for one in chosen]


@pytest.mark.parametrize(
    ("logic", "wanted"),
    [
        ('{"==":[{"var":"status"},"started"]}', "3"),
        ('{"!":{"==":[{"var":"status"},"started"]}}', "21"),
        ('{"in":[{"var":"status"},["started","failed"]]}', "31"),
        ('{"in":["coco",{"var":"format"}]}', "3"),
        ('{"==":[{"var":"format"},"coco 1.0"]}', "3"),
        ('{"var":"format"}', "32"),
        ('{"!":{"var":"format"}}', "1"),
        ('{"==":[{"var":"task_id"},null]}', "1"),
        ('{">=":[{"var":"task_id"},2]}', "32"),
        ('{"<":[{"var":"task_id"},3]}', "2"),
        ('{"<=":[1,{"var":"task_id"},2]}', "2"),
        ('{">":[{"var":"created_date"},"2026-01-01T12:00:00Z"]}', "32"),
        ('{"or":[{"==":[{"var":"project_id"},7]},{"==":[{"var":"action"},"import"]}]}', "21"),
        ('{"and":[{"==":[{"var":"target"},"task"]},{"==":[{"var":"subresource"},"dataset"]}]}', "3"),
    ],
)
def test_conditions_hold_as_services_compare(logic: str, wanted: str) -> None:
    assert "".join(found(filter=logic)) == wanted


def test_values_and_conditions_go_together() -> None:
    assert found(action="export", filter='{"!":{"var":"project_id"}}') == ["3"]
    assert found(task_id=9) == []


def test_orders_are_those_that_are_asked_for() -> None:
    assert found() == ["3", "2", "1"]
    assert found(sort="created_date") == ["1", "2", "3"]
    assert found(sort="status") == ["1", "2", "3"]
    assert found(sort="-task_id,created_date") == ["1", "3", "2"]
    assert found(sort="action,-created_date") == ["3", "1", "2"]


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ({"search": "x"}, "search"),
        ({"sort": "owner"}, "sort"),
        ({"filter": "{}"}, "filter"),
        ({"filter": '{"==":[{"var":"nothing"},1]}'}, "filter"),
        ({"status": "canceled"}, "status"),
    ],
)
def test_what_cannot_be_done_is_refused_by_name(query: Row, name: str) -> None:
    with pytest.raises(errors.InvalidArgument) as caught:
        found(**query)
    assert [violation.field for violation in caught.value.violations] == [name]
