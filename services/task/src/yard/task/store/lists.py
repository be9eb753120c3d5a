"""Pages of long lists, in any order, from a position or behind a number of rows.

The ids of a page are chosen first, by what an index holds, and only its rows are read: what is left out
before them costs a look at the index. `position` is the sort key of a row beside its id; rows of equal keys
are in the order of their ids, and those without a key come last, or first where the order is turned round.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from yard.task.domain.requests import name_key

if TYPE_CHECKING:
    from yard.runtime.db import Record, Transaction

Key: TypeAlias = str | int | datetime | None
KeyType: TypeAlias = Literal["text", "smallint", "timestamptz"]

# Plans are made for the values at hand, never for any; compiling them, or sharing one out, costs more than it
# saves. Indexes are in memory, and read in order. What no index has in order is sorted in memory.
_TUNING: Final = """
SELECT
    set_config('plan_cache_mode', 'force_custom_plan', true),
    set_config('jit', 'off', true),
    set_config('max_parallel_workers_per_gather', '0', true),
    set_config('random_page_cost', '1', true),
    set_config('work_mem', '32MB', true)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Groups:
    """The rows of a list by what `column`, with an index of its own, names in another table."""

    column: str
    table: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """By the expression `key`, or by id alone; `joins` are the tables that it needs.

    A long list that is ordered by a name in another table has `groups`, too: these are put in order, not the
    rows, which come group by group out of the index. It lacks what is deleted.
    Rows may be sorted by any expressions (`sorting`, each with whether it descends), without positions then.
    """

    key: str = ""
    key_type: KeyType = "text"
    joins: str = ""
    groups: Groups | None = None
    is_descending: bool = False
    has_nulls: bool = False
    sorting: tuple[tuple[str, bool], ...] = ()

    @property
    def direction(self) -> str:
        """For ORDER BY."""
        return "DESC" if self.is_descending else "ASC"

    def reversed(self) -> Order:
        """The same, turned round."""
        return replace(self, is_descending=not self.is_descending)


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """The last row that was sent."""

    id: int
    key: Key = None


@dataclass(slots=True)
class Selection:
    """What a list shows: conditions, with the arguments that they stand on."""

    conditions: list[str] = field(default_factory=list)
    arguments: list[Any] = field(default_factory=list)

    def where(self, condition: str, *arguments: object) -> None:
        """Adds a condition in which `{0}`, `{1}` stand for the arguments."""
        self.conditions.append(condition.format(*(self.hold(argument) for argument in arguments)))

    def hold(self, argument: object) -> str:
        """The placeholder of a new argument."""
        self.arguments.append(argument)
        return f"${len(self.arguments)}"

    def copy(self) -> Selection:
        """One to which can be added without changing this one."""
        return Selection(list(self.conditions), list(self.arguments))

    @property
    def sql(self) -> str:
        """All conditions."""
        return " AND ".join(self.conditions) or "true"


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Which of the selected rows; `skip` ones are left out first."""

    order: Order
    after: Position | None
    skip: int
    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A table with an id, what its conditions need beside it (`joins`), and how one of its rows is read."""

    table: str
    view: str
    joins: str = ""


async def tune(tx: Transaction) -> None:
    """Lets the rest of a transaction, which should be lists alone, be planned as these need it."""
    await tx.execute(_TUNING)


async def fetch(tx: Transaction, source: Source, selection: Selection, page: Page) -> list[Record]:
    """The rows of a page as the view shows them, each with its `position`."""
    sql, arguments = statement(source, selection, page)
    return await tx.fetch(sql, *arguments)


def statement(source: Source, selection: Selection, page: Page) -> tuple[str, list[Any]]:
    """What finds the rows of a page, with its arguments."""
    chosen = selection.copy()
    order = page.order
    ids = _of_sorted if order.sorting else _of_groups if order.groups else _of_rows
    direction = "ASC" if order.sorting else order.direction
    sql = f"""
    WITH RECURSIVE {ids(source, chosen, page)}
    {source.view.format(position="chosen.position", chosen=f"chosen JOIN {source.table} USING (id)")}
    ORDER BY chosen.position {direction}, chosen.id {direction}
    """
    return sql, chosen.arguments


async def count(tx: Transaction, source: Source, selection: Selection) -> int:
    """All rows that are selected."""
    found: int = await tx.fetchval(
        f"SELECT count(*) FROM {source.table} {source.joins} WHERE {selection.sql}",  # noqa: S608 - as above
        *selection.arguments,
    )
    return found


def add_people(selection: Selection, wanted: Mapping[str, str]) -> None:
    """Adds, for columns with ids of people, which part of their user names must be there; "" is any."""
    for column, part in wanted.items():
        if part:
            people = "SELECT id FROM person WHERE strpos(username_key, {0}) > 0"
            selection.where(f"({column} IN ({people})) IS TRUE", name_key(part))


def _of_rows(source: Source, chosen: Selection, page: Page) -> str:
    """The ids of a page, as one statement finds them."""
    table, order = source.table, page.order
    if page.after is not None:
        chosen.conditions.append(_behind(table, order, order.key, page.after, chosen))
    return f"""
    chosen AS MATERIALIZED (
        SELECT {table}.id, {order.key or "NULL"} AS position
        FROM {table} {source.joins} {order.joins}
        WHERE {chosen.sql}
        ORDER BY {f"{order.key} {order.direction}, " if order.key else ""}{table}.id {order.direction}
        {_part(chosen, page)}
    )
    """  # noqa: S608 - as above


def _of_sorted(source: Source, chosen: Selection, page: Page) -> str:
    """The same with the number of each as its position, which is all that such an order can go on from."""
    table, order = source.table, page.order
    keys = [f"{key} {'DESC' if is_descending else 'ASC'}" for key, is_descending in order.sorting]
    return f"""
    chosen AS MATERIALIZED (
        SELECT id, position
        FROM unnest(ARRAY(
            SELECT {table}.id
            FROM {table} {source.joins} {order.joins}
            WHERE {chosen.sql}
            ORDER BY {", ".join(keys)}, {table}.id {order.direction}
            {_part(chosen, page)}
        )) WITH ORDINALITY AS found (id, position)
    )
    """  # noqa: S608 - as above


def _part(chosen: Selection, page: Page) -> str:
    return f"OFFSET {chosen.hold(page.skip)} LIMIT {chosen.hold(page.limit)}"


def _of_groups(source: Source, chosen: Selection, page: Page) -> str:
    """The same, group by group."""
    table, order, after = source.table, page.order, page.after
    assert order.groups is not None
    column, of_all = order.groups.column, chosen.sql
    in_group, in_none, of_groups = "true", "true", "true"
    if after is not None:
        in_group = _behind(table, order, "named.position", after, chosen)
        in_none = _behind(table, order, "NULL::text", after, chosen)
        of_groups = _groups_behind(order, after, chosen)
    by_position = f"position {order.direction}, id {order.direction}"
    return f"""
    {_present(table, column)},
    chosen AS MATERIALIZED (
        SELECT id, position
        FROM (
            (
                SELECT listed.id, named.position
                FROM (
                    SELECT id, position
                    FROM (
                        SELECT present.id, {order.groups.table}.{order.groups.key} AS position
                        FROM present
                        LEFT JOIN {order.groups.table} ON {order.groups.table}.id = present.id
                        WHERE present.id IS NOT NULL
                    ) AS keyed
                    WHERE {of_groups}
                    ORDER BY {by_position}
                ) AS named
                CROSS JOIN LATERAL (
                    SELECT {table}.id
                    FROM {table}
                    WHERE {column} = named.id AND {of_all} AND {in_group}
                    ORDER BY {table}.id {order.direction}
                    OFFSET 0
                ) AS listed
                ORDER BY named.position {order.direction}, listed.id {order.direction}
            )
            UNION ALL
            (
                SELECT {table}.id, NULL
                FROM {table}
                WHERE {column} IS NULL AND {of_all} AND {in_none}
                ORDER BY {table}.id {order.direction}
            )
        ) AS found
        ORDER BY {by_position}
        {_part(chosen, page)}
    )
    """  # noqa: S608 - as above


def _present(table: str, column: str) -> str:
    """The ids of all groups, which are found by leaps through the index."""
    return f"""
    present AS (
        (SELECT {column} AS id FROM {table} WHERE {table}.deleted_at IS NULL ORDER BY {column} LIMIT 1)
        UNION ALL
        SELECT (
            SELECT {column}
            FROM {table}
            WHERE {column} > present.id AND {table}.deleted_at IS NULL
            ORDER BY {column}
            LIMIT 1
        )
        FROM present
        WHERE present.id IS NOT NULL
    )
    """  # noqa: S608 - as above


def _groups_behind(order: Order, after: Position, chosen: Selection) -> str:
    """The groups of which a row may come after a position; the others need not be looked through."""
    if after.key is None:
        return "true" if order.is_descending else "position IS NULL"
    key = f"{chosen.hold(after.key)}::{order.key_type}"
    return f"position <= {key}" if order.is_descending else f"(position >= {key} OR position IS NULL)"


def _behind(table: str, order: Order, key: str, after: Position, chosen: Selection) -> str:
    """The rows that come after a position, by the expression of their key."""
    sign = "<" if order.is_descending else ">"
    last_id = f"{chosen.hold(after.id)}::bigint"
    if not key:
        return f"{table}.id {sign} {last_id}"
    if after.key is None:
        same = f"({key} IS NULL AND {table}.id {sign} {last_id})"
        return f"({same} OR {key} IS NOT NULL)" if order.is_descending else same
    last_key = f"{chosen.hold(after.key)}::{order.key_type}"
    behind = f"({key}, {table}.id) {sign} ({last_key}, {last_id})"
    is_last = order.has_nulls and not order.is_descending
    return f"({behind} OR {key} IS NULL)" if is_last else behind
