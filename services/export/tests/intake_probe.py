"""What the intake makes of what a test gives it, in the data set of `sample`."""

from collections.abc import Callable

import pytest
from yard.annotations.batch import Batch
from yard.annotations.model import ShapeKind
from yard.export.archives.refusals import FileFault, RefusedError
from yard.export.intakes.collected import Collected
from yard.export.intakes.intake import FoundShape

from services.export.tests.intake_scene import target_of
from services.export.tests.sample import SUBJECT


def collected(fill: Callable[[Collected], object], most: int = 10_000) -> list[Batch]:
    batches: list[Batch] = []
    intake = Collected(target_of(SUBJECT), batches.append, most=most)
    fill(intake)
    intake.finish()
    return [Batch.of(batch) for batch in batches]


def faults(fill: Callable[[Collected], object], most: int = 10_000) -> list[FileFault]:
    with pytest.raises(RefusedError) as caught:
        collected(fill, most)
    return caught.value.faults


def box(*points: float, frame: int = 1, **more: object) -> FoundShape:
    return FoundShape(frame, 4, ShapeKind.RECTANGLE, points or (1, 1, 5, 5), **more)  # type: ignore[arg-type]
