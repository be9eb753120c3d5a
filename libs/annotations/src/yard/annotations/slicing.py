"""A task's objects cut for the frames of a job."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter

from yard.annotations.interpolation import Path
from yard.annotations.model import AnnotationSet, Attributes, Keyframe, Track

_frame_of = attrgetter("frame")


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
    keyframes = track.keyframes
    begin = bisect_left(keyframes, window.first, key=_frame_of)
    end = bisect_right(keyframes, window.last, key=_frame_of)
    if end - begin == len(keyframes):
        return track
    path = Path(replace(track, keyframes=_deciding(keyframes, begin, end)))
    kept = _with_start(keyframes[begin:end], path, window.first)
    if not kept:
        return None
    state = path.at(window.last)
    goes_on = keyframes[-1].frame > window.last
    if goes_on and state is not None and not state.outside and kept[-1].frame < window.last:
        kept.append(replace(state, attributes={}))
    return replace(track, keyframes=tuple(kept))


def _deciding(keyframes: Sequence[Keyframe], begin: int, end: int) -> tuple[Keyframe, ...]:
    """Those of a window and one on each side, the first with the attributes that hold from before."""
    start = max(0, begin - 1)
    known: Attributes = {}
    for keyframe in keyframes[: start + 1]:
        if keyframe.attributes:
            known = {**known, **keyframe.attributes}
    return (replace(keyframes[start], attributes=known), *keyframes[start + 1 : end + 1])


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
