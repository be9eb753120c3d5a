"""The objects of a task's jobs as one set: copies of one origin joined, then neighbours merged on overlap.

A pure function: neither the order of jobs nor that of saving matters, only contents and frames do.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Generic, TypeVar

from yard.annotations.assignment import Pair
from yard.annotations.joining import join_copies
from yard.annotations.labels import LabelSchema
from yard.annotations.matching import match_shapes, match_tags, match_tracks
from yard.annotations.model import AnnotationSet, Attributes, Keyframe, Shape, Tag, Track
from yard.annotations.ordering import by_content, by_id
from yard.annotations.slicing import Window, ending, union

Item = TypeVar("Item", Tag, Shape, Track)
Still = TypeVar("Still", Tag, Shape)
Node = tuple[int, int]
Held = Sequence[tuple[int, Item]]
"""Objects with the numbers of the jobs that hold them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobAnnotations:
    """The objects of one job, whose frames are first..last, both included."""

    job_id: int
    first: int
    last: int
    annotations: AnnotationSet

    @property
    def window(self) -> Window:
        """The frames of the job."""
        return Window(self.first, self.last)


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeReport:
    """Pairs that became one, and objects that were joined from copies of one origin."""

    merged_shapes: int = 0
    merged_tracks: int = 0
    merged_tags: int = 0
    joined_origins: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Objects of the jobs that are one of the task, in the order of jobs; single ones are absent."""

    tags: tuple[tuple[Tag, ...], ...] = ()
    shapes: tuple[tuple[Shape, ...], ...] = ()
    tracks: tuple[tuple[Track, ...], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """A task's objects in order, and what was done to get them."""

    annotations: AnnotationSet
    report: MergeReport
    parts: Parts


def merge(jobs: Iterable[JobAnnotations], schema: LabelSchema) -> Merged:
    """All jobs of a task as one set; the labels say which attributes were left at their default."""
    ordered = sorted(jobs, key=lambda job: (job.first, job.last, job.job_id))
    windows = [job.window for job in ordered]
    tags = _still([job.annotations.tags for job in ordered], windows, match_tags)
    shapes = _still([job.annotations.shapes for job in ordered], windows, match_shapes)
    tracks = _moving([job.annotations.tracks for job in ordered], windows)
    annotations = AnnotationSet(
        tags=tuple(by_id(tags.merged(lambda chain: _merged_still(tags.parts(chain), schema)))),
        shapes=tuple(by_id(shapes.merged(lambda chain: _merged_still(shapes.parts(chain), schema)))),
        tracks=tuple(by_id(tracks.merged(lambda chain: _merged_track(tracks, chain, windows)))),
    )
    report = MergeReport(
        merged_shapes=shapes.pairs,
        merged_tracks=tracks.pairs,
        merged_tags=tags.pairs,
        joined_origins=sum(len(links.joined) for links in (tags, shapes, tracks)),
    )
    parts = Parts(tags=tags.several(), shapes=shapes.several(), tracks=tracks.several())
    return Merged(annotations=annotations, report=report, parts=parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Links(Generic[Item]):
    """Objects of the jobs in canonical order, chains of those that are one, and what copies became."""

    objects: Sequence[Sequence[Item]]
    chains: Sequence[Sequence[Node]]
    joined: Mapping[str, Item]
    pairs: int
    apart: Sequence[Item] = ()
    """Objects that no other can be one with."""

    def several(self) -> tuple[tuple[Item, ...], ...]:
        """The objects of each chain that has more than one."""
        return tuple(
            tuple(self.objects[job][index] for job, index in chain) for chain in self.chains if len(chain) > 1
        )

    def parts(self, chain: Sequence[Node]) -> list[Item]:
        """The objects of a chain by job; copies of one origin count once."""
        found: dict[str | Node, Item] = {}
        for node in chain:
            item = self.objects[node[0]][node[1]]
            joined = self.joined.get(item.origin)
            found.setdefault(item.origin if joined is not None else node, joined or item)
        return list(found.values())

    def merged(self, united: Callable[[Sequence[Node]], Item]) -> Iterator[Item]:
        """Each object of the task once."""
        yield from self.apart
        yield from map(united, self.chains)


def _still(
    jobs: Sequence[Sequence[Still]],
    windows: Sequence[Window],
    match: Callable[[Sequence[Still], Sequence[Still], Window], list[Pair]],
) -> _Links[Still]:
    """Tags or shapes: only those on frames of two jobs, or with an origin that others have, are compared."""
    origins = Counter(item.origin for items in jobs for item in items if item.origin)
    shared: list[list[Still]] = []
    apart: list[Still] = []
    for items, (before, after) in zip(jobs, _shared_frames(windows), strict=True):
        compared: list[Still] = []
        for item in items:
            may_meet = item.frame <= before or item.frame >= after or origins[item.origin] > 1
            (compared if may_meet else apart).append(item)
        shared.append(by_content(compared))
    return replace(_linked(shared, windows, match, _equal_copies), apart=apart)


def _shared_frames(windows: Sequence[Window]) -> Iterator[tuple[float, float]]:
    """For each job the last frame that an earlier one has, and the first that a later one has."""
    for place, window in enumerate(windows):
        before = windows[place - 1].last if place else window.first - 1
        after = windows[place + 1].first if place + 1 < len(windows) else window.last + 1
        yield before, after


def _moving(jobs: Sequence[Sequence[Track]], windows: Sequence[Window]) -> _Links[Track]:
    def join(groups: Sequence[Held[Track]]) -> list[Track | None]:
        return join_copies(groups, windows)

    return _linked([by_content(items) for items in jobs], windows, match_tracks, join)


def _linked(
    objects: Sequence[Sequence[Item]],
    windows: Sequence[Window],
    match: Callable[[Sequence[Item], Sequence[Item], Window], list[Pair]],
    join: Callable[[Sequence[Held[Item]]], Sequence[Item | None]],
) -> _Links[Item]:
    chains = _Chains()
    groups = _by_origin(objects)
    found = join([[(job, objects[job][index]) for job, index in copies] for copies in groups.values()])
    joined: dict[str, Item] = {}
    for (origin, copies), whole in zip(groups.items(), found, strict=True):
        if whole is not None:
            joined[origin] = whole
            for copy in copies[1:]:
                chains.link(copies[0], copy)
    pairs = 0
    for left, right, matched in _neighbours(objects, windows, match, joined):
        for one, other in matched:
            pairs += chains.link((left, one), (right, other))
    return _Links(objects=objects, chains=chains.of(objects), joined=joined, pairs=pairs)


def _neighbours(
    objects: Sequence[Sequence[Item]],
    windows: Sequence[Window],
    match: Callable[[Sequence[Item], Sequence[Item], Window], list[Pair]],
    joined: Mapping[str, Item],
) -> Iterator[tuple[int, int, list[Pair]]]:
    """Pairs by the rules of the overlap, of objects that are not joined with the other job's already."""
    for left, right in pairwise(range(len(objects))):
        overlap = Window(windows[right].first, windows[left].last)
        if overlap.first > overlap.last or not objects[left] or not objects[right]:
            continue
        shared = {item.origin for item in objects[left]} & {item.origin for item in objects[right]}
        done = shared & joined.keys()
        free = [
            [index for index, item in enumerate(objects[job]) if item.origin not in done]
            for job in (left, right)
        ]
        ones, others = (
            [objects[job][i] for i in part] for job, part in zip((left, right), free, strict=True)
        )
        pairs = match(ones, others, overlap)
        yield left, right, [(free[0][one], free[1][other]) for one, other in pairs]


def _by_origin(objects: Sequence[Sequence[Item]]) -> dict[str, list[Node]]:
    """Objects that share an origin, where two jobs or more have one; two in the same job are not copies."""
    found: dict[str, list[Node]] = defaultdict(list)
    for job, items in enumerate(objects):
        for index, item in enumerate(items):
            if item.origin:
                found[item.origin].append((job, index))
    return {
        origin: copies
        for origin, copies in found.items()
        if len(copies) > 1 and len({job for job, _ in copies}) == len(copies)
    }


class _Chains:
    """Sets of nodes that are one object (disjoint sets with path halving)."""

    def __init__(self) -> None:
        self._heads: dict[Node, Node] = {}

    def link(self, one: Node, other: Node) -> bool:
        """Makes one of both sets; False if they were one already. The smaller node stays the head."""
        first, second = sorted((self._head(one), self._head(other)))
        self._heads[second] = first
        return first != second

    def _head(self, node: Node) -> Node:
        heads = self._heads
        while (head := heads.setdefault(node, node)) != node:
            heads[node] = heads[head]
            node = heads[node]
        return node

    def of(self, objects: Sequence[Sequence[Item]]) -> list[list[Node]]:
        """The sets of all objects, nodes ascending; most are single ones."""
        found: dict[Node, list[Node]] = defaultdict(list)
        for job, items in enumerate(objects):
            for index in range(len(items)):
                node = (job, index)
                found[self._head(node) if node in self._heads else node].append(node)
        return list(found.values())


def _equal_copies(groups: Sequence[Held[Still]]) -> list[Still | None]:
    """The first copy of each group in which all are the same but for ids."""
    return [copies[0][1] if _are_equal([item for _, item in copies]) else None for copies in groups]


def _are_equal(items: Sequence[Still]) -> bool:
    first, *others = (replace(item, id=0, job_id=0) for item in items)
    return all(item == first for item in others)


def _merged_still(parts: Sequence[Still], schema: LabelSchema) -> Still:
    """The first object, with the others' values where its own attributes were left at their default."""
    first, *rest = parts
    attributes = first.attributes
    for other in rest:
        attributes = _filled(attributes, other.attributes, first.label_id, schema)
    return first if attributes is first.attributes else replace(first, attributes=attributes)


def _filled(own: Attributes, other: Attributes, label_id: int, schema: LabelSchema) -> Attributes:
    if not other:
        return own
    taken = {
        attribute.id: other[attribute.id]
        for attribute in schema.attributes(label_id).values()
        if attribute.id in other and own.get(attribute.id, attribute.default) == attribute.default
    }
    return {**own, **taken} if taken else own


def _merged_track(links: _Links[Track], chain: Sequence[Node], windows: Sequence[Window]) -> Track:
    ends = list(_ends(links, chain, windows))
    parts = links.parts(chain)
    if len(parts) == 1 and not ends:
        return parts[0]
    # min keeps the first of equals: the earlier job.
    head = min(parts, key=lambda track: track.first_frame)
    keyframes = union([*(track.keyframes for track in parts), ends])
    return replace(head, keyframes=tuple(keyframes[frame] for frame in sorted(keyframes)))


def _ends(links: _Links[Track], chain: Sequence[Node], windows: Sequence[Window]) -> Iterator[Keyframe]:
    """Where the object leaves the picture: after each job whose neighbour has no part of it."""
    held = {job for job, _ in chain}
    for job, index in chain:
        if job + 1 < len(windows) and job + 1 not in held:
            end = ending(links.objects[job][index], windows[job])
            if end is not None:
                yield end
