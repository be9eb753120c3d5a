"""Conditions on what has an index are answered by it, in a table that is worth one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from frameyard.common.v1.filter_pb2 import Filter
from yard.runtime.db import Database
from yard.task.domain import filters
from yard.task.store import filters as store_filters
from yard.task.store import lists, people, task_views
from yard.task.store.lists import Page

from services.task.tests.filtering import EQUAL, by, every, where
from services.task.tests.neighbours import Running

_TASKS = 20_000
_KINDS = {name: column.kind for name, column in task_views.FIELDS.items()}


@pytest.fixture
async def db(running: Running) -> Database:
    """Tasks of 100 owners and assignees, in 50 projects, most of them completed."""
    db = running.runtime.db
    await db.execute(
        """
        INSERT INTO person (id, username, username_key)
        SELECT 1000 + number, 'Person' || number, 'person' || number FROM generate_series(0, 99) AS number
        """
    )
    await db.execute(
        """
        INSERT INTO project (name, name_key, owner_id)
        SELECT 'P' || number, 'p' || number, 1000 FROM generate_series(0, 49) AS number
        """
    )
    await db.execute(
        """
        INSERT INTO task (name, name_key, project_id, owner_id, assignee_id, jobs_total, jobs_annotation,
            jobs_completed)
        SELECT 'T' || number, 't' || number, (SELECT min(id) FROM project) + number % 50, 1000 + number % 100,
            1000 + number * 7 % 100, 1, (number % 100 = 0)::int, (number % 100 <> 0)::int
        FROM generate_series(1, $1) AS number
        """,
        _TASKS,
    )
    for table in ("task", "project", "person"):
        await db.execute(f"VACUUM ANALYZE {table}")
    return db


async def plan(db: Database, condition: Filter, *sort: str) -> list[dict[str, Any]]:
    """The parts of how the first page is found."""
    read, wrong = filters.read(condition, _KINDS)
    assert not wrong
    named = await people.ids_named(db, store_filters.people_of(read, task_views.FIELDS))
    search = task_views.Search(user_id=None, filter=store_filters.Filter(condition=read, people=named))
    order = store_filters.order_of(by(*sort), task_views.FIELDS)
    page = Page(order=order, after=None, skip=0, limit=26)
    sql, arguments = lists.statement(task_views.SOURCE, task_views.selection_of(search), page)
    async with db.transaction() as tx:
        await lists.tune(tx)
        found = await tx.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", *arguments)
    [explained] = json.loads(found) if isinstance(found, str) else found
    return list(_parts(explained["Plan"]))


def _parts(part: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield part
    for inner in part.get("Plans", ()):
        yield from _parts(inner)


async def test_equality_uses_the_index_of_its_field(db: Database) -> None:
    cases = [
        (where("owner", EQUAL, "PERSON42"), "task_owner"),
        (where("assignee", EQUAL, "person42"), "task_assignee"),
        (where("project_id", EQUAL, "7"), "task_project"),
        (where("status", EQUAL, "annotation"), "task_status"),
        (where("name", EQUAL, "T15000"), "task_name"),
        (where("id", EQUAL, "15000"), "task_listed"),
        (every(where("owner", EQUAL, "person42"), where("size", EQUAL, "0")), "task_owner"),
    ]
    for condition, index in cases:
        parts = await plan(db, condition, "-id")
        by_index = [part for part in parts if part.get("Index Name") == index and part.get("Index Cond")]
        assert by_index, (condition, [part.get("Index Name") for part in parts])
        read = sum(part["Actual Rows"] + part.get("Rows Removed by Filter", 0) for part in by_index)
        assert read <= _TASKS / 40, (condition, read)


async def test_an_own_order_stops_with_its_page(db: Database) -> None:
    """Neither is sorted what an index has in order, nor are names of others row by row."""
    for sort in ("-id", "name", "-update_time", "owner", "-assignee", "status", "project_name"):
        parts = await plan(db, where("size", EQUAL, "0"), sort)
        read = sum(
            part["Actual Rows"] * part["Actual Loops"]
            for part in parts
            if part.get("Relation Name") == "task" and part["Node Type"].startswith(("Index", "Seq"))
        )
        assert read < _TASKS / 10, (sort, read)
