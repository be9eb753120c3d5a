"""The intake for tasks that are drawn in polygons: masks come in as their outer edges."""

from collections.abc import Callable
from itertools import count
from typing import Any, Final

from yard.annotations.batch import Batch
from yard.annotations.contours import outlines
from yard.annotations.model import ShapeKind
from yard.annotations.validation import MOST_NUMBERS, mask_faults
from yard.export.intakes.collected import Collected, Target
from yard.export.intakes.intake import FoundShape

FIRST_GROUP: Final = 1_000_000_001
"""Far above the groups that files and readers give, so that parts of a mask are grouped with nothing else."""
NO_HOLES: Final = "polygons have no holes: what they enclose is filled"


class ConvertedMasks(Collected):
    """Each part of a mask becomes a polygon; masks stay what they are where their label takes no polygons."""

    def __init__(self, target: Target, take: Callable[[Batch], None], *told: Any, **limits: Any) -> None:
        super().__init__(target, take, *told, **limits)
        self._size_of = target.frames.size_if_any
        self._groups = count(FIRST_GROUP)
        self._drawn = {label.id for label in self.labels.labels if label.kind.takes_shape(ShapeKind.POLYGON)}

    def shape(self, shape: FoundShape, where: str) -> None:
        """See Intake."""
        is_drawn = shape.kind is ShapeKind.MASK and shape.label_id in self._drawn
        size = self._size_of(shape.frame) if is_drawn else None
        if size is None or len(shape.points) > MOST_NUMBERS:
            super().shape(shape, where)
        elif faults := list(mask_faults(shape.points, size)):
            for field, reason in faults:
                self.refuse(where, f"{field}: {reason}")
        else:
            self._outline(shape, where)

    def _outline(self, shape: FoundShape, where: str) -> None:
        found = outlines(shape.points)
        if found.holes:
            self.ignore("hole", NO_HOLES, found.holes)
        group = shape.group
        if not group and len(found.polygons) > 1:
            group = next(self._groups)
        for points in found.polygons:
            super().shape(shape._replace(kind=ShapeKind.POLYGON, points=points, group=group), where)
