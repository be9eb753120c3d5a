"""Checks of the objects that a client wants to save: all faults at once, with their paths.

Objects may stick out of the frame, by at most its width and height on each side, and stay as they are sent;
what is out by no more than a tolerance of 0.5 pixels is rounding, and clamped. Masks lie inside.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from yard.annotations.errors import AnnotationError, Fault
from yard.annotations.labels import Attribute, Label, LabelSchema
from yard.annotations.model import AnnotationSet, Keyframe, Shape, ShapeKind, Tag, Track

TOLERANCE_PX = 0.5
MOST_NUMBERS = 100_000
_INT32_MAX = 2**31 - 1
_EXACT = {ShapeKind.RECTANGLE: 4, ShapeKind.ELLIPSE: 4, ShapeKind.CUBOID: 16}
_LEAST_PAIRS = {ShapeKind.POLYGON: 3, ShapeKind.POLYLINE: 2, ShapeKind.POINTS: 1}
_ROTATABLE = (ShapeKind.RECTANGLE, ShapeKind.ELLIPSE)

Item = Tag | Shape | Track
FrameSize = Callable[[int], tuple[int, int] | None]
"""Width and height of a relative frame, None where they are not known: the place is not checked then."""


def _nothing(item: Item) -> Iterable[Item]:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What objects are checked against: labels, the frames first..last (both included), and their sizes."""

    schema: LabelSchema
    first: int
    last: int
    frame_size: FrameSize
    stored: Callable[[Item], Iterable[Item]] = _nothing
    """The object as it is stored: a kind or a value that does not fit its label any more may stay."""


def validated(annotations: AnnotationSet, rules: Rules, *, path: str = "annotations") -> AnnotationSet:
    """The objects with keyframes in order and coordinates clamped to the frame; raises AnnotationError."""
    checker = _Checker(rules)
    tags = tuple(checker.tag(tag, f"{path}.tags[{index}]") for index, tag in enumerate(annotations.tags))
    shapes = tuple(
        checker.shape(shape, f"{path}.shapes[{index}]") for index, shape in enumerate(annotations.shapes)
    )
    tracks = tuple(
        checker.track(track, f"{path}.tracks[{index}]") for index, track in enumerate(annotations.tracks)
    )
    if checker.faults:
        raise AnnotationError(checker.faults)
    return AnnotationSet(tags=tags, shapes=shapes, tracks=tracks)


class _Checker:
    """Collects faults while it walks over objects."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self.faults: list[Fault] = []

    def tag(self, tag: Tag, path: str) -> Tag:
        self._frame(tag.frame, path)
        self._group(tag.group, path)
        if label := self._label(tag.label_id, path):
            before = _Before(self._rules, tag)
            if not label.kind.takes_tag() and not before.rows:
                self._add(f"{path}.label_id", f"label {label.name!r} is not for tags")
            allowed = self._rules.schema.attributes(tag.label_id)
            self._attributes(tag.attributes, allowed, path, before.has_value)
        return tag

    def shape(self, shape: Shape, path: str) -> Shape:
        self._frame(shape.frame, path)
        self._group(shape.group, path)
        if label := self._label(shape.label_id, path):
            before = _Before(self._rules, shape)
            if not label.kind.takes_shape(shape.kind) and not before.has_kind(shape.kind):
                self._add(f"{path}.kind", _wrong_kind(label.name, shape.kind))
            allowed = self._rules.schema.attributes(shape.label_id)
            self._attributes(shape.attributes, allowed, path, before.has_value)
        points, rotation = self._geometry(shape, path)
        return replace(shape, points=points, rotation=rotation)

    def track(self, track: Track, path: str) -> Track:
        self._group(track.group, path)
        label = self._label(track.label_id, path)
        allowed, before = self._rules.schema.attributes(track.label_id), _Before(self._rules, track)
        if label is not None:
            fixed = _of_mutability(allowed, mutable=False)
            self._attributes(track.attributes, fixed, path, before.has_value)
        self._keyframe_rules(track, path)
        keyframes = []
        for index, keyframe in enumerate(track.keyframes):
            at = f"{path}.keyframes[{index}]"
            if label is not None:
                mutable = _of_mutability(allowed, mutable=True)
                self._attributes(keyframe.attributes, mutable, at, before.has_keyframe_value)
                if not label.kind.takes_shape(keyframe.kind) and not before.has_kind(keyframe.kind):
                    self._add(f"{at}.kind", _wrong_kind(label.name, keyframe.kind))
            keyframes.append(self._keyframe(keyframe, at))
        keyframes.sort(key=lambda keyframe: keyframe.frame)
        return replace(track, keyframes=tuple(keyframes))

    def _keyframe(self, keyframe: Keyframe, path: str) -> Keyframe:
        self._frame(keyframe.frame, path)
        points, rotation = self._geometry(keyframe, path)
        return replace(keyframe, points=points, rotation=rotation)

    def _keyframe_rules(self, track: Track, path: str) -> None:
        if not track.keyframes:
            self._add(f"{path}.keyframes", "needs at least one keyframe")
            return
        seen: set[int] = set()
        kind = track.keyframes[0].kind
        for index, keyframe in enumerate(track.keyframes):
            at = f"{path}.keyframes[{index}]"
            if keyframe.frame in seen:
                self._add(f"{at}.frame", f"frame {keyframe.frame} has more than one keyframe")
            seen.add(keyframe.frame)
            if keyframe.kind is ShapeKind.MASK:
                self._add(f"{at}.kind", "masks cannot be tracked")
            elif keyframe.kind is not kind:
                self._add(
                    f"{at}.kind", f"is {keyframe.kind.name.lower()}, the track began as {kind.name.lower()}"
                )
        if all(keyframe.outside for keyframe in track.keyframes):
            self._add(f"{path}.keyframes", "the object is outside on every keyframe")

    def _frame(self, frame: int, path: str) -> None:
        if not self._rules.first <= frame <= self._rules.last:
            limits = f"{self._rules.first} to {self._rules.last}"
            self._add(f"{path}.frame", f"frame {frame} is not one of {limits}")

    def _group(self, group: int, path: str) -> None:
        if not 0 <= group <= _INT32_MAX:
            self._add(f"{path}.group", f"{group} is not between 0 and {_INT32_MAX}")

    def _label(self, label_id: int, path: str) -> Label | None:
        label = self._rules.schema.label(label_id)
        if label is None:
            self._add(f"{path}.label_id", f"there is no label {label_id}")
        return label

    def _attributes(
        self,
        given: Mapping[int, str],
        allowed: Mapping[int, Attribute],
        path: str,
        was_there: Callable[[int, str], bool],
    ) -> None:
        for index, (attribute_id, value) in enumerate(given.items()):
            attribute, at = allowed.get(attribute_id), f"{path}.attributes[{index}]"
            if attribute is None:
                fault = Fault(f"{at}.attribute_id", f"there is no attribute {attribute_id} here")
            elif wrong := attribute.fault_of(value):
                fault = Fault(f"{at}.value", f"{attribute.name}: {wrong}")
            else:
                continue
            if not was_there(attribute_id, value):
                self.faults.append(fault)

    def _geometry(self, item: Shape | Keyframe, path: str) -> tuple[tuple[float, ...], float]:
        faults = list(_number_faults(item)) or list(_rotation_faults(item))
        if not faults and item.kind is ShapeKind.MASK:
            faults = list(_run_faults(item.points))
        size = self._rules.frame_size(item.frame) if not faults else None
        points = item.points
        if size is not None:
            points, outside = _placed(item, size)
            faults += outside
        for name, description in faults:
            self._add(f"{path}.{name}", description)
        return points, item.rotation

    def _add(self, field: str, description: str) -> None:
        self.faults.append(Fault(field, description))


class _Before:
    """What an object was like under the same label; looked up once something is wrong with it."""

    def __init__(self, rules: Rules, item: Item) -> None:
        self._rules = rules
        self._item = item

    @cached_property
    def rows(self) -> list[Item]:
        return [row for row in self._rules.stored(self._item) if row.label_id == self._item.label_id]

    def has_kind(self, kind: ShapeKind) -> bool:
        return any(
            (row.keyframes[0] if isinstance(row, Track) else row).kind is kind
            for row in self.rows
            if not isinstance(row, Tag)
        )

    def has_value(self, attribute_id: int, value: str) -> bool:
        return any(row.attributes.get(attribute_id) == value for row in self.rows)

    def has_keyframe_value(self, attribute_id: int, value: str) -> bool:
        return any(
            keyframe.attributes.get(attribute_id) == value
            for row in self.rows
            if isinstance(row, Track)
            for keyframe in row.keyframes
        )


def _of_mutability(allowed: Mapping[int, Attribute], *, mutable: bool) -> dict[int, Attribute]:
    return {key: attribute for key, attribute in allowed.items() if attribute.mutable is mutable}


def _wrong_kind(label: str, kind: ShapeKind) -> str:
    return f"label {label!r} is not for objects of the kind {kind.name.lower()}"


def _number_faults(item: Shape | Keyframe) -> Iterator[tuple[str, str]]:
    points, kind = item.points, item.kind
    if len(points) > MOST_NUMBERS:
        yield "points", f"has {len(points)} numbers, at most {MOST_NUMBERS} are allowed"
    elif (exact := _EXACT.get(kind)) is not None and len(points) != exact:
        yield "points", f"has {len(points)} numbers, {exact} are needed"
    elif (least := _LEAST_PAIRS.get(kind)) is not None and (len(points) < 2 * least or len(points) % 2):
        yield "points", f"has {len(points)} numbers, {least} or more pairs are needed"
    elif not all(map(math.isfinite, points)):
        yield "points", "must be finite numbers"
    elif kind is ShapeKind.RECTANGLE and not (points[0] < points[2] and points[1] < points[3]):
        yield "points", "the second corner must be right of and below the first"
    elif kind is ShapeKind.ELLIPSE and not (points[0] < points[2] and points[3] < points[1]):
        yield "points", "both radii must be larger than 0"


def _rotation_faults(item: Shape | Keyframe) -> Iterator[tuple[str, str]]:
    if not 0 <= item.rotation < 360:
        yield "rotation", f"{item.rotation} is not between 0 and less than 360"
    elif item.rotation and item.kind not in _ROTATABLE:
        yield "rotation", f"a {item.kind.name.lower()} cannot be rotated"


def mask_faults(points: Sequence[float], size: tuple[int, int]) -> Iterable[tuple[str, str]]:
    """Fields of a mask that are wrong, with what is, on a frame with this width and height."""
    return list(_run_faults(points)) or _outside(points, size)


def _outside(points: Sequence[float], size: tuple[int, int]) -> list[tuple[str, str]]:
    width, height = size
    inside = points[-2] < width and points[-1] < height
    return [] if inside else [("points", f"the mask leaves the frame of {width}x{height}")]


def _run_faults(points: Sequence[float]) -> Iterator[tuple[str, str]]:
    if len(points) < 6 or not all(number.is_integer() and number >= 0 for number in map(float, points)):
        yield "points", "a mask is run lengths and a box, all whole numbers of 0 or more"
        return
    *runs, left, top, right, bottom = (int(number) for number in points)
    if right < left or bottom < top:
        yield "points", "the box of the mask must not end before it begins"
    elif sum(runs) != (expected := (right - left + 1) * (bottom - top + 1)):
        yield "points", f"run lengths add up to {sum(runs)}, the box has {expected} pixels"
    elif not any(runs[1::2]):
        yield "points", "the mask is empty"


def _placed(item: Shape | Keyframe, size: tuple[int, int]) -> tuple[tuple[float, ...], list[tuple[str, str]]]:
    width, height = size
    points = item.points
    if item.kind is ShapeKind.MASK:
        return points, _outside(points, size)
    if _is_near(points, width, height, (0.0, 0.0)):
        return points, []
    if not _is_near(points, width, height, (width, height)):
        return points, [("points", f"leaves the frame of {width}x{height} by more than its size")]
    may_stick_out = item.rotation or item.kind in (ShapeKind.ELLIPSE, ShapeKind.CUBOID)
    if may_stick_out or not _is_near(points, width, height, (TOLERANCE_PX, TOLERANCE_PX)):
        return points, []
    return _clamped(item.kind, points, width, height), []


def _is_near(points: tuple[float, ...], width: int, height: int, margin: tuple[float, float]) -> bool:
    """Whether no point is further out of the frame than this, across and down."""
    xs, ys, (across, down) = points[0::2], points[1::2], margin
    is_near_across = -across <= min(xs) and max(xs) <= width + across
    return is_near_across and -down <= min(ys) and max(ys) <= height + down


def _clamped(kind: ShapeKind, points: tuple[float, ...], width: int, height: int) -> tuple[float, ...]:
    """The points on the frame; a rectangle that would lose its area stays as it is."""
    limits = (width, height)
    clamped = tuple(min(max(number, 0.0), float(limits[place % 2])) for place, number in enumerate(points))
    if kind is ShapeKind.RECTANGLE and not (clamped[0] < clamped[2] and clamped[1] < clamped[3]):
        return points
    return clamped
