"""What all lists have in common: their pages, and the tokens and numbers that lead from one to the next."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Generic, TypeVar

from google.protobuf.message import Message
from yard.runtime import errors, paging
from yard.runtime.db import Database, Transaction
from yard.runtime.errors import Violation
from yard.task.domain import requests
from yard.task.store import lists
from yard.task.store.lists import Key, Order, Page, Position

T = TypeVar("T")

_LARGEST_ID: Final = 2**63 - 1
_LONGEST_KEY: Final = 10_000
_SMALLEST_KEY, _LARGEST_KEY = -(2**15), 2**15 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed(Generic[T]):
    """A page; `total` is 0 where it was not asked for."""

    rows: list[T]
    next_page_token: str
    total: int


def violations(request: Any, *, enums: Mapping[str, Any], parts: tuple[str, ...]) -> list[Violation]:
    """What is wrong with the fields of a list: kinds, parts of names, what is left out."""
    found = [
        Violation(name, f"is no {name.replace('_', ' ')}: {getattr(request, name)}")
        for name, kind in enums.items()
        if getattr(request, name) not in kind.values()
    ]
    for name in parts:
        found += requests.search_violations(getattr(request, name), name)
    if not 0 <= request.skip <= _LARGEST_ID:
        found.append(Violation("skip", f"must be 0 or more, got {request.skip}"))
    elif request.skip and request.page_token:
        found.append(Violation("skip", "a page token tells already where the page begins"))
    if request.page_size < 0:
        found.append(Violation("page_size", f"must be 0 or more, got {request.page_size}"))
    return found


async def listed(
    db: Database,
    request: Any,
    order: Order,
    fetch: Callable[[Transaction, Page], Awaitable[list[tuple[T, Position]]]],
    count: Callable[[Transaction], Awaitable[int]],
) -> Listed[T]:
    """The page that a request without faults asks for."""
    size = paging.size(request.page_size)
    in_force = order.reversed() if request.reverse else order
    after = _after(request, in_force)
    async with db.transaction() as tx:
        await lists.tune(tx)
        found = await fetch(tx, Page(order=in_force, after=after, skip=request.skip, limit=size + 1))
        total = await count(tx) if request.with_total_size else 0
    token = _token(found[size - 1][1], request) if len(found) > size else ""
    return Listed(rows=[row for row, _ in found[:size]], next_page_token=token, total=total)


def _token(position: Position, request: Message) -> str:
    key = position.key.isoformat() if isinstance(position.key, datetime) else position.key
    return paging.encode([position.id, key], _bare(request))


def _after(request: Any, order: Order) -> Position | None:
    values = paging.decode(request.page_token, _bare(request))
    if values is None:
        return None
    if len(values) != 2 or not _is_whole(values[0], 0, _LARGEST_ID):
        raise _wrong()
    return Position(id=values[0], key=_key(values[1], order))


def _bare(request: Any) -> Any:
    """The request without what may differ from page to page."""
    bare = type(request)()
    bare.CopyFrom(request)
    bare.ClearField("skip")
    bare.ClearField("with_total_size")
    return bare


def _key(value: Any, order: Order) -> Key:
    """A sort key out of a token, which may come from anybody."""
    if value is None and (order.has_nulls or not order.key):
        return None
    if not order.key:
        raise _wrong()
    if order.key_type == "smallint" and _is_whole(value, _SMALLEST_KEY, _LARGEST_KEY):
        return int(value)
    if order.key_type != "smallint" and isinstance(value, str) and len(value) <= _LONGEST_KEY:
        return _moment(value) if order.key_type == "timestamptz" else _text(value)
    raise _wrong()


def _moment(value: str) -> datetime:
    try:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise _wrong()


def _text(value: str) -> str:
    """A text that the database can hold."""
    try:
        value.encode()
    except UnicodeEncodeError:
        raise _wrong() from None
    if "\0" in value:
        raise _wrong()
    return value


def _is_whole(value: Any, smallest: int, largest: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and smallest <= value <= largest


def _wrong() -> errors.InvalidArgument:
    return errors.invalid("page_token", "is not a token of this service")
