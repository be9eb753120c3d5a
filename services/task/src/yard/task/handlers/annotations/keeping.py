"""Objects as they are stored: what does not fit its label any more may stay as it is.

Labels become narrower while there are objects already. Whoever saves them again, with everything else of a
job, must not be kept from work by what others have decided; but nothing new may be like that.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING

from yard.annotations.merge import Merged, Parts
from yard.annotations.model import Shape, Tag, Track
from yard.task.domain.annotation_changes import content
from yard.task.domain.annotation_plans import StoredRows
from yard.task.domain.past import keyed
from yard.task.handlers.annotations.merging import TaskObjects

if TYPE_CHECKING:
    from yard.task.handlers.annotations.drafts import Seen


class Stored:
    """What a snapshot holds, as rows and as the objects that they are; worked out when it is asked for."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen

    @cached_property
    def rows(self) -> StoredRows:
        """The rows, and which of them are one object."""
        parts = Parts() if self._merged is None else self._merged.parts
        return StoredRows.of(self._seen.stored, self._seen.scope.sites, parts)

    def of_id(self, item: Tag | Shape | Track) -> Iterable[Tag | Shape | Track]:
        """The rows of the object with this id."""
        if isinstance(item, Tag):
            return self.rows.tags.object_of(item.id)
        if isinstance(item, Shape):
            return self.rows.shapes.object_of(item.id)
        return self.rows.tracks.object_of(item.id)

    def alike(self, item: Tag | Shape | Track) -> Iterable[Tag | Shape | Track]:
        """The same, else objects that are equal to it but for ids."""
        return self.of_id(item) or self._contents.get(self._content(item), ())

    @cached_property
    def _contents(self) -> dict[object, list[Tag | Shape | Track]]:
        objects = self._seen.stored if self._merged is None else self._merged.annotations
        found = defaultdict(list)
        for _, item in keyed(objects):
            found[self._content(item)].append(item)
        return dict(found)

    def _content(self, item: Tag | Shape | Track) -> object:
        return type(item), content(self._seen.defaults.of(item))

    @cached_property
    def _merged(self) -> Merged | None:
        """The objects of a task; None for a job, whose rows are its objects."""
        seen = self._seen
        if seen.scope.is_job or not len(seen.stored):
            return None
        return TaskObjects(scope=seen.scope, labels=seen.labels, annotations=seen.stored).merged()
