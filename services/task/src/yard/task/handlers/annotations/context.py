"""What the use cases of annotations work with."""

from dataclasses import dataclass

from yard.task.handlers.context import Tasks
from yard.task.sources.frame_sizes import FrameSizes


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotations:
    """The service, and the sizes of its frames."""

    tasks: Tasks
    frame_sizes: FrameSizes
