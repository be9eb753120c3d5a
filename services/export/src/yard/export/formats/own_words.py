"""Attributes of labels whose names are words of a format: it would take them for something else."""

from collections.abc import Collection, Iterator

from yard.annotations.labels import LabelSchema
from yard.annotations.model import ShapeKind
from yard.export.datasets.dataset import Dataset
from yard.export.datasets.drawn import Picture
from yard.export.formats.losses import Losses


class OwnWords:
    """Counts them, object by object; `kinds` are those that are written with their attributes."""

    def __init__(
        self,
        dataset: Dataset,
        words: Collection[str],
        kinds: Collection[ShapeKind],
        *,
        has_tags: bool = False,
    ) -> None:
        self._dataset = dataset
        self._kinds = kinds
        self._has_tags = has_tags
        self._losses = Losses(dataset)
        self._reasons = dict(_reasons(dataset.labels, words))

    def account(self, picture: Picture) -> None:
        """Counts those of the objects and tags of a picture."""
        # Most data sets have no such attribute.
        if not self._reasons:
            return
        for drawn in picture.objects:
            if drawn.kind in self._kinds:
                for reason in self._reasons.get(drawn.label_id, ()):
                    self._losses.note(picture.frame.part, drawn, "attribute", reason)
        for tag in picture.tags if self._has_tags else ():
            for reason in self._reasons.get(tag.label_id, ()):
                self._dataset.leave_out("attribute", reason)


def _reasons(labels: LabelSchema, words: Collection[str]) -> Iterator[tuple[int, list[str]]]:
    for label in labels.labels:
        names = [one.name for one in label.attributes if one.name in words]
        if names:
            yield label.id, [f"{name!r} is the format's own word for a property of objects" for name in names]
