"""A task's objects cut for the frames of a job, and the copies that jobs hold of one object joined again."""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from yard.annotations.interpolation import Path
from yard.annotations.model import AnnotationSet, Attributes, Keyframe, ShapeKind, Track


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """The frames first..last of a job, both included."""

    first: int
    last: int


def sliced(annotations: AnnotationSet, window: Window) -> AnnotationSet:
    """What a job with these frames sees of a task's objects."""
    tracks = (slice_track(track, window) for track in annotations.tracks)
    return AnnotationSet(
        tags=tuple(tag for tag in annotations.tags if window.first <= tag.frame <= window.last),
        shapes=tuple(shape for shape in annotations.shapes if window.first <= shape.frame <= window.last),
        tracks=tuple(track for track in tracks if track is not None),
    )


def slice_track(track: Track, window: Window) -> Track | None:
    """The track inside the window with keyframes at its cut ends; None where it is not visible there."""
    inside = [frame for frame in track.keyframes if window.first <= frame.frame <= window.last]
    if len(inside) == len(track.keyframes):
        return track
    path = Path(track)
    kept = _with_start(inside, path, window.first)
    if not kept:
        return None
    end = path.at(window.last)
    goes_on = track.keyframes[-1].frame > window.last
    if goes_on and end is not None and not end.outside and kept[-1].frame < window.last:
        kept.append(replace(end, attributes={}))
    return replace(track, keyframes=tuple(kept))


def _with_start(inside: Sequence[Keyframe], path: Path, first: int) -> list[Keyframe]:
    """The keyframes from the first visible state on, which says all attributes: nothing is before it."""
    state = path.at(first)
    if state is not None and not state.outside:
        return [state, *(keyframe for keyframe in inside if keyframe.frame > first)]
    visible = next((index for index, keyframe in enumerate(inside) if not keyframe.outside), None)
    if visible is None:
        return []
    begin = path.at(inside[visible].frame)
    assert begin is not None
    return [begin, *inside[visible + 1 :]]


def join_copies(copies: Sequence[tuple[Window, Track]], windows: Iterable[Window]) -> Track | None:
    """The track that was cut into these copies; None if one of them no longer shows what the others do.

    `windows` are those of all jobs. Keyframes that only the cut made are left out again where the others give
    the same without them.
    """
    copies = sorted(copies, key=lambda copy: copy[0])
    keyframes = union(track.keyframes for _, track in copies)
    for end in _ends(copies, windows):
        keyframes.setdefault(end.frame, end)
    whole = _joined(copies[0][1], keyframes)
    shown, frames = Path(whole), sorted(keyframes)
    for window, track in copies:
        if not _is_copy(whole, track):
            return None
        if not _agree(shown, Path(track), _comparable(track, window, frames)):
            return None
    borders = {border for window, _ in copies for border in (window.first, window.last)}
    return _without(whole, sorted((borders & keyframes.keys()) - {whole.first_frame}))


def _is_copy(whole: Track, track: Track) -> bool:
    return (whole.label_id, whole.attributes) == (track.label_id, track.attributes)


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
        track = _joined(whole, kept)
        path = Path(track)
        needed = [frame for frame in dropped if not _agree(shown, path, (frame,))]
        if not needed:
            return track
        frames = sorted(kept)
        # One a gap at a time: what lies behind it may be implied once it is back.
        gaps = {bisect_left(frames, frame): frame for frame in reversed(needed)}
        back = set(gaps.values())
        dropped = [frame for frame in dropped if frame not in back]


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


def union(parts: Iterable[Iterable[Keyframe]]) -> dict[int, Keyframe]:
    """Keyframes of all parts by frame; on the same frame that of the earlier part stands."""
    found: dict[int, Keyframe] = {}
    for part in parts:
        for keyframe in part:
            found.setdefault(keyframe.frame, keyframe)
    return found


def ending(track: Track, window: Window) -> Keyframe | None:
    """The outside keyframe after the window's end that a track needs which is still visible there."""
    last = track.keyframes[-1]
    return None if last.outside else replace(last, frame=window.last + 1, outside=True, attributes={})


def _ends(copies: Sequence[tuple[Window, Track]], windows: Iterable[Window]) -> Iterable[Keyframe]:
    """Where the object leaves the picture just after a copy: the following job has none, or a later one."""
    begins = {window: track.first_frame for window, track in copies}
    following = dict(pairwise(sorted(windows)))
    for window, track in copies:
        after = following.get(window)
        is_over = after is not None and begins.get(after, math.inf) > window.last + 1
        if is_over and (end := ending(track, window)) is not None:
            yield end


def _joined(head: Track, keyframes: dict[int, Keyframe]) -> Track:
    return replace(head, keyframes=tuple(keyframes[frame] for frame in sorted(keyframes)))


def _agree(one: Path, other: Path, frames: Iterable[int]) -> bool:
    """Whether both show the same on the frames."""
    return all(_same_state(one.at(frame), other.at(frame)) for frame in frames)


def _same_state(one: Keyframe | None, other: Keyframe | None) -> bool:
    if one is None or other is None or one.outside or other.outside:
        return (one is None or one.outside) and (other is None or other.outside)
    fields = ("kind", "occluded", "z_order", "attributes")
    if any(getattr(one, name) != getattr(other, name) for name in fields):
        return False
    turn = abs(one.rotation - other.rotation) % 360
    return (
        len(one.points) == len(other.points)
        and min(turn, 360 - turn) < 1e-6
        and all(
            math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-6)
            for a, b in zip(one.points, other.points, strict=True)
        )
    )
