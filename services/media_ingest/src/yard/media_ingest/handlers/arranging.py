"""The order of files that a client names when it closes an upload."""

from collections.abc import Iterable, Iterator, Sequence
from uuid import UUID

from yard.media_ingest.domain.uploads import MOST_FILES, MOST_VIOLATIONS
from yard.media_ingest.store import arranging as store
from yard.media_ingest.store.arranging import Match
from yard.runtime import errors
from yard.runtime.db import Transaction
from yard.runtime.errors import InvalidArgument, Violation


async def arrange(tx: Transaction, upload_id: UUID, order: Sequence[str]) -> None:
    """Puts the named files first; a base name will do where only one file has it."""
    if len(order) > MOST_FILES:
        raise errors.invalid("order", f"must have at most {MOST_FILES} names, got {len(order)}")
    found = {match.position: match for match in await store.by_name(tx, upload_id, order)}
    if left := [position for position in range(len(order)) if position not in found]:
        names = [order[position] for position in left]
        found |= _at(left, await store.by_base_name(tx, upload_id, names))
    if violations := [*_faults(order, found)]:
        raise InvalidArgument(violations=violations[:MOST_VIOLATIONS])
    await store.arrange(tx, upload_id, [found[position].number for position in range(len(order))])


def _at(positions: Sequence[int], matches: Iterable[Match]) -> dict[int, Match]:
    return {positions[match.position]: match for match in matches}


def _faults(order: Sequence[str], found: dict[int, Match]) -> Iterator[Violation]:
    first: dict[int, int] = {}
    for position, name in enumerate(order):
        field = f"order[{position}]"
        match = found.get(position)
        if match is None:
            yield Violation(field, f"is the name of no file: {name[:80]!r}")
        elif match.count > 1:
            yield Violation(field, f"is the name of {match.count} files: {name[:80]!r}")
        elif (before := first.setdefault(match.number, position)) != position:
            yield Violation(field, f"names the same file as order[{before}]: {name[:80]!r}")
