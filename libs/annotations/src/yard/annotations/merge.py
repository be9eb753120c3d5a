"""The objects of a task's jobs as one set: copies of one origin joined, then neighbours merged on overlap.

A pure function: neither the order of jobs nor that of saving matters, only contents and frames do.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from yard.annotations.labels import LabelSchema
from yard.annotations.matching import Pair, match_shapes, match_tags, match_tracks
from yard.annotations.model import AnnotationSet, Attributes, Shape, Tag, Track
from yard.annotations.slicing import Window, ending, join_copies, union

Item = TypeVar("Item", Tag, Shape, Track)
Still = TypeVar("Still", Tag, Shape)
Node = tuple[int, int]


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
    tags = _linked([job.annotations.tags for job in ordered], windows, match_tags, _equal_copies)
    shapes = _linked([job.annotations.shapes for job in ordered], windows, match_shapes, _equal_copies)
    tracks = _linked([job.annotations.tracks for job in ordered], windows, match_tracks, _TrackJoin(windows))
    annotations = AnnotationSet(
        tags=tuple(_merged_still(tags.parts(chain), schema) for chain in tags.chains),
        shapes=tuple(_merged_still(shapes.parts(chain), schema) for chain in shapes.chains),
        tracks=tuple(_merged_track(tracks, chain, windows) for chain in tracks.chains),
    )
    report = MergeReport(
        merged_shapes=shapes.merged,
        merged_tracks=tracks.merged,
        merged_tags=tags.merged,
        joined_origins=sum(len(links.joined) for links in (tags, shapes, tracks)),
    )
    parts = Parts(tags=tags.several(), shapes=shapes.several(), tracks=tracks.several())
    return Merged(annotations=annotations.in_order(), report=report, parts=parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Links(Generic[Item]):
    """Objects of the jobs in canonical order, chains of those that are one, and what copies became."""

    objects: Sequence[Sequence[Item]]
    chains: Sequence[Sequence[Node]]
    joined: Mapping[str, Item]
    merged: int

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


def _linked(
    jobs: Sequence[Sequence[Item]],
    windows: Sequence[Window],
    match: Callable[[Sequence[Item], Sequence[Item], Window], list[Pair]],
    join: Callable[[Sequence[tuple[int, Item]]], Item | None],
) -> _Links[Item]:
    objects = [sorted(items, key=_content) for items in jobs]
    nodes = [(job, index) for job, items in enumerate(objects) for index in range(len(items))]
    chains = _Chains(nodes)
    joined: dict[str, Item] = {}
    for origin, copies in _by_origin(objects).items():
        whole = join([(job, objects[job][index]) for job, index in copies])
        if whole is not None:
            joined[origin] = whole
            for copy in copies[1:]:
                chains.link(copies[0], copy)
    merged = 0
    for left, right, pairs in _neighbours(objects, windows, match, joined):
        for one, other in pairs:
            merged += chains.link((left, one), (right, other))
    return _Links(objects=objects, chains=chains.all(), joined=joined, merged=merged)


def _neighbours(
    objects: Sequence[Sequence[Item]],
    windows: Sequence[Window],
    match: Callable[[Sequence[Item], Sequence[Item], Window], list[Pair]],
    joined: Mapping[str, Item],
) -> Iterable[tuple[int, int, list[Pair]]]:
    """Pairs by the rules of the overlap, of objects that are not joined with the other job's already."""
    for left in range(len(objects) - 1):
        right = left + 1
        overlap = Window(windows[right].first, windows[left].last)
        if overlap.first > overlap.last:
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

    def __init__(self, nodes: Sequence[Node]) -> None:
        self._heads = {node: node for node in nodes}

    def link(self, one: Node, other: Node) -> bool:
        """Makes one of both sets; False if they were one already. The smaller node stays the head."""
        first, second = sorted((self._head(one), self._head(other)))
        self._heads[second] = first
        return first != second

    def _head(self, node: Node) -> Node:
        heads = self._heads
        while heads[node] != node:
            heads[node] = heads[heads[node]]
            node = heads[node]
        return node

    def all(self) -> list[list[Node]]:
        """The sets, nodes ascending."""
        found: dict[Node, list[Node]] = defaultdict(list)
        for node in self._heads:
            found[self._head(node)].append(node)
        return list(found.values())


def _equal_copies(copies: Sequence[tuple[int, Still]]) -> Still | None:
    """The first copy if all are the same but for ids."""
    plain = [replace(item, id=0, job_id=0) for _, item in copies]
    return copies[0][1] if all(item == plain[0] for item in plain) else None


class _TrackJoin:
    """Joins copies of tracks; knows the frames of all jobs."""

    def __init__(self, windows: Sequence[Window]) -> None:
        self._windows = windows

    def __call__(self, copies: Sequence[tuple[int, Track]]) -> Track | None:
        return join_copies([(self._windows[job], track) for job, track in copies], self._windows)


def _merged_still(parts: Sequence[Still], schema: LabelSchema) -> Still:
    """The first object, with the others' values where its own attributes were left at their default."""
    first, *rest = parts
    attributes = first.attributes
    for other in rest:
        attributes = _filled(attributes, other.attributes, first.label_id, schema)
    return first if attributes is first.attributes else replace(first, attributes=attributes)


def _filled(own: Attributes, other: Attributes, label_id: int, schema: LabelSchema) -> Attributes:
    taken = {
        attribute.id: other[attribute.id]
        for attribute in schema.attributes(label_id).values()
        if attribute.id in other and own.get(attribute.id, attribute.default) == attribute.default
    }
    return {**own, **taken} if taken else own


def _merged_track(links: _Links[Track], chain: Sequence[Node], windows: Sequence[Window]) -> Track:
    parts = links.parts(chain)
    # min keeps the first of equals: the earlier job.
    head = min(parts, key=lambda track: track.first_frame)
    keyframes = union(track.keyframes for track in parts)
    held = {job for job, _ in chain}
    for job, index in chain:
        end = ending(links.objects[job][index], windows[job])
        if end is not None and job + 1 < len(windows) and job + 1 not in held:
            keyframes.setdefault(end.frame, end)
    return replace(head, keyframes=tuple(keyframes[frame] for frame in sorted(keyframes)))


def _content(item: Tag | Shape | Track) -> tuple[object, ...]:
    """Order by what objects are; ids, which tell the order of saving, only decide between equals."""
    attributes = tuple(sorted(item.attributes.items()))
    common = (item.label_id, attributes, item.group, item.source, item.origin, item.id)
    if isinstance(item, Tag):
        return (item.frame, *common)
    if isinstance(item, Shape):
        return (item.frame, item.kind, item.points, item.rotation, item.z_order, item.occluded, *common)
    keyframes = tuple(
        (
            k.frame,
            k.kind,
            k.points,
            k.rotation,
            k.outside,
            k.occluded,
            k.z_order,
            tuple(sorted(k.attributes.items())),
        )
        for k in item.keyframes
    )
    return (keyframes, *common)
