"""Faults of annotations, independent of any transport.

AnnotationError     all faults of one set of objects or labels
"""

from collections.abc import Sequence
from dataclasses import dataclass

LARGEST_REPORT = 100


@dataclass(frozen=True, slots=True)
class Fault:
    """One wrong field by its path, for example `shapes[3].points`, and what is wrong with it."""

    field: str
    description: str


class AnnotationError(Exception):
    """Objects or labels are refused; `faults` holds the first 100, `count` says how many there are."""

    code = "invalid_annotations"

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.count = len(faults)
        self.faults = tuple(faults[:LARGEST_REPORT])
        first = self.faults[0]
        rest = f" and {self.count - 1} more" if self.count > 1 else ""
        super().__init__(f"{first.field}: {first.description}{rest}")
        self.message = str(self)
