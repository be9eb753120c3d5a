"""What a save does to the objects of jobs: which rows stay, which go, which are new.

Objects of a task are cut for each job that sees them. The copies share an origin, by which they are one again
when the task is read. Rows whose content stays keep their id: what did not change is not a change.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Generic, TypeVar

from yard.annotations.defaults import Defaults
from yard.annotations.labels import LabelSchema
from yard.annotations.model import Keyframe, Shape, Tag, Track
from yard.annotations.slicing import Window, slice_track

Item = TypeVar("Item", Tag, Shape, Track)
NO_DEFAULTS: Final = Defaults(LabelSchema(()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A job that may hold objects; `is_whole` if it is all that is asked about: nothing is cut for it."""

    job_id: int
    window: Window
    is_whole: bool = False


@dataclass(slots=True, kw_only=True)
class Changes(Generic[Item]):
    """Rows of one kind to write; new ones have the id 0 until `numbered`."""

    created: list[Item] = field(default_factory=list)
    updated: list[tuple[Item, Item]] = field(default_factory=list)
    """Before and after; the id stays, the job may not."""
    deleted: list[Item] = field(default_factory=list)
    heads: list[Item | int] = field(default_factory=list)
    """For each object that was to be created its first copy: a row that stays, or a place in `created`."""

    @property
    def inserted(self) -> list[Item]:
        """All rows to write."""
        return self.created + [after for _, after in self.updated]

    @property
    def removed(self) -> list[Item]:
        """All rows to remove before that, as they are."""
        return self.deleted + [before for before, _ in self.updated]

    @property
    def removed_ids(self) -> list[int]:
        """Their ids."""
        return [item.id for item in self.removed]

    def numbered(self, ids: Iterable[int]) -> list[Item]:
        """Gives ids to the new rows, in order; returns the heads."""
        self.created = [replace(item, id=id_) for item, id_ in zip(self.created, ids, strict=True)]
        return [self.created[head] if isinstance(head, int) else head for head in self.heads]


def copies_of(item: Item, sites: Sequence[Site]) -> list[Item]:
    """The object as each job holds it that sees it, in the order of jobs."""
    copies = []
    for site in sites:
        held = item if site.is_whole else _seen(item, site.window)
        if held is not None:
            copies.append(replace(held, job_id=site.job_id, id=0, origin=""))
    return copies


def replaced(
    wanted: Iterable[Sequence[Item]],
    stored: Iterable[Item],
    new_origin: Callable[[], str],
    defaults: Defaults = NO_DEFAULTS,
) -> Changes[Item]:
    """The copies of all objects in place of the rows that the jobs hold.

    A default that is given is the same as one that is not: whoever writes back what was read changes nothing.
    """
    changes: Changes[Item] = Changes()
    rows: dict[object, deque[Item]] = defaultdict(deque)
    for row in stored:
        rows[row.job_id, content(defaults.of(row))].append(row)
    for copies in wanted:
        kept = [_first(rows.get((copy.job_id, content(defaults.of(copy))))) for copy in copies]
        origin = _common_origin(kept) if len(copies) > 1 else ""
        if len(copies) > 1 and not origin:
            # Rows that do not belong together yet cannot stay: they are written again under one origin.
            changes.deleted += [row for row in kept if row is not None]
            kept, origin = [None] * len(copies), new_origin()
        _place(changes, copies, kept, origin)
    changes.deleted += [row for group in rows.values() for row in group]
    return changes


def added(wanted: Iterable[Sequence[Item]], new_origin: Callable[[], str]) -> Changes[Item]:
    """The copies of new objects."""
    return replaced(wanted, (), new_origin)


def update(
    changes: Changes[Item],
    copies: Sequence[Item],
    rows: Sequence[Item],
    new_origin: Callable[[], str],
    defaults: Defaults = NO_DEFAULTS,
) -> None:
    """Adds what puts the copies of one object in place of its rows; ids stay as far as there are copies."""
    pairs = _paired(copies, rows)
    origin = next((row.origin for row in rows if row.origin), "") or (new_origin() if len(copies) > 1 else "")
    for copy, row in pairs:
        after = replace(copy, origin=origin, id=row.id if row else 0)
        if row is None:
            changes.created.append(after)
        elif after != row and defaults.of(after) != defaults.of(row):
            changes.updated.append((row, after))
    used = {row.id for _, row in pairs if row is not None}
    changes.deleted += [row for row in rows if row.id not in used]


def content(item: Tag | Shape | Track) -> object:
    """What an object is, without ids, job and origin: equal for equal ones, and hashable."""
    common = (item.label_id, item.group, item.source, frozenset(item.attributes.items()))
    if isinstance(item, Tag):
        return (item.frame, *common)
    if isinstance(item, Shape):
        return (_drawn(item), *common)
    states = tuple(
        (_drawn(keyframe), keyframe.outside, frozenset(keyframe.attributes.items()))
        for keyframe in item.keyframes
    )
    return (states, *common)


def _drawn(item: Shape | Keyframe) -> object:
    return (item.frame, item.kind, item.points, item.rotation, item.occluded, item.z_order)


def _seen(item: Item, window: Window) -> Item | None:
    if isinstance(item, Track):
        return slice_track(item, window)
    return item if window.first <= item.frame <= window.last else None


def _first(rows: deque[Item] | None) -> Item | None:
    return rows.popleft() if rows else None


def _common_origin(rows: Sequence[Tag | Shape | Track | None]) -> str:
    origins = {row.origin for row in rows if row is not None}
    return origins.pop() if len(origins) == 1 else ""


def _place(changes: Changes[Item], copies: Sequence[Item], kept: Sequence[Item | None], origin: str) -> None:
    for place, (copy, row) in enumerate(zip(copies, kept, strict=True)):
        if row is None:
            changes.created.append(replace(copy, origin=origin) if origin else copy)
        if place == 0:
            changes.heads.append(row if row is not None else len(changes.created) - 1)


def _paired(copies: Sequence[Item], rows: Sequence[Item]) -> list[tuple[Item, Item | None]]:
    """Each copy with the row of its job, else with one that no copy is in the job of, else with none."""
    of_job = {row.job_id: row for row in reversed(rows)}
    taken = {of_job[copy.job_id].id for copy in copies if copy.job_id in of_job}
    free = deque(row for row in rows if row.id not in taken)
    return [(copy, of_job.get(copy.job_id) or _first(free)) for copy in copies]
