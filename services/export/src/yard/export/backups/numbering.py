"""Labels and attributes in batches: by id in a task, by number in a backup.

A label's number is its place among the labels, from 1; an attribute's is its place among the attributes of
all labels, from 1.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
from frameyard.annotation.v1.columnar_pb2 import ColumnarBatch
from frameyard.task.v1.label_pb2 import Label
from yard.runtime import errors


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbering:
    """What ids become, or numbers."""

    labels: Mapping[int, int]
    attributes: Mapping[int, int]

    @classmethod
    def of_ids(cls, labels: Iterable[Label]) -> Self:
        """From ids to numbers."""
        listed = list(labels)
        attributes = [attribute.id for label in listed for attribute in label.attributes]
        return cls(
            labels={label.id: number for number, label in enumerate(listed, 1)},
            attributes={id_: number for number, id_ in enumerate(attributes, 1)},
        )

    def reversed(self) -> Self:
        """The other way."""
        return type(self)(
            labels={number: id_ for id_, number in self.labels.items()},
            attributes={number: id_ for id_, number in self.attributes.items()},
        )

    def apply(self, batch: ColumnarBatch) -> None:
        """Changes a batch; Unavailable if it has a label or an attribute that is not known any more."""
        batch.label_id = _mapped(batch.label_id, self.labels)
        batch.attribute_id = _mapped(batch.attribute_id, self.attributes)


def stripped(batch: ColumnarBatch) -> None:
    """Takes away what is of one place: ids of objects and jobs (zeros instead), and the order of texts."""
    batch.id = bytes(len(batch.id))
    batch.job_id = bytes(len(batch.job_id))
    values, origins = (np.frombuffer(each, "<i4") for each in (batch.attribute_value, batch.origin))
    used = np.concatenate([values, origins[origins >= 0]])
    found, firsts = np.unique(used, return_index=True)
    order = found[np.argsort(firsts)]
    places = np.full(len(batch.strings) + 1, -1, "<i4")  # the last one stands for none
    places[order] = np.arange(len(order))
    texts = [batch.strings[place] for place in order.tolist()]
    batch.attribute_value = places[values].tobytes()
    batch.origin = places[origins].tobytes()
    del batch.strings[:]
    batch.strings.extend(texts)


def numbered(labels: Iterable[Label]) -> list[Label]:
    """Copies with numbers in place of ids."""
    found, count = [], 0
    for number, label in enumerate(labels, 1):
        copy = Label()
        copy.CopyFrom(label)
        copy.id = number
        for attribute in copy.attributes:
            count += 1
            attribute.id = count
        found.append(copy)
    return found


def unnumbered(labels: Iterable[Label]) -> list[Label]:
    """Copies without ids."""
    found = numbered(labels)
    for label in found:
        label.id = 0
        for attribute in label.attributes:
            attribute.id = 0
    return found


def _mapped(column: bytes, known: Mapping[int, int]) -> bytes:
    if not column:
        return column
    values, places = np.unique(np.frombuffer(column, "<i8"), return_inverse=True)
    try:
        mapped = np.array([known[value] for value in values.tolist()], "<i8")
    except KeyError as fault:
        raise errors.Unavailable("labels were changed meanwhile", reason="LABELS_CHANGED") from fault
    return mapped[places.reshape(-1)].astype("<i8").tobytes()
