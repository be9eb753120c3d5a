"""Keyset page tokens: opaque, bound to the other fields of the request, granting nothing."""

import base64
import binascii
import hashlib
import json
from typing import Any

from google.protobuf.message import Message
from yard.runtime import errors
from yard.runtime.errors import Violation

FIELDS_OF_PAGING = ("page_size", "page_token")
# Of lists for clients that number pages.
FIELDS_OF_NUMBERED_PAGES = ("skip", "with_total_size")
LARGEST_NUMBER = (1 << 62) - 1


def size(requested: int, *, default: int = 50, largest: int = 1000) -> int:
    """Rows a page: the default for 0, cut to the largest; negative numbers are refused."""
    if requested < 0:
        raise errors.invalid("page_size", f"must be 0 or more, got {requested}")
    return min(requested or default, largest)


def violations(request: Any) -> list[Violation]:
    """What is wrong with size and place of a page of a list for clients that number pages."""
    found = []
    if request.skip < 0:
        found.append(Violation("skip", f"must be 0 or more, got {request.skip}"))
    elif request.skip and request.page_token:
        found.append(Violation("skip", "a page token tells already where the page begins"))
    if request.page_size < 0:
        found.append(Violation("page_size", f"must be 0 or more, got {request.page_size}"))
    return found


def encode(values: list[Any], request: Message) -> str:
    """Token for the rows after `values`, the sort key of the last row that was sent."""
    text = json.dumps([_fingerprint(request), *values], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode(token: str, request: Message) -> list[Any] | None:
    """The sort key to go on after, or None for the first page; refuses tokens of another request.

    Anybody can make a token: its values are to be checked as any other input.
    """
    if not token:
        return None
    try:
        held, *values = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    except (binascii.Error, ValueError, TypeError):
        raise foreign_token() from None
    if held != _fingerprint(request):
        raise errors.invalid("page_token", "belongs to a request with other fields")
    return list(values)


def decode_number(token: str, request: Message, *, largest: int = LARGEST_NUMBER) -> int | None:
    """The one whole number from 0 on that a token holds, or None for the first page."""
    values = decode(token, request)
    if values is None:
        return None
    if len(values) != 1 or type(values[0]) is not int or not 0 <= values[0] <= largest:
        raise foreign_token()
    return values[0]


def decode_text(token: str, request: Message) -> str | None:
    """The one text that a token holds, such as a database takes it, or None for the first page."""
    values = decode(token, request)
    if values is None:
        return None
    if len(values) != 1 or not isinstance(values[0], str) or not _is_stored(values[0]):
        raise foreign_token()
    return values[0]


def foreign_token() -> errors.InvalidArgument:
    """For a token whose values no page ends with."""
    return errors.invalid("page_token", "is not a token of this service")


def _is_stored(text: str) -> bool:
    """Whether it is neither half a character nor ends early for others."""
    return "\x00" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def _fingerprint(request: Message) -> str:
    bare = type(request)()
    bare.CopyFrom(request)
    numbered = [name for name in FIELDS_OF_NUMBERED_PAGES if name in bare.DESCRIPTOR.fields_by_name]
    for name in (*FIELDS_OF_PAGING, *numbered):
        bare.ClearField(name)
    return hashlib.sha256(bare.SerializeToString(deterministic=True)).hexdigest()[:16]
