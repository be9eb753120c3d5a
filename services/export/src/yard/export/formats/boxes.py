"""What formats take that know nothing but upright boxes, and the account of what they lose."""

from collections.abc import Callable, Sequence

from yard.annotations.geometry import envelope
from yard.annotations.labels import Attribute
from yard.annotations.model import Shape, ShapeKind
from yard.export.datasets.dataset import Dataset
from yard.export.datasets.drawn import Drawn, Frame, Picture
from yard.export.formats.losses import Z_ORDER

_RECTANGLE = ShapeKind.RECTANGLE
# What was counted of a track already: a track is one object on however many frames it is.
_TRACK, _ROTATION, _OCCLUDED, _KIND, _OUTSIDE, _CUT, _Z_ORDER = 1, 2, 4, 8, 16, 32, 64


Box = tuple[float, float, float, float, Drawn]
"""Left, top, right and bottom of an upright box in pixels, and the object that it is of."""


class Boxes:
    """Takes the boxes of pictures, part by part, and tells the data set what is lost.

    `enclosed` are the kinds that become the box around them; `keeps` the properties that the format has a
    place for, in the words of the API, `is_kept` tells of attributes. `clips` cuts boxes to the frame where a
    format allows nothing beyond.
    """

    def __init__(
        self,
        dataset: Dataset,
        name: str,
        *,
        enclosed: frozenset[ShapeKind] = frozenset(),
        keeps: frozenset[str] = frozenset(),
        is_kept: Callable[[Attribute], bool] = lambda attribute: False,
        clips: bool,
    ) -> None:
        self._dataset = dataset
        self._name = name
        self._enclosed = enclosed
        self._lost = {
            label.id: frozenset(one.id for one in label.attributes if not is_kept(one))
            for label in dataset.labels.labels
        }
        self._clips = clips
        self._keeps_tracks = "track" in keeps
        self._keeps_occluded = "occluded" in keeps
        self._part = -1
        self._counted = bytearray()

    def of(self, picture: Picture) -> list[Box]:
        """The boxes of a picture in their order."""
        frame, found, clips = picture.frame, [], self._clips
        self._enter(picture)
        for drawn in picture.objects:
            _, kind, points, rotation, occluded, z, _, group, _, attributes, track, _ = drawn
            if kind is _RECTANGLE and not rotation and not (clips and _sticks_out(points, frame)):
                left, top, right, bottom = points
                found.append((left, top, right, bottom, drawn))
            else:
                box = self._enclosing(drawn, frame.width, frame.height)
                if box is None:
                    continue
                found.append(box)
            if track < 0:
                if attributes or group or occluded or z:
                    self._account(drawn)
            elif occluded or z or track >= len(self._counted) or not self._counted[track] & _TRACK:
                self._account(drawn)
        return found

    def _enter(self, picture: Picture) -> None:
        if picture.frame.part != self._part:
            self._part, self._counted = picture.frame.part, bytearray()
        if picture.tags:
            self._leave_out("tag", f"{self._name} has no place for it", len(picture.tags))

    def _enclosing(self, drawn: Drawn, width: int, height: int) -> Box | None:
        kind = drawn.kind
        if kind is not _RECTANGLE and kind not in self._enclosed:
            self._once(drawn, _KIND, kind.name.lower(), f"{self._name} holds boxes only")
            return None
        shape = Shape(
            frame=drawn.frame,
            label_id=drawn.label_id,
            kind=kind,
            points=tuple(drawn.points),
            rotation=drawn.rotation,
        )
        left, top, right, bottom = envelope(shape)
        if self._clips:
            left, top, right, bottom = max(left, 0.0), max(top, 0.0), min(right, width), min(bottom, height)
            if left >= right or top >= bottom:
                self._once(drawn, _OUTSIDE, kind.name.lower(), "lies outside the frame")
                return None
        if kind is _RECTANGLE and drawn.rotation:
            self._once(drawn, _ROTATION, "rotation", "the upright box around the object is written")
        elif kind is _RECTANGLE:
            self._once(drawn, _CUT, "rectangle", "reaches over the edge of its frame and is cut there")
        else:
            self._once(drawn, _KIND, kind.name.lower(), "the box around the object is written")
        return left, top, right, bottom, drawn

    def _account(self, drawn: Drawn) -> None:
        """Counts the properties that an object has and the format has no place for."""
        if drawn.track >= 0:
            if self._is_new(drawn.track, _TRACK):
                if not self._keeps_tracks:
                    self._leave_out("track", "tracks become single shapes on each frame")
                self._account_constant(drawn)
        elif drawn.attributes or drawn.group:
            self._account_constant(drawn)
        if drawn.occluded and not self._keeps_occluded:
            self._once(drawn, _OCCLUDED, "occluded", f"{self._name} has no place for it")
        if drawn.z_order:
            self._once(drawn, _Z_ORDER, "z_order", Z_ORDER)

    def _account_constant(self, drawn: Drawn) -> None:
        lost = self._lost[drawn.label_id]
        if lost:
            self._leave_out("attribute", f"{self._name} has no place for it", len(lost))
        if drawn.group:
            self._leave_out("group", f"{self._name} has no place for it")

    def _once(self, drawn: Drawn, flag: int, kind: str, reason: str) -> None:
        if drawn.track < 0 or self._is_new(drawn.track, flag):
            self._leave_out(kind, reason)

    def _is_new(self, track: int, flag: int) -> bool:
        counted = self._counted
        if track >= len(counted):
            counted.extend(bytes(track + 1024 - len(counted)))
        is_new = not counted[track] & flag
        counted[track] |= flag
        return is_new

    def _leave_out(self, kind: str, reason: str, count: int = 1) -> None:
        self._dataset.leave_out(kind, reason, count)


def _sticks_out(points: Sequence[float], frame: Frame) -> bool:
    left, top, right, bottom = points
    return left < 0 or top < 0 or right > frame.width or bottom > frame.height
