"""Tracks of CVAT for video as they are read: keyframes gathered, and shapes told from tracks.

A shape is written as a track that is visible on one frame. Our own files say which is which. In others a
track of one visible frame counts as a shape if it is closed on the next one where it stood, or if it is not
closed on the last two frames, where CVAT forgets to. Masks cannot be tracked: each visible keyframe of one is
a shape.
"""

from collections.abc import Iterator
from dataclasses import replace
from enum import Enum
from operator import attrgetter

from yard.annotations.labels import Label
from yard.annotations.model import Keyframe, ShapeKind, Source
from yard.export.intakes.intake import FoundShape, FoundTrack, Intake

MASKS = "masks cannot be tracked: each keyframe becomes a shape"
UNLIKE = "an attribute that is not mutable differs between keyframes: the value of the first one holds"
NOWHERE = "the track has no visible keyframe"


class Said(Enum):
    """What the file says of the tracks that follow."""

    NOTHING = ""
    TRACKS = "tracks"
    SHAPES = "shapes"


class GatheredTrack:
    """One track element: its keyframes with all their attributes, and how many elements it has."""

    def __init__(self, label: Label, group: int, source: Source, where: str) -> None:
        self.label = label
        self.where = where
        self.elements = 0
        self._group = group
        self._source = source
        self._keyframes: list[Keyframe] = []

    def add(self, keyframe: Keyframe) -> None:
        """Takes one more keyframe, in any order."""
        self._keyframes.append(keyframe)

    @property
    def last_frame(self) -> int:
        """Relative frame of the keyframe that came last."""
        return self._keyframes[-1].frame

    def __len__(self) -> int:
        return len(self._keyframes)

    def finish(self, intake: Intake, said: Said, *, is_at_end: bool) -> None:
        """Hands the track over, or the shapes that it stands for."""
        self._keyframes.sort(key=attrgetter("frame"))
        visible = [keyframe for keyframe in self._keyframes if not keyframe.outside]
        if not visible:
            intake.ignore("track", NOWHERE)
        elif visible[0].kind is ShapeKind.MASK:
            if len(visible) > 1:
                intake.ignore("track", MASKS)
            self._shapes(intake, visible)
        elif said is Said.SHAPES or (said is Said.NOTHING and self._looks_like_a_shape(is_at_end=is_at_end)):
            self._shapes(intake, visible[:1])
        else:
            self._track(intake)

    def _looks_like_a_shape(self, *, is_at_end: bool) -> bool:
        first = self._keyframes[0]
        if first.outside or self.elements != len(self._keyframes) or self.elements > 2:
            return False
        if self.elements == 1:
            return is_at_end
        closing = self._keyframes[1]
        return closing.outside and closing.frame == first.frame + 1 and closing.points == first.points

    def _shapes(self, intake: Intake, keyframes: list[Keyframe]) -> None:
        for one in keyframes:
            shape = FoundShape(
                one.frame,
                self.label.id,
                one.kind,
                one.points,
                one.rotation,
                one.occluded,
                one.z_order,
                one.attributes,
                self._group,
                self._source,
            )
            intake.shape(shape, self.where)

    def _track(self, intake: Intake) -> None:
        fixed: dict[int, str] = {}
        keyframes = self._keyframes
        if any(keyframe.attributes for keyframe in keyframes):
            mutable = {attribute.id for attribute in self.label.attributes if attribute.mutable}
            fixed = _without(keyframes[0], mutable)
            if any(_without(keyframe, mutable) != fixed for keyframe in keyframes):
                intake.ignore("attribute", UNLIKE)
            keyframes = list(_with_changes(keyframes, mutable))
        found = FoundTrack(self.label.id, keyframes, fixed, self._group, self._source)
        intake.track(found, self.where)


def _without(keyframe: Keyframe, ids: set[int]) -> dict[int, str]:
    return {key: value for key, value in keyframe.attributes.items() if key not in ids}


def _with_changes(keyframes: list[Keyframe], mutable: set[int]) -> Iterator[Keyframe]:
    """The keyframes with the mutable attributes that have another value than before."""
    current: dict[int, str] = {}
    for keyframe in keyframes:
        given = {key: value for key, value in keyframe.attributes.items() if key in mutable}
        changed = {key: value for key, value in given.items() if current.get(key) != value}
        current |= changed
        yield keyframe if len(changed) == len(keyframe.attributes) else replace(keyframe, attributes=changed)
