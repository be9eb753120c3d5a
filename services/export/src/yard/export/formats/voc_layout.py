"""Where PASCAL VOC's folders have the files of a frame; several subsets have folders of their own."""

from collections.abc import Iterator

from yard.export.archives.archive import Member
from yard.export.datasets.dataset import Dataset
from yard.export.datasets.drawn import Frame
from yard.export.formats import media


class Layout:
    """Names of one subset's files: equal names in several subsets stay apart."""

    def __init__(self, dataset: Dataset, subset: str) -> None:
        self._dataset = dataset
        self._subset = subset
        self._folder = f"{subset}/" if len(dataset.subsets) > 1 else ""

    def item(self, frame: Frame) -> str:
        """By this lists name a frame, and files that are about it."""
        return self._folder + frame.item

    def file_name(self, frame: Frame) -> str:
        """Its image below `JPEGImages/`."""
        return self._folder + frame.file_name

    def listed(self, kind: str) -> Member:
        """The list of all items, a line each, for one kind of work."""
        lines = (f"{self.item(frame)}\n".encode() for frame in self._dataset.frames(self._subset))
        return Member(name=f"ImageSets/{kind}/{self._subset}.txt", content=lines)

    def images(self) -> Iterator[Member]:
        """The files of frames, if they are wanted."""
        return media.members(self._dataset, f"JPEGImages/{self._folder}".rstrip("/"), self._subset)
