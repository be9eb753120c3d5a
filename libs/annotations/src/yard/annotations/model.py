"""The values that annotations are made of. Frames are relative, coordinates pixels of the upright frame.

The numbers of the enumerations are those of `frameyard.annotation.v1`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum


class ShapeKind(IntEnum):
    """Geometry, which decides what `points` means."""

    RECTANGLE = 1
    POLYGON = 2
    POLYLINE = 3
    POINTS = 4
    ELLIPSE = 5
    CUBOID = 6
    MASK = 7


class Source(IntEnum):
    """Who or what made an object."""

    MANUAL = 1
    AUTO = 2
    SEMI_AUTO = 3
    FILE = 4


Attributes = Mapping[int, str]
"""Attribute id to value; what is absent has its default, or stays as before on a keyframe."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """A label on a whole frame."""

    frame: int
    label_id: int
    id: int = 0
    group: int = 0
    source: Source = Source.MANUAL
    attributes: Attributes = field(default_factory=dict)
    job_id: int = 0
    origin: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """An object on one frame; `origin` is shared by the copies that neighbouring jobs hold, "" if none."""

    frame: int
    label_id: int
    kind: ShapeKind
    points: tuple[float, ...]
    rotation: float = 0.0
    occluded: bool = False
    z_order: int = 0
    id: int = 0
    group: int = 0
    source: Source = Source.MANUAL
    attributes: Attributes = field(default_factory=dict)
    job_id: int = 0
    origin: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Keyframe:
    """A track's state from `frame` on; `attributes` holds mutable ones only."""

    frame: int
    kind: ShapeKind
    points: tuple[float, ...]
    rotation: float = 0.0
    occluded: bool = False
    outside: bool = False
    z_order: int = 0
    attributes: Attributes = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """An object over frames; keyframes ascend by frame, `attributes` holds immutable ones only."""

    label_id: int
    keyframes: tuple[Keyframe, ...]
    id: int = 0
    group: int = 0
    source: Source = Source.MANUAL
    attributes: Attributes = field(default_factory=dict)
    job_id: int = 0
    origin: str = ""

    @property
    def first_frame(self) -> int:
        """Frame of the first keyframe."""
        return self.keyframes[0].frame


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnotationSet:
    """Objects of a job or a task."""

    tags: tuple[Tag, ...] = ()
    shapes: tuple[Shape, ...] = ()
    tracks: tuple[Track, ...] = ()

    def __len__(self) -> int:
        return len(self.tags) + len(self.shapes) + len(self.tracks)

    def in_order(self) -> "AnnotationSet":
        """The same objects by frame, then id; tracks by first frame, then id."""
        return AnnotationSet(
            tags=tuple(sorted(self.tags, key=lambda tag: (tag.frame, tag.id))),
            shapes=tuple(sorted(self.shapes, key=lambda shape: (shape.frame, shape.id))),
            tracks=tuple(sorted(self.tracks, key=lambda track: (track.first_frame, track.id))),
        )
