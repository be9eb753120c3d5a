"""Where a page begins: what page tokens hold, which come back from anybody."""

from typing import Any

from google.protobuf.message import Message
from yard.runtime import errors, paging

_LARGEST_ID = 2**63 - 1


def after_id(token: str, request: Message) -> int | None:
    """The id of the last row that was sent, None for the first page."""
    after = _decoded(token, request, 1)
    return None if after is None else _id(after[0])


def _decoded(token: str, request: Message, length: int) -> list[Any] | None:
    after = paging.decode(token, request)
    if after is not None and len(after) != length:
        raise _wrong()
    return after


def _id(value: Any) -> int:
    if not isinstance(value, int) or not 0 <= value <= _LARGEST_ID:
        raise _wrong()
    return value


def _wrong() -> errors.InvalidArgument:
    return errors.invalid("page_token", "is not a token of this service")
