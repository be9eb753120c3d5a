"""What one export writes: the tasks that belong to it, their subsets, and what was left out."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Self

from yard.annotations.labels import LabelSchema
from yard.export.datasets.drawn import Frame, Picture
from yard.export.datasets.names import Names
from yard.export.datasets.parts import Part, Spools
from yard.export.datasets.spool import Spool
from yard.export.domain import LeftOut, ProjectSubject, Subject

Image = Callable[[Frame], Iterable[bytes]]


class Dataset:
    """A task, a job or a project; `image` gives the file of a frame, None: no images are wanted."""

    def __init__(
        self, whole: Subject | ProjectSubject, memory_bytes: int, image: Image | None = None
    ) -> None:
        self.whole = whole
        self.image = image
        self._left_out: Counter[tuple[str, str]] = Counter()
        self._closing = ExitStack()
        subjects = whole.tasks if isinstance(whole, ProjectSubject) else (whole,)
        spools = Spools(*(self._closing.enter_context(Spool(memory_bytes)) for _ in Spools._fields))
        self.parts: Sequence[Part] = [
            Part(subject, number, spools) for number, subject in enumerate(subjects)
        ]
        for subset in self.subsets:
            members = list(self._of(subset))
            names = Names([part.file_names for part in members])
            for place, part in enumerate(members):
                part.share_names(names, place)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.close()

    @property
    def labels(self) -> LabelSchema:
        """The labels of all its objects."""
        return self.whole.labels

    @property
    def done(self) -> float:
        """About which share 0..1 of the present pass was read."""
        return sum(part.done for part in self.parts) / max(1, len(self.parts))

    @property
    def subsets(self) -> list[str]:
        """Names of the subsets as parts of file names, in order; one at least."""
        return sorted({part.subject.subset_name for part in self.parts}) or ["default"]

    def frames(self, subset: str | None = None) -> Iterator[Frame]:
        """All frames that are not deleted, of one subset or all, task by task."""
        for part in self._of(subset):
            yield from part.frames()

    def pictures(self, subset: str | None = None) -> Iterator[Picture]:
        """The same frames with what is on them."""
        for part in self._of(subset):
            yield from part.pictures()

    def leave_out(self, kind: str, reason: str, count: int = 1) -> None:
        """Notes objects that the format cannot hold: a track once, by its kind."""
        self._left_out[kind, reason] += count

    @property
    def left_out(self) -> list[LeftOut]:
        """What was left out, by kind."""
        return sorted(LeftOut(kind, reason, count) for (kind, reason), count in self._left_out.items())

    def _of(self, subset: str | None) -> Iterator[Part]:
        return (part for part in self.parts if subset is None or part.subject.subset_name == subset)
