"""Which objects belong to some frames and labels."""

from collections.abc import Collection
from dataclasses import dataclass

from yard.annotations.interpolation import state_at
from yard.annotations.model import AnnotationSet, Shape, Tag, Track


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Frames first to last, both included, and labels; all of them if none is named."""

    first: int
    last: int
    label_ids: Collection[int] = ()

    def of(self, annotations: AnnotationSet) -> AnnotationSet:
        """The objects that are wanted."""
        return AnnotationSet(
            tags=tuple(tag for tag in annotations.tags if self._is_here(tag)),
            shapes=tuple(shape for shape in annotations.shapes if self._is_here(shape)),
            tracks=tuple(
                track for track in annotations.tracks if self._has_label(track) and self._meets(track)
            ),
        )

    def _is_here(self, item: Tag | Shape) -> bool:
        return self._has_label(item) and self.first <= item.frame <= self.last

    def _has_label(self, item: Tag | Shape | Track) -> bool:
        return not self.label_ids or item.label_id in self.label_ids

    def _meets(self, track: Track) -> bool:
        """Whether it has a keyframe on the frames, or is visible on the first of them."""
        if any(self.first <= keyframe.frame <= self.last for keyframe in track.keyframes):
            return True
        state = state_at(track, self.first)
        return state is not None and not state.outside
