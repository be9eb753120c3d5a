"""Bodies of forms, in pieces of any length."""

from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yard.gateway.edge.multipart import parts
from yard.runtime import errors

BOUNDARY = "a-boundary"
TYPE = f'multipart/form-data; boundary="{BOUNDARY}"'

names = st.text(
    st.characters(exclude_characters='"\\\r\n', exclude_categories=["C"]), min_size=1, max_size=20
)
pieces_of_boundary = st.sampled_from([b"\r\n", b"--", b"\r\n--a-boundar", b"a-boundary", b"\r", b"-"])
contents = st.lists(st.binary(max_size=30) | pieces_of_boundary, max_size=8).map(b"".join)


def encoded(given_parts: list[tuple[str, str | None, bytes]]) -> bytes:
    body = b""
    for field, file_name, content in given_parts:
        head = f'Content-Disposition: form-data; name="{field}"'
        if file_name is not None:
            head += f'; filename="{file_name}"\r\nContent-Type: application/octet-stream'
        body += f"--{BOUNDARY}\r\n{head}\r\n\r\n".encode() + content + b"\r\n"
    return body + f"--{BOUNDARY}--\r\n".encode()


async def cut(body: bytes, length: int) -> AsyncIterator[bytes]:
    for start in range(0, len(body), length):
        yield body[start : start + length]


async def taken(body: bytes, length: int, content_type: str = TYPE) -> list[tuple[str, str | None, bytes]]:
    return [
        (part.field, part.file_name, b"".join([piece async for piece in part.content]))
        async for part in parts(content_type, cut(body, length))
    ]


@given(
    st.lists(st.tuples(names, st.none() | names, contents), min_size=1, max_size=5),
    st.integers(1, 200),
)
async def test_parts_come_out_as_they_went_in(
    given_parts: list[tuple[str, str | None, bytes]], length: int
) -> None:
    whole = [part for part in given_parts if b"\r\n--a-boundary" not in b"\r\n" + part[2]]
    if whole:
        assert await taken(encoded(whole), length) == whole


async def test_what_is_not_read_of_a_part_is_passed_over() -> None:
    body = encoded([("a", "a.png", b"x" * 5000), ("b", None, b"1")])
    assert [part.field async for part in parts(TYPE, cut(body, 100))] == ["a", "b"]


@given(st.integers(1, 120), st.integers(1, 300))
async def test_a_body_that_ends_too_early_is_refused(missing: int, length: int) -> None:
    body = encoded([("a", "a.png", b"x" * 100)])
    with pytest.raises(errors.InvalidArgument):
        await taken(body[: -2 - missing], length)


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", b""),
        ("application/json", b"{}"),
        (f"multipart/form-data; boundary={'x' * 300}", b""),
        (TYPE, b"no boundary at all"),
        (TYPE, b"--a-boundary\r\nContent-Type: text/plain\r\n\r\nx\r\n--a-boundary--\r\n"),
        (TYPE, b"--a-boundary\r\nX: " + b"y" * 100_000 + b"\r\n\r\nx\r\n--a-boundary--\r\n"),
    ],
)
async def test_malformed_bodies_are_refused(content_type: str, body: bytes) -> None:
    with pytest.raises(errors.InvalidArgument):
        await taken(body, 50, content_type)
