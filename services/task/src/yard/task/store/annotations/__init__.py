"""Tables tag, shape, track and keyframe: read in order, written by COPY."""

from yard.task.store.annotations.effects import count, lock
from yard.task.store.annotations.usage import (
    Deleted,
    count_by_attribute,
    count_by_label,
    delete_of_attributes,
    delete_of_labels,
)

__all__ = [
    "Deleted",
    "count",
    "count_by_attribute",
    "count_by_label",
    "delete_of_attributes",
    "delete_of_labels",
    "lock",
]
