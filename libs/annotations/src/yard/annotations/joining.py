"""Copies that jobs hold of tracks, joined again; all tracks of a kind that moves linearly at once."""

import math
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain

import numpy as np
from yard.annotations.arrays import Flags, Ints, linear_kind
from yard.annotations.interpolation import Path
from yard.annotations.model import Attributes, Keyframe, ShapeKind, Track
from yard.annotations.rows import AttributeNumbers, KeyframeRows, distances, same_states
from yard.annotations.slicing import Window, ending, union

Copies = Sequence[tuple[int, Track]]
"""Number of the job, in the order of jobs, and the track as it holds it; ascending."""
_NEARLY = 1 - 1e-9
"""Of differences that are equal but for rounding the first counts."""


def join_copies(groups: Sequence[Copies], windows: Sequence[Window]) -> list[Track | None]:
    """For each group the track that was cut into its copies; None if one no longer shows what the others do.

    `windows` are those of all jobs. Keyframes that only the cut made are left out again where the others give
    the same without them.
    """
    joined: list[Track | None] = [None] * len(groups)
    by_kind: defaultdict[ShapeKind, list[int]] = defaultdict(list)
    for index, copies in enumerate(groups):
        kind = _kind_of(copies)
        if not _are_alike(copies):
            continue
        if kind is None:
            joined[index] = join_each(copies, windows)
        else:
            by_kind[kind].append(index)
    for kind, indexes in by_kind.items():
        found = _Joining([groups[index] for index in indexes], windows, kind).wholes()
        for place, whole in found:
            joined[indexes[place]] = whole
    return joined


def _kind_of(copies: Copies) -> ShapeKind | None:
    kinds = {linear_kind(track) for _, track in copies}
    return kinds.pop() if len(kinds) == 1 else None


def _are_alike(copies: Copies) -> bool:
    first = copies[0][1]
    return all(
        (track.label_id, track.attributes) == (first.label_id, first.attributes) for _, track in copies
    )


def _ends(copies: Copies, windows: Sequence[Window]) -> Iterator[Keyframe]:
    """Where the object leaves the picture just after a copy: the following job has none, or a later one."""
    begins = {job: track.first_frame for job, track in copies}
    for job, track in copies:
        if job + 1 < len(windows) and begins.get(job + 1, math.inf) > windows[job].last + 1:
            end = ending(track, windows[job])
            if end is not None:
                yield end


class _Joining:
    """Groups of copies of one kind: `copies` and `whole` are keyframes by copy and by group."""

    def __init__(self, groups: Sequence[Copies], windows: Sequence[Window], kind: ShapeKind) -> None:
        self._groups = groups
        tracks = [track for copies in groups for _, track in copies]
        owners = [group for group, copies in enumerate(groups) for _ in copies]
        self._owners = np.array(owners, dtype=np.int64)
        seen = [windows[job] for copies in groups for job, _ in copies]
        self._borders = np.array([(window.first, window.last) for window in seen], dtype=np.int64)
        ends = [(group, end) for group, copies in enumerate(groups) for end in _ends(copies, windows)]
        self._keyframes = [
            *chain.from_iterable(track.keyframes for track in tracks),
            *(end for _, end in ends),
        ]
        counts = [len(track.keyframes) for track in tracks]
        copy_of = np.repeat(np.arange(len(tracks)), counts)
        group_of = np.concatenate([np.repeat(owners, counts), [group for group, _ in ends]]).astype(np.int64)
        every = KeyframeRows.of(self._keyframes, group_of, kind)
        held = every.taken(np.arange(len(copy_of)))
        # On the same frame the first stands: that of the earlier copy, an end only if there is no other.
        order = np.lexsort((every.frame, every.path))
        is_first = np.append(True, (np.diff(every.path[order]) != 0) | (np.diff(every.frame[order]) != 0))
        self._place = order[is_first]
        numbers = AttributeNumbers()
        attributes = [keyframe.attributes for keyframe in self._keyframes]
        self._copies = replace(held, path=copy_of, known=numbers.along(attributes[: len(copy_of)], copy_of))
        whole = every.taken(self._place)
        known = numbers.along([attributes[row] for row in self._place.tolist()], whole.path)
        self._whole = replace(whole, known=known)

    def wholes(self) -> Iterator[tuple[int, Track]]:
        """The joined tracks by number of their group."""
        is_good = np.ones(len(self._groups), dtype=np.bool_)
        is_good[self._disagreeing()] = False
        is_dropped = self._on_borders() & is_good[self._whole.path]
        while len(back := self._missing(is_dropped)):
            is_dropped[back] = False
        bounds = np.searchsorted(self._whole.path, np.arange(len(self._groups) + 1))
        for group in np.flatnonzero(is_good).tolist():
            part = slice(bounds[group], bounds[group + 1])
            yield group, self._track(group, part, is_dropped[part])

    def _disagreeing(self) -> Ints:
        """Groups in which a copy does not show on a keyframe of its frames what the whole shows."""
        low = self._whole.places(self._owners, self._borders[:, 0] - 1) + 1
        counts = self._whole.places(self._owners, self._borders[:, 1]) + 1 - low
        copy = np.repeat(np.arange(len(counts)), counts)
        ends = np.cumsum(counts)
        row = np.arange(len(copy)) + np.repeat(low - (ends - counts), counts)
        seen = self._copies.at(copy, self._whole.frame[row])
        return np.unique(self._owners[copy[~same_states(seen, self._whole.taken(row))]])

    def _on_borders(self) -> Flags:
        """The keyframes that a cut may have made; a track keeps its first one."""
        path, frame = self._whole.path, self._whole.frame
        rows: Flags = np.zeros(len(frame), dtype=np.bool_)
        for frames in self._borders.T:
            place = self._whole.places(self._owners, frames)
            hit = (place >= 0) & (frame[place] == frames) & (path[place] == self._owners)
            rows[place[hit]] = True
        rows[np.append(True, path[1:] != path[:-1])] = False
        return rows

    def _missing(self, is_dropped: Flags) -> Ints:
        """Of the dropped keyframes those that the others do not imply, in each gap the one farthest off.

        One at a time: those around it are often implied once it is back.
        """
        dropped = np.flatnonzero(is_dropped)
        kept = self._whole.taken(np.flatnonzero(~is_dropped))
        wanted = self._whole.taken(dropped)
        implied = kept.at(wanted.path, wanted.frame)
        needed = np.flatnonzero(~same_states(implied, wanted))
        if not len(needed):
            return needed
        gap = kept.places(wanted.path, wanted.frame)[needed]
        far = distances(implied.taken(needed), wanted.taken(needed))
        starts = np.flatnonzero(np.append(True, gap[1:] != gap[:-1]))
        most = np.repeat(np.maximum.reduceat(far, starts), np.diff(np.append(starts, len(gap))))
        farthest = np.flatnonzero(far >= most * _NEARLY)
        return dropped[needed[farthest[np.unique(gap[farthest], return_index=True)[1]]]]

    def _track(self, group: int, part: slice, is_dropped: Flags) -> Track:
        rows = self._place[part]
        first = self._groups[group][0][1]
        if any(self._keyframes[row].attributes for row in rows[is_dropped]):
            whole = {self._keyframes[row].frame: self._keyframes[row] for row in rows}
            dropped = {self._keyframes[row].frame for row in rows[is_dropped]}
            return _of_keyframes(first, _carried_over(whole, dropped))
        return replace(first, keyframes=tuple(self._keyframes[row] for row in rows[~is_dropped].tolist()))


def join_each(copies: Copies, windows: Sequence[Window]) -> Track | None:
    """The same for copies of one track of any kind, state by state."""
    keyframes = union(track.keyframes for _, track in copies)
    for end in _ends(copies, windows):
        keyframes.setdefault(end.frame, end)
    whole = _of_keyframes(copies[0][1], keyframes)
    shown, frames = Path(whole), sorted(keyframes)
    for job, track in copies:
        if not _agree(shown, Path(track), _comparable(track, windows[job], frames)):
            return None
    borders = {border for job, _ in copies for border in (windows[job].first, windows[job].last)}
    return _without(whole, sorted((borders & keyframes.keys()) - {whole.first_frame}))


def _comparable(track: Track, window: Window, frames: Sequence[int]) -> Sequence[int]:
    """Frames on which a copy must agree; an outline that was cut differs a little between keyframes."""
    if track.keyframes[0].kind in (ShapeKind.POLYGON, ShapeKind.POLYLINE):
        return [keyframe.frame for keyframe in track.keyframes]
    return frames[bisect_left(frames, window.first) : bisect_right(frames, window.last)]


def _without(whole: Track, borders: Sequence[int]) -> Track:
    """The track without those keyframes on borders that the others imply."""
    keyframes = {keyframe.frame: keyframe for keyframe in whole.keyframes}
    dropped = list(borders)
    shown = Path(whole)
    while True:
        kept = _carried_over(keyframes, set(dropped))
        track = _of_keyframes(whole, kept)
        path = Path(track)
        needed = [frame for frame in dropped if not _agree(shown, path, (frame,))]
        if not needed:
            return track
        frames = sorted(kept)
        # One a gap at a time: those around it are often implied once it is back.
        gaps: defaultdict[int, list[int]] = defaultdict(list)
        for frame in needed:
            gaps[bisect_left(frames, frame)].append(frame)
        back = {_farthest(shown, path, gap) for gap in gaps.values()}
        dropped = [frame for frame in dropped if frame not in back]


def _farthest(one: Path, other: Path, frames: Sequence[int]) -> int:
    """The first of the frames on which both differ most."""
    far = [_distance(one.at(frame), other.at(frame)) for frame in frames]
    return next(frame for frame, each in zip(frames, far, strict=True) if each >= max(far) * _NEARLY)


def _distance(one: Keyframe | None, other: Keyframe | None) -> float:
    """The largest difference in place or angle, infinite where more than that differs."""
    if one is None or other is None or not _is_comparable(one, other):
        return math.inf
    turn = abs(one.rotation - other.rotation) % 360
    apart = (abs(a - b) for a, b in zip(one.points, other.points, strict=True))
    return max(min(turn, 360 - turn), *apart)


def _is_comparable(one: Keyframe, other: Keyframe) -> bool:
    fields = ("kind", "occluded", "z_order", "attributes")
    if one.outside or other.outside or len(one.points) != len(other.points):
        return False
    return all(getattr(one, name) == getattr(other, name) for name in fields)


def _carried_over(keyframes: dict[int, Keyframe], dropped: set[int]) -> dict[int, Keyframe]:
    """The keyframes that are not dropped, with the attributes that dropped ones before them have set."""
    kept: dict[int, Keyframe] = {}
    carried: Attributes = {}
    for frame, keyframe in sorted(keyframes.items()):
        if frame in dropped:
            carried = {**carried, **keyframe.attributes}
        else:
            if carried:
                keyframe = replace(keyframe, attributes={**carried, **keyframe.attributes})
            kept[frame] = keyframe
            carried = {}
    return kept


def _of_keyframes(head: Track, keyframes: dict[int, Keyframe]) -> Track:
    return replace(head, keyframes=tuple(keyframes[frame] for frame in sorted(keyframes)))


def _agree(one: Path, other: Path, frames: Iterable[int]) -> bool:
    """Whether both show the same on the frames."""
    return all(_same_state(one.at(frame), other.at(frame)) for frame in frames)


def _same_state(one: Keyframe | None, other: Keyframe | None) -> bool:
    if one is None or other is None or one.outside or other.outside:
        return (one is None or one.outside) and (other is None or other.outside)
    if not _is_comparable(one, other):
        return False
    turn = abs(one.rotation - other.rotation) % 360
    return min(turn, 360 - turn) < 1e-6 and all(
        math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-6) for a, b in zip(one.points, other.points, strict=True)
    )
