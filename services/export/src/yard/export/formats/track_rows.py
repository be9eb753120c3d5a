"""Tracks from files that hold them frame by frame: rows with the number of a track, some of them keyframes.

Between two kept rows the states follow by interpolation, so that only the keyframes and the ends of gaps are
held, as long as rows come in the order of frames. A gap is where the file has a frame and the track no row.
"""

from collections.abc import Hashable, Mapping
from dataclasses import replace
from itertools import pairwise
from typing import NamedTuple

from yard.annotations.labels import Label
from yard.annotations.model import Keyframe
from yard.export.intakes.intake import FoundShape, FoundTrack, Intake


class _Row(NamedTuple):
    shape: FoundShape
    is_keyframe: bool
    merged: int
    """Rows between the one before and this one that are not held."""
    where: str


class _Growing(NamedTuple):
    label: Label
    rows: list[_Row]


class TrackRows:
    """Collects rows and hands over tracks at the end."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self._tracks: dict[Hashable, _Growing] = {}
        self._seen = bytearray(intake.size)

    def saw(self, frame: int) -> bool:
        """Notes that the file has this frame: a track without a row on it is not visible there.

        False: it was noted before.
        """
        place = frame - self._intake.first
        is_new = not self._seen[place]
        self._seen[place] = 1
        return is_new

    def add(self, key: Hashable, label: Label, shape: FoundShape, *, is_keyframe: bool, where: str) -> None:
        """Takes the state of a track on one frame."""
        growing = self._tracks.setdefault(key, _Growing(label, []))
        rows = growing.rows
        if rows and (growing.label.id, rows[0].shape.kind) != (label.id, shape.kind):
            self._intake.refuse(where, f"track {key} has another label or kind on {rows[0].where}")
            return
        row = _Row(shape, is_keyframe, 0, where)
        if rows and not rows[-1].is_keyframe and len(rows) > 1:
            before, last = rows[-2], rows[-1]
            if self._follows(before, last) and self._follows(last, row):
                rows[-1] = row._replace(merged=last.merged + 1)
                return
        rows.append(row)

    def close(self) -> None:
        """Hands over all tracks."""
        for key, growing in self._tracks.items():
            rows = sorted(growing.rows, key=lambda row: row.shape.frame)
            if self._is_sound(key, rows):
                self._intake.track(self._track(growing.label, rows), rows[0].where)
        self._tracks.clear()

    def _between(self, before: _Row, after: _Row) -> int:
        """How many frames of the file lie between two rows."""
        first = self._intake.first
        return self._seen.count(1, before.shape.frame + 1 - first, max(0, after.shape.frame - first))

    def _follows(self, before: _Row, after: _Row) -> bool:
        is_later = after.shape.frame > before.shape.frame
        return is_later and self._between(before, after) == after.merged

    def _is_sound(self, key: Hashable, rows: list[_Row]) -> bool:
        for before, after in pairwise(rows):
            if before.shape.frame == after.shape.frame:
                self._intake.refuse(after.where, f"track {key} has another object on this frame")
                return False
            if after.merged and not self._follows(before, after):
                self._intake.refuse(after.where, f"the frames of track {key} are in no order")
                return False
        return True

    def _track(self, label: Label, rows: list[_Row]) -> FoundTrack:
        mutable = {attribute.id for attribute in label.attributes if attribute.mutable}
        first = rows[0].shape
        made = _Keyframes(mutable)
        for before, row in zip([None, *rows[:-1]], rows, strict=True):
            is_linked = before is not None and self._follows(before, row)
            if before is not None and not is_linked:
                self._close_run(made, before)
            if row.is_keyframe or not is_linked:
                made.add(row.shape)
        self._close_run(made, rows[-1])
        constant = {key: value for key, value in first.attributes.items() if key not in mutable}
        return FoundTrack(first.label_id, made.keyframes, constant, first.group, first.source)

    def _close_run(self, made: "_Keyframes", last: _Row) -> None:
        """Ends what is visible behind its last row."""
        made.hold(last.shape)
        frame, first = last.shape.frame, self._intake.first
        following = self._seen.find(1, frame + 1 - first)
        place = first + following if following >= 0 else frame + 1
        if place < first + self._intake.size:
            made.leave(place)


class _Keyframes:
    """Keyframes that name only the attributes that change."""

    def __init__(self, mutable: set[int]) -> None:
        self.keyframes: list[Keyframe] = []
        self._mutable = mutable
        self._current: dict[int, str] = {}

    def add(self, shape: FoundShape) -> None:
        """A keyframe with the state of a row."""
        changed = self._changed(shape.attributes)
        self._current |= changed
        self.keyframes.append(
            Keyframe(
                frame=shape.frame,
                kind=shape.kind,
                points=tuple(shape.points),
                rotation=shape.rotation,
                occluded=shape.occluded,
                z_order=shape.z_order,
                attributes=changed,
            )
        )

    def hold(self, shape: FoundShape) -> None:
        """A keyframe only if the last one says something else than this row."""
        last = self.keyframes[-1]
        state = (tuple(shape.points), shape.rotation, shape.occluded, shape.z_order)
        same = state == (last.points, last.rotation, last.occluded, last.z_order)
        if last.frame < shape.frame and not (same and not self._changed(shape.attributes)):
            self.add(shape)

    def leave(self, frame: int) -> None:
        """The object is outside from this frame on."""
        self.keyframes.append(replace(self.keyframes[-1], frame=frame, outside=True, attributes={}))

    def _changed(self, attributes: Mapping[int, str]) -> dict[int, str]:
        return {
            key: value
            for key, value in attributes.items()
            if key in self._mutable and self._current.get(key) != value
        }
