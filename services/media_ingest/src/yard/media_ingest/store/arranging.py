"""The order that the files of an upload are given when it is closed."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from yard.runtime.db import Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """The name at `position` is that of `count` files, one of which is `number`."""

    position: int
    number: int
    count: int


async def by_name(tx: Transaction, upload_id: UUID, names: Sequence[str]) -> list[Match]:
    """Files with exactly these names."""
    rows = await tx.fetch(
        """
        SELECT given.position - 1 AS position, file.number, 1 AS count
        FROM unnest($2::text[]) WITH ORDINALITY AS given (name, position)
        JOIN upload_file AS file
            ON file.upload_id = $1
            AND hashtextextended(file.name, 0) = hashtextextended(given.name COLLATE "C", 0)
            AND file.name = given.name
        """,
        upload_id,
        names,
    )
    return [Match(**dict(row)) for row in rows]


async def by_base_name(tx: Transaction, upload_id: UUID, names: Sequence[str]) -> list[Match]:
    """Files in folders with these names; reads all files of the upload."""
    rows = await tx.fetch(
        """
        SELECT given.position - 1 AS position, min(file.number) AS number, count(*) AS count
        FROM upload_file AS file
        JOIN unnest($2::text[]) WITH ORDINALITY AS given (name, position)
            ON split_part(file.name, '/', -1) = given.name COLLATE "C"
        WHERE file.upload_id = $1
        GROUP BY given.position
        """,
        upload_id,
        names,
    )
    return [Match(**dict(row)) for row in rows]


async def arrange(tx: Transaction, upload_id: UUID, numbers: Sequence[int]) -> None:
    """These files come first, in this order, whatever it was before."""
    await tx.execute(
        "UPDATE upload_file SET position = NULL WHERE upload_id = $1 AND position IS NOT NULL", upload_id
    )
    await tx.execute(
        """
        UPDATE upload_file AS file
        SET position = given.position
        FROM unnest($2::int[]) WITH ORDINALITY AS given (number, position)
        WHERE file.upload_id = $1 AND file.number = given.number
        """,
        upload_id,
        numbers,
    )
