"""Numbered pages."""

from types import SimpleNamespace

import pytest
from fastapi import FastAPI, Request
from yard.gateway.edge.paging import Paging
from yard.runtime import errors


def asked(number: int, size: int = 10) -> Paging:
    return Paging(request(), number, size)


def request() -> Request:
    app = FastAPI()
    app.state.settings = SimpleNamespace(public_url="")
    scope = {
        "type": "http",
        "app": app,
        "scheme": "http",
        "method": "GET",
        "path": "/api/jobs",
        "query_string": b"task_id=1",
        "headers": [(b"host", b"here:80")],
        "server": ("here", 80),
    }
    return Request(scope)


def test_pages_name_their_neighbours() -> None:
    first, middle, last = (asked(number, 2).page([0] * min(2, 5 - 2 * number + 2), 5) for number in (1, 2, 3))
    assert (first.previous, last.next) == (None, None)
    assert first.next is not None
    assert first.next.endswith("/api/jobs?task_id=1&page=2")
    assert middle.previous is not None
    assert middle.previous.endswith("page=1")
    assert middle.next is not None
    assert middle.next.endswith("page=3")


def test_what_came_between_reading_and_counting_makes_no_page_that_is_not_there() -> None:
    assert asked(1).page([], 3).next is None
    assert asked(1).page([1, 2], 3).next is None


def test_there_is_a_first_page_of_nothing_and_no_second() -> None:
    assert asked(1).page([], 0).results == []
    with pytest.raises(errors.NotFound):
        asked(2).page([], 0)
