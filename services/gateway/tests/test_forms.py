"""Fields of forms, and what is asked of objects of the store."""

from collections.abc import AsyncIterator

import pytest
from fastapi import Request
from yard.gateway.edge.forms import MOST_FIELD_BYTES, MOST_VALUES, Form, _of_json
from yard.gateway.edge.objects import Stored, _range_of, disposition, is_known
from yard.gateway.edge.uploading import _Order
from yard.runtime import errors

STORED = Stored(key="k", size_bytes=100, sha256="aa", media_type="application/zip")


def asked(**headers: str) -> Request:
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": raw})


async def once(content: bytes) -> AsyncIterator[bytes]:
    yield content


def test_numbered_fields_are_lists() -> None:
    form = Form()
    for name, value in (("a[1]", "y"), ("a[0]", "x"), ("b[]", "1"), ("b[]", "2"), ("c", "3"), ("d[e]", "4")):
        form.put(name, value)
    assert form.fields() == {"a": ["x", "y"], "b": ["1", "2"], "c": "3", "d[e]": "4"}


async def test_fields_are_bounded() -> None:
    form = Form()
    await form.take("a", once(b"x" * MOST_FIELD_BYTES))
    with pytest.raises(errors.InvalidArgument):
        await form.take("b", once(b"x"))
    with pytest.raises(errors.InvalidArgument):
        await Form().take("c", once(b"\xff"))


@pytest.mark.parametrize("piece", [b"[],", b"{},"])
def test_values_that_take_more_memory_than_text_are_bounded(piece: bytes) -> None:
    filled = bytearray(b'{"a":[' + piece * (MOST_VALUES - 2) + b"0]}")
    assert len(_of_json(filled)["a"]) == MOST_VALUES - 1
    with pytest.raises(errors.InvalidArgument) as caught:
        _of_json(filled.replace(b"0]}", piece + b"0]}"))
    assert caught.value.violations[0].field == "body"


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("bytes=0-0", (0, 0)),
        ("bytes=90-", (90, 99)),
        ("bytes=90-200", (90, 99)),
        ("bytes=-10", (90, 99)),
        ("bytes=-1000", (0, 99)),
        ("bytes=100-", (100, 99)),
        ("bytes=-0", (-1, -1)),
        ("bytes=5-4", None),
        ("bytes=-", None),
        ("bytes=0-1,5-6", None),
        ("bytes = 0-1", None),
        ("", None),
    ],
)
def test_ranges(value: str, found: tuple[int, int] | None) -> None:
    assert _range_of(asked(range=value), STORED) == found


def test_conditions() -> None:
    assert _range_of(asked(range="bytes=0-1", if_range='"aa"'), STORED) == (0, 1)
    assert _range_of(asked(range="bytes=0-1", if_range='W/"aa"'), STORED) is None
    assert is_known(asked(if_none_match='"b", W/"aa"'), STORED.tag)
    assert is_known(asked(if_none_match="*"), STORED.tag)
    assert not is_known(asked(if_none_match="aa"), STORED.tag)
    assert not is_known(asked(), STORED.tag)


def test_names_of_downloads_are_plain() -> None:
    shown = disposition('../a "b"\r\nß.zip')["Content-Disposition"]
    assert shown == 'attachment; filename="_a _b_.zip"'


def test_files_are_in_the_order_of_their_numbers() -> None:
    order = _Order()
    for field, name in (("client_files[1]", "b"), ("client_files[0]", "a"), ("client_files[10]", "c")):
        order.note(field, name)
    assert order.names() == ["a", "b", "c"]
    in_order = _Order()
    for field, name in (("client_files[0]", "b"), ("client_files[1]", "a")):
        in_order.note(field, name)
    assert in_order.names() == ()
