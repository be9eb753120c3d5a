"""What the use cases of annotations work with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Self

from yard.task.handlers.context import Tasks
from yard.task.sources.frame_sizes import FrameSizes, Kept
from yard.task.store.annotations.writing import Ids

if TYPE_CHECKING:
    from yard.task.handlers.annotations.drafts import Seen

KEPT_JOBS: Final = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotations:
    """The service, the sizes of its frames, and what was seen of jobs that are being saved."""

    tasks: Tasks
    frame_sizes: FrameSizes
    ids: Ids
    seen: Kept[int, Seen] = field(default_factory=lambda: Kept(KEPT_JOBS))

    @classmethod
    def of(cls, tasks: Tasks) -> Self:
        """Nothing is known yet."""
        return cls(tasks=tasks, frame_sizes=FrameSizes(tasks.blobs), ids=Ids(tasks.db))
