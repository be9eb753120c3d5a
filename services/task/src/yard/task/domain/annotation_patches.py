"""Objects that are created, updated and deleted in one step."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic

from yard.annotations.defaults import Defaults
from yard.annotations.errors import Fault
from yard.task.domain.annotation_changes import NO_DEFAULTS, Changes, Item, Site, added, copies_of, update


@dataclass(frozen=True, slots=True, kw_only=True)
class Patch(Generic[Item]):
    """Objects of one kind; of those to delete only ids count. `name` is the field that they came in."""

    name: str
    create: Sequence[Item]
    update: Sequence[Item]
    delete: Sequence[Item]

    @property
    def ids(self) -> list[int]:
        """Of the objects that must be there."""
        return [item.id for item in (*self.update, *self.delete)]


class Stored(Generic[Item]):
    """The rows of some jobs; those in a group are one object."""

    def __init__(
        self, rows: Iterable[Item], sites: Sequence[Site], groups: Iterable[Sequence[Item]] = ()
    ) -> None:
        jobs = {site.job_id for site in sites}
        self._objects: dict[int, Sequence[Item]] = {row.id: [row] for row in rows if row.job_id in jobs}
        self._objects |= {row.id: group for group in groups for row in group}

    def object_of(self, row_id: int) -> Sequence[Item]:
        """All rows of the object that a row belongs to; empty if there is no such row."""
        return self._objects.get(row_id, ())


def id_faults(patch: Patch[Item], stored: Stored[Item]) -> list[Fault]:
    """Objects that are not there or are named twice."""
    named = [(f"update.{patch.name}[{number}].id", item.id) for number, item in enumerate(patch.update)]
    named += [(f"delete.{patch.name}[{number}].id", item.id) for number, item in enumerate(patch.delete)]
    faults: list[Fault] = []
    taken: set[int] = set()
    for path, row_id in named:
        rows = {row.id for row in stored.object_of(row_id)}
        if not rows:
            faults.append(Fault(path, f"there is no such object: {row_id}"))
        elif taken & rows:
            faults.append(Fault(path, f"object {row_id} is named more than once"))
        taken |= rows
    return faults


def patched(
    patch: Patch[Item],
    stored: Stored[Item],
    sites: Sequence[Site],
    new_origin: Callable[[], str],
    defaults: Defaults = NO_DEFAULTS,
) -> Changes[Item]:
    """What to write for a patch without faults."""
    changes = added([copies_of(item, sites) for item in patch.create], new_origin)
    for item in patch.update:
        update(changes, copies_of(item, sites), stored.object_of(item.id), new_origin, defaults)
    for item in patch.delete:
        changes.deleted += stored.object_of(item.id)
    return changes
