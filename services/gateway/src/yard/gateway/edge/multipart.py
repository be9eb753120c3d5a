"""Bodies of forms, taken apart while they arrive: no part of them is ever whole in memory."""

from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from typing import Final

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from yard.runtime import errors

MOST_PARTS: Final = 100_000


@dataclass(frozen=True, slots=True)
class Part:
    """One part; what is left of `content` when the next part is asked for is passed over."""

    field: str
    file_name: str | None
    content: AsyncGenerator[bytes]


async def parts(content_type: str, body: AsyncIterator[bytes]) -> AsyncGenerator[Part]:
    """The parts in their order; InvalidArgument for a body that is malformed or ends too early."""
    events = _Events(_boundary(content_type), body)
    count = 0
    while (headers := await events.next_part()) is not None:
        count += 1
        if count > MOST_PARTS:
            raise errors.invalid("body", f"must have at most {MOST_PARTS} parts")
        field, file_name = _disposition(headers)
        content = events.content()
        yield Part(field, file_name, content)
        async for _ in content:
            pass


def _boundary(content_type: str) -> bytes:
    kind, options = parse_options_header(content_type)
    boundary = options.get(b"boundary", b"")
    if kind != b"multipart/form-data" or not boundary:
        raise errors.invalid("Content-Type", "must be multipart/form-data with a boundary")
    return boundary


def _disposition(headers: dict[bytes, bytes]) -> tuple[str, str | None]:
    """Field and file name; names are UTF-8 as they are, which clients send whatever the standards said."""
    _, options = parse_options_header(headers.get(b"content-disposition", b""))
    field, file_name = options.get(b"name"), options.get(b"filename")
    if field is None:
        raise errors.invalid("body", "must have a Content-Disposition with a name in each part")
    return _text(field), None if file_name is None else _text(file_name)


def _text(name: bytes) -> str:
    try:
        return name.decode()
    except UnicodeDecodeError as fault:
        raise errors.invalid("body", "must have names in UTF-8") from fault


@dataclass(frozen=True, slots=True)
class _Begin:
    headers: dict[bytes, bytes]


@dataclass(frozen=True, slots=True)
class _End:
    is_last: bool


class _Events:
    """What the parser found in the pieces that have come, in order; it is fed when there is no more of it."""

    def __init__(self, boundary: bytes, body: AsyncIterator[bytes]) -> None:
        self._body = aiter(body)
        self._found: deque[_Begin | bytes | _End] = deque()
        self._headers: dict[bytes, bytes] = {}
        self._name = self._value = b""
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._on_part_begin,
                    "on_header_field": self._on_header_field,
                    "on_header_value": self._on_header_value,
                    "on_header_end": self._on_header_end,
                    "on_headers_finished": lambda: self._found.append(_Begin(self._headers)),
                    "on_part_data": lambda data, start, end: self._found.append(data[start:end]),
                    "on_part_end": lambda: self._found.append(_End(is_last=False)),
                    "on_end": lambda: self._found.append(_End(is_last=True)),
                },
            )
        except FormParserError as fault:
            raise errors.invalid("Content-Type", str(fault)) from fault

    async def next_part(self) -> dict[bytes, bytes] | None:
        """Headers of the part that begins now; None at the end of the body."""
        event = await self._next()
        if isinstance(event, _Begin):
            return event.headers
        async for _ in self._body:
            pass
        return None

    async def content(self) -> AsyncGenerator[bytes]:
        """The bytes of the part that has begun."""
        while isinstance(event := await self._next(), bytes):
            yield event

    async def _next(self) -> _Begin | bytes | _End:
        while not self._found:
            piece = await anext(self._body, None)
            if piece is None:
                raise errors.invalid("body", "ends before its last boundary")
            try:
                self._parser.write(piece)
            except FormParserError as fault:
                raise errors.invalid("body", f"is malformed: {fault}") from fault
        return self._found.popleft()

    def _on_part_begin(self) -> None:
        self._headers = {}

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _on_header_end(self) -> None:
        self._headers[self._name.lower()] = self._value
        self._name = self._value = b""
