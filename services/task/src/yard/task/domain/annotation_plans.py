"""All that a save does, over the three kinds of objects."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Self

from yard.annotations.defaults import Defaults
from yard.annotations.errors import Fault
from yard.annotations.merge import Parts
from yard.annotations.model import AnnotationSet, Shape, Tag, Track
from yard.task.domain.annotation_changes import NO_DEFAULTS, Changes, Item, Site, copies_of, replaced
from yard.task.domain.annotation_patches import Patch, Stored, id_faults, patched

Table = Literal["tag", "shape", "track"]


@dataclass(slots=True)
class Counts:
    """Objects of one job that a save has changed."""

    created: int = 0
    updated: int = 0
    deleted: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """What a save does to the rows of one job: enough to go back to the state before it."""

    counts: Counts
    removed: AnnotationSet
    """Rows that go, and rows that are written anew under their ids, as they were before."""
    written: Mapping[Table, Sequence[int]]
    """Ids of the rows that are there after it and were not, or not like this, before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Changes by kind; nothing unless said otherwise."""

    tags: Changes[Tag] = field(default_factory=Changes)
    shapes: Changes[Shape] = field(default_factory=Changes)
    tracks: Changes[Track] = field(default_factory=Changes)

    @property
    def removed_ids(self) -> dict[Table, list[int]]:
        """Rows to remove, by table."""
        return {
            "tag": self.tags.removed_ids,
            "shape": self.shapes.removed_ids,
            "track": self.tracks.removed_ids,
        }

    @property
    def inserted(self) -> AnnotationSet:
        """Rows to write."""
        return AnnotationSet(
            tags=tuple(self.tags.inserted),
            shapes=tuple(self.shapes.inserted),
            tracks=tuple(self.tracks.inserted),
        )

    @property
    def new_rows(self) -> dict[Table, int]:
        """Ids that are needed, by table."""
        return {
            "tag": len(self.tags.created),
            "shape": len(self.shapes.created),
            "track": len(self.tracks.created),
        }

    def numbered(self, ids: Mapping[Table, Sequence[int]]) -> AnnotationSet:
        """Gives ids by table to the new rows; returns the objects that were asked for, in their order."""
        return AnnotationSet(
            tags=tuple(self.tags.numbered(ids["tag"])),
            shapes=tuple(self.shapes.numbered(ids["shape"])),
            tracks=tuple(self.tracks.numbered(ids["track"])),
        )

    def counts(self) -> dict[int, Counts]:
        """By job; jobs in which nothing changes are absent."""
        found: defaultdict[int, Counts] = defaultdict(Counts)
        _count(self.tags, found)
        _count(self.shapes, found)
        _count(self.tracks, found)
        return dict(found)

    def traces(self) -> dict[int, Trace]:
        """By job, once the new rows have their ids; jobs in which nothing changes are absent."""
        gone_tags, gone_shapes, gone_tracks = (
            by_job(self.tags.removed),
            by_job(self.shapes.removed),
            by_job(self.tracks.removed),
        )
        tags, shapes, tracks = (
            by_job(self.tags.inserted),
            by_job(self.shapes.inserted),
            by_job(self.tracks.inserted),
        )
        return {
            job_id: Trace(
                counts=counts,
                removed=AnnotationSet(
                    tags=tuple(gone_tags[job_id]),
                    shapes=tuple(gone_shapes[job_id]),
                    tracks=tuple(gone_tracks[job_id]),
                ),
                written={
                    "tag": [tag.id for tag in tags[job_id]],
                    "shape": [shape.id for shape in shapes[job_id]],
                    "track": [track.id for track in tracks[job_id]],
                },
            )
            for job_id, counts in self.counts().items()
        }

    def label_ids(self) -> list[int]:
        """Labels that the rows to write need."""
        kinds = (self.tags.inserted, self.shapes.inserted, self.tracks.inserted)
        return sorted({item.label_id for items in kinds for item in items})


def replacing(
    wanted: AnnotationSet,
    stored: AnnotationSet,
    sites: Sequence[Site],
    new_origin: Callable[[], str],
    defaults: Defaults = NO_DEFAULTS,
) -> Plan:
    """The objects in place of all that the jobs hold."""
    return Plan(
        tags=replaced(_cut(wanted.tags, sites), stored.tags, new_origin, defaults),
        shapes=replaced(_cut(wanted.shapes, sites), stored.shapes, new_origin, defaults),
        tracks=replaced(_cut(wanted.tracks, sites), stored.tracks, new_origin, defaults),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Objects to create, to update by id, and to delete by id."""

    create: AnnotationSet
    update: AnnotationSet
    delete: AnnotationSet

    @property
    def tags(self) -> Patch[Tag]:
        """Of tags."""
        return Patch(name="tags", create=self.create.tags, update=self.update.tags, delete=self.delete.tags)

    @property
    def shapes(self) -> Patch[Shape]:
        """Of shapes."""
        return Patch(
            name="shapes", create=self.create.shapes, update=self.update.shapes, delete=self.delete.shapes
        )

    @property
    def tracks(self) -> Patch[Track]:
        """Of tracks."""
        return Patch(
            name="tracks", create=self.create.tracks, update=self.update.tracks, delete=self.delete.tracks
        )

    @property
    def needs_rows(self) -> bool:
        """Whether there must be objects already."""
        return bool(self.tags.ids or self.shapes.ids or self.tracks.ids)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRows:
    """Rows of all kinds."""

    tags: Stored[Tag]
    shapes: Stored[Shape]
    tracks: Stored[Track]

    @classmethod
    def of(cls, rows: AnnotationSet, sites: Sequence[Site], parts: Parts) -> Self:
        """The rows of these jobs; `parts` says which of them are one object."""
        return cls(
            tags=Stored(rows.tags, sites, parts.tags),
            shapes=Stored(rows.shapes, sites, parts.shapes),
            tracks=Stored(rows.tracks, sites, parts.tracks),
        )

    def faults(self, step: Step) -> list[Fault]:
        """Ids of the step that are wrong."""
        return (
            id_faults(step.tags, self.tags)
            + id_faults(step.shapes, self.shapes)
            + id_faults(step.tracks, self.tracks)
        )


def patching(
    step: Step,
    rows: StoredRows,
    sites: Sequence[Site],
    new_origin: Callable[[], str],
    defaults: Defaults = NO_DEFAULTS,
) -> Plan:
    """The step, which has no faults, over the rows that it names."""
    return Plan(
        tags=patched(step.tags, rows.tags, sites, new_origin, defaults),
        shapes=patched(step.shapes, rows.shapes, sites, new_origin, defaults),
        tracks=patched(step.tracks, rows.tracks, sites, new_origin, defaults),
    )


def _cut(items: Sequence[Item], sites: Sequence[Site]) -> Iterator[list[Item]]:
    return (copies_of(item, sites) for item in items)


def by_job(items: Iterable[Item]) -> defaultdict[int, list[Item]]:
    """The items of each job, in their order."""
    found: defaultdict[int, list[Item]] = defaultdict(list)
    for item in items:
        found[item.job_id].append(item)
    return found


def _count(changes: Changes[Item], found: defaultdict[int, Counts]) -> None:
    for item in changes.created:
        found[item.job_id].created += 1
    for item in changes.deleted:
        found[item.job_id].deleted += 1
    for before, after in changes.updated:
        if before.job_id == after.job_id:
            found[after.job_id].updated += 1
        else:
            found[before.job_id].deleted += 1
            found[after.job_id].created += 1
