"""Where readers put what they find, and what they may ask about the task it goes to."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from yard.annotations.labels import Label, LabelSchema
from yard.annotations.model import Keyframe, ShapeKind, Source

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Points = Sequence[Sequence[float]] | Floats
"""Numbers of each shape; an array has a row for each, where all have as many."""
NONE: Mapping[int, str] = MappingProxyType({})


class FoundTag(NamedTuple):
    """A label on a whole relative frame."""

    frame: int
    label_id: int
    attributes: Mapping[int, str] = NONE
    group: int = 0
    source: Source = Source.FILE


class FoundShape(NamedTuple):
    """An object on one relative frame; points are pixels, rotation is clockwise degrees."""

    frame: int
    label_id: int
    kind: ShapeKind
    points: Sequence[float]
    rotation: float = 0.0
    occluded: bool = False
    z_order: int = 0
    attributes: Mapping[int, str] = NONE
    group: int = 0
    source: Source = Source.FILE


class ShapeColumns(NamedTuple):
    """Shapes as a column for each field of `FoundShape`."""

    frames: Sequence[int]
    label_ids: Sequence[int]
    kinds: Sequence[int]
    points: Points
    rotations: Sequence[float]
    occluded: Sequence[bool]
    orders: Sequence[int]
    attributes: Sequence[Mapping[int, str]]
    groups: Sequence[int]
    sources: Sequence[int]


class FoundTrack(NamedTuple):
    """An object over frames; keyframes ascend by frame and hold mutable attributes only."""

    label_id: int
    keyframes: Sequence[Keyframe]
    attributes: Mapping[int, str] = NONE
    group: int = 0
    source: Source = Source.FILE


class Intake(Protocol):
    """Collects the objects of one import; nothing is changed before all of them are checked.

    `where` names the place in the file, for example `annotations.xml:17` or `labels/a.txt:3`.
    """

    labels: LabelSchema
    size: int
    """Frames of the target, which are numbered from `first` on."""
    first: int
    mode: str
    """`annotation` (images) or `interpolation` (a video)."""

    def label(self, name: str, where: str) -> Label | None:
        """The label with this name; refuses and gives None if there is none."""

    def frame_named(self, name: str, where: str) -> int | None:
        """The relative frame with this name, with or without folders and extension.

        Refuses if none or several fit; None, too, for what belongs to a subset that is not read.
        """

    def knows_frame(self, name: str) -> bool:
        """Whether one frame has this name, in the same sense; refuses nothing."""

    def frame_of_source(self, number: int, where: str) -> int | None:
        """The relative frame with this number in the source; refuses if start and step leave none."""

    def takes_subset(self, name: str) -> bool:
        """Whether what a file says of a subset is to be read; "" is the one without a name."""

    def frame_at(self, position: int, where: str) -> int | None:
        """The relative frame at this place of the target, from 0; refuses if it lies outside."""

    def frame_size(self, frame: int) -> tuple[int, int]:
        """Width and height of a relative frame, pixels."""

    def attributes(self, label: Label, given: Mapping[str, object], where: str) -> dict[int, str]:
        """Values by attribute id; numbers and booleans become text as saves want it.

        What the label does not declare is counted as ignored; a value that is not allowed is refused.
        """

    def tag(self, tag: FoundTag) -> None:
        """Takes a tag."""

    def shape(self, shape: FoundShape, where: str) -> None:
        """Takes a shape; refuses numbers that are not finite and points that do not fit the kind."""

    def rectangles(self, rows: ShapeColumns, places: Sequence[str]) -> None:
        """Takes many rectangles with all that belongs to them at once, 8,192 at most; a place for each."""

    def boxes(self, frames: Ints, label_ids: Ints, corners: Floats, where: str) -> None:
        """Takes many rectangles without anything else; `corners` is (n, 4): x0, y0, x1, y1."""

    def track(self, track: FoundTrack, where: str) -> None:
        """Takes a track."""

    def ignore(self, kind: str, reason: str, count: int = 1) -> None:
        """Counts what the file holds and the target cannot take, for the import's result."""

    def refuse(self, where: str, reason: str) -> None:
        """Notes that the file is wrong; raises once 20 faults are known, else the import fails at its end."""

    def read(self, done: float) -> None:
        """Tells the share 0..1 of the file that was read; raises if the import was cancelled."""
