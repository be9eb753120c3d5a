"""What comes beside files: fields of forms and JSON, of bounded length."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import nullcontext
from typing import Any, Final, TypeVar
from urllib.parse import parse_qsl

import orjson
from fastapi import Request
from yard.gateway.edge.intake import body_of
from yard.runtime import errors

MOST_FIELD_BYTES: Final = 16 * 1024 * 1024
MOST_FIELDS: Final = 100_000
IN_LOOP_BYTES: Final = 64 * 1024
LONG_BYTES: Final = 1024 * 1024
# Few bytes of JSON are many of memory: an empty list takes twenty times its text.
MOST_VALUES: Final = 2_000_000
LONG_AT_ONCE: Final = 2

R = TypeVar("R")

_QUERY: Final = "application/x-www-form-urlencoded"
_ITEM = re.compile(r"(?P<name>[^\[\]]+)\[(?P<index>\d{0,9})\]")


class Form:
    """Fields as they come; `name[0]`, `name[1]`, `name[]` and a repeated `name` are lists."""

    def __init__(self) -> None:
        self._fields: dict[str, str] = {}
        self._lists: dict[str, list[tuple[int, str]]] = {}
        self._left = MOST_FIELD_BYTES
        self._count = 0

    async def take(self, name: str, content: AsyncIterator[bytes]) -> None:
        """One field of a body in parts."""
        value = bytearray()
        async for piece in content:
            self._left -= len(piece)
            if self._left < 0:
                raise errors.invalid(name[:100], f"fields have at most {MOST_FIELD_BYTES} bytes together")
            value += piece
        try:
            self.put(name, value.decode())
        except UnicodeDecodeError as fault:
            raise errors.invalid(name[:100], "must be UTF-8") from fault

    def put(self, name: str, value: str) -> None:
        """One field."""
        self._count += 1
        if self._count > MOST_FIELDS:
            raise errors.invalid(name[:100], f"there are more than {MOST_FIELDS} fields")
        match = _ITEM.fullmatch(name)
        if match is None:
            self._fields[name] = value
            return
        items = self._lists.setdefault(match["name"], [])
        items.append((int(match["index"] or len(items)), value))

    def fields(self) -> dict[str, Any]:
        """All of them."""
        lists = {name: [value for _, value in sorted(items)] for name, items in self._lists.items()}
        return self._fields | lists


def has_parts(request: Request) -> bool:
    """Whether the body is a form that may have files."""
    return request.headers.get("content-type", "").lower().startswith("multipart/")


async def fields_of(request: Request) -> dict[str, Any]:
    """The object in a JSON body or the fields of a form without files; nothing for an empty body."""
    return await read_of(request, _same)


async def read_of(request: Request, read: Callable[[dict[str, Any]], R]) -> R:
    """What `read` makes of the same, in a thread; few long bodies are in this state at the same time."""
    body = await _bounded(request)
    kind = request.headers.get("content-type", "").lower()
    parse = _of_query if kind.startswith(_QUERY) else _of_json
    if len(body) <= IN_LOOP_BYTES:
        return read(parse(body))
    turns: asyncio.Semaphore = request.app.state.long_bodies
    async with turns if len(body) > LONG_BYTES else nullcontext():
        return await asyncio.to_thread(lambda: read(parse(body)))


def _same(fields: dict[str, Any]) -> dict[str, Any]:
    return fields


def _of_json(body: bytearray) -> dict[str, Any]:
    if not body:
        return {}
    if body.count(b"{") + body.count(b"[") > MOST_VALUES:
        raise errors.invalid("body", f"holds more than {MOST_VALUES} lists and objects: send it in portions")
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError as fault:
        raise errors.InvalidArgument(f"the body is not JSON: {fault}", reason="MALFORMED_JSON") from fault
    if not isinstance(found, dict):
        raise errors.InvalidArgument("the body must be a JSON object", reason="MALFORMED_JSON")
    return found


def _of_query(body: bytearray) -> dict[str, Any]:
    form = Form()
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError as fault:
        raise errors.InvalidArgument("the form is malformed", reason="MALFORMED_FORM") from fault
    for name, value in pairs:
        form.put(name, value)
    return form.fields()


async def _bounded(request: Request) -> bytearray:
    most: int = request.app.state.settings.max_json_bytes
    body = bytearray()
    async for piece in body_of(request):
        body += piece
        if len(body) > most:
            raise errors.invalid("body", f"must have at most {most} bytes")
    return body
