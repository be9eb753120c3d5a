"""What all lists have in common: their pages, and the tokens and numbers that lead from one to the next."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final, Generic, TypeVar

from google.protobuf.message import Message
from yard.runtime import paging
from yard.runtime.db import Database, Transaction
from yard.runtime.errors import Violation
from yard.task.domain import filters, requests
from yard.task.store import filters as store_filters
from yard.task.store import lists, people
from yard.task.store.filters import Column, Filter
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


def violations(
    request: Any, *, enums: Mapping[str, Any] = MappingProxyType({}), parts: tuple[str, ...] = ()
) -> list[Violation]:
    """What is wrong with the fields of a list: kinds, parts of names, what is left out."""
    found = [
        Violation(name, f"is no {name.replace('_', ' ')}: {getattr(request, name)}")
        for name, kind in enums.items()
        if getattr(request, name) not in kind.values()
    ]
    for name in parts:
        found += requests.search_violations(getattr(request, name), name)
    return found + paging.violations(request)


def filter_violations(request: Any, columns: Mapping[str, Column]) -> list[Violation]:
    """What is wrong with the condition of a list, and with what it is sorted by."""
    kinds = {name: column.kind for name, column in columns.items()}
    found = filters.read(request.filter, kinds)[1] if request.HasField("filter") else []
    found += filters.sort_violations(request.sort, kinds)
    if request.sort:
        names = [field.name for field in request.DESCRIPTOR.fields if field.name in ("order", "reverse")]
        found += [Violation(name, "not together with sort") for name in names if getattr(request, name)]
    return found


async def filter_of(db: Database, request: Any, columns: Mapping[str, Column]) -> Filter | None:
    """The condition of a request without faults, with the people that it names."""
    if not request.HasField("filter"):
        return None
    kinds = {name: column.kind for name, column in columns.items()}
    condition, _ = filters.read(request.filter, kinds)
    named = store_filters.people_of(condition, columns)
    return Filter(condition=condition, people=await people.ids_named(db, named) if named else {})


def sorted_or(request: Any, columns: Mapping[str, Column], order: Order) -> Order:
    """The order by the fields that a request without faults names; another one if it names none."""
    return store_filters.order_of(request.sort, columns) if request.sort else order


def order_of(request: Any, orders: Mapping[Any, Order], columns: Mapping[str, Column]) -> Order:
    """The order that a request without faults asks for, turned round if it asks for that."""
    order = orders[request.order]
    return sorted_or(request, columns, order.reversed() if request.reverse else order)


async def listed(
    db: Database,
    request: Any,
    order: Order,
    fetch: Callable[[Transaction, Page], Awaitable[list[tuple[T, Position]]]],
    count: Callable[[Transaction], Awaitable[int]],
) -> Listed[T]:
    """The page that a request without faults asks for."""
    size = paging.size(request.page_size)
    after, skip = _start(request, order)
    async with db.transaction() as tx:
        await lists.tune(tx)
        found = await fetch(tx, Page(order=order, after=after, skip=skip, limit=size + 1))
        total = await count(tx) if request.with_total_size else 0
    token = ""
    if len(found) > size:
        token = _number_token(skip + size, request) if order.sorting else _token(found[size - 1][1], request)
    return Listed(rows=[row for row, _ in found[:size]], next_page_token=token, total=total)


def _start(request: Any, order: Order) -> tuple[Position | None, int]:
    """Where a page begins: behind a row, and behind a number of rows."""
    if not order.sorting:
        return _after(request, order), request.skip
    number = paging.decode_number(request.page_token, request)
    return None, request.skip if number is None else number


def _number_token(number: int, request: Message) -> str:
    return paging.encode([number], request)


def _token(position: Position, request: Message) -> str:
    key = position.key.isoformat() if isinstance(position.key, datetime) else position.key
    return paging.encode([position.id, key], request)


def _after(request: Any, order: Order) -> Position | None:
    values = paging.decode(request.page_token, request)
    if values is None:
        return None
    if len(values) != 2 or not _is_whole(values[0], 0, _LARGEST_ID):
        raise paging.foreign_token()
    return Position(id=values[0], key=_key(values[1], order))


def _key(value: Any, order: Order) -> Key:
    """A sort key out of a token, which may come from anybody."""
    if value is None and (order.has_nulls or not order.key):
        return None
    if not order.key:
        raise paging.foreign_token()
    if order.key_type == "smallint" and _is_whole(value, _SMALLEST_KEY, _LARGEST_KEY):
        return int(value)
    if order.key_type != "smallint" and isinstance(value, str) and len(value) <= _LONGEST_KEY:
        return _moment(value) if order.key_type == "timestamptz" else _text(value)
    raise paging.foreign_token()


def _moment(value: str) -> datetime:
    try:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise paging.foreign_token()


def _text(value: str) -> str:
    """A text that the database can hold."""
    try:
        value.encode()
    except UnicodeEncodeError:
        raise paging.foreign_token() from None
    if "\0" in value:
        raise paging.foreign_token()
    return value


def _is_whole(value: Any, smallest: int, largest: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and smallest <= value <= largest
