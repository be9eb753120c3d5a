"""Tracks between keyframes.

Rectangles, ellipses and cuboids move linearly, their rotation along the shorter arc (clockwise for a half
turn). Polygons and polylines match vertices by their offset along the outline, once a pair of keyframes.
Points move linearly while their number stays, else they hold. Everything else holds until the next keyframe.
"""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import replace

from yard.annotations.model import Attributes, Keyframe, ShapeKind, Track
from yard.annotations.outlines import OutlineMatch

_LINEAR = (ShapeKind.RECTANGLE, ShapeKind.ELLIPSE, ShapeKind.CUBOID)
_OUTLINES = (ShapeKind.POLYGON, ShapeKind.POLYLINE)


class Path:
    """Where a track is on each frame; keeps the last match of outlines, so ask for frames in order."""

    def __init__(self, track: Track) -> None:
        self._keyframes = _with_attributes(track)
        self._frames = [keyframe.frame for keyframe in self._keyframes]
        self._match: tuple[int, OutlineMatch] | None = None

    def at(self, frame: int) -> Keyframe | None:
        """The state on a frame with all mutable attributes set so far; None before the first keyframe."""
        place = bisect_right(self._frames, frame) - 1
        if place < 0:
            return None
        before = self._keyframes[place]
        if before.frame == frame or place + 1 == len(self._keyframes) or before.outside:
            return replace(before, frame=frame)
        after = self._keyframes[place + 1]
        share = (frame - before.frame) / (after.frame - before.frame)
        points, rotation = self._between(place, before, after, share)
        return replace(before, frame=frame, points=points, rotation=rotation)

    def is_keyframe(self, frame: int) -> bool:
        """Whether the track has a keyframe there."""
        place = bisect_right(self._frames, frame) - 1
        return place >= 0 and self._frames[place] == frame

    def _between(
        self, place: int, before: Keyframe, after: Keyframe, share: float
    ) -> tuple[tuple[float, ...], float]:
        kind = before.kind
        if kind is not after.kind:
            return before.points, before.rotation
        if kind in _LINEAR:
            return _mixed(before.points, after.points, share), mixed_rotation(
                before.rotation, after.rotation, share
            )
        if kind in _OUTLINES:
            if self._match is None or self._match[0] != place:
                is_closed = kind is ShapeKind.POLYGON
                self._match = (place, OutlineMatch(before.points, after.points, is_closed=is_closed))
            return self._match[1].at(share), before.rotation
        if kind is ShapeKind.POINTS and len(before.points) == len(after.points):
            return _mixed(before.points, after.points, share), before.rotation
        return before.points, before.rotation


def state_at(track: Track, frame: int) -> Keyframe | None:
    """The state of a track on one frame, outside or not; None before its first keyframe."""
    return Path(track).at(frame)


def states(track: Track, first: int, last: int) -> Iterator[Keyframe]:
    """The states on the frames first..last, both included, from the first keyframe on."""
    path = Path(track)
    for frame in range(max(first, track.first_frame), last + 1):
        state = path.at(frame)
        if state is not None:
            yield state


def mixed_rotation(before: float, after: float, share: float) -> float:
    """The angle after a share 0..1 of the shorter arc, 0 to less than 360."""
    turn = (after - before) % 360
    if turn > 180:
        turn -= 360
    # A tiny negative sum comes back from % as 360.0 itself.
    mixed = (before + turn * share) % 360
    return 0.0 if mixed >= 360 else mixed


def _mixed(before: tuple[float, ...], after: tuple[float, ...], share: float) -> tuple[float, ...]:
    return tuple(one + (other - one) * share for one, other in zip(before, after, strict=True))


def _with_attributes(track: Track) -> list[Keyframe]:
    """The keyframes with the mutable attributes that hold from before filled in."""
    current: Attributes = {}
    completed = []
    for keyframe in track.keyframes:
        if keyframe.attributes:
            current = {**current, **keyframe.attributes}
        is_complete = len(current) == len(keyframe.attributes)
        completed.append(keyframe if is_complete else replace(keyframe, attributes=current))
    return completed
