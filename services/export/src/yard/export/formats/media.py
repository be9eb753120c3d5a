"""The files of frames in an archive."""

from collections.abc import Iterator

from yard.export.archives.archive import Member
from yard.export.datasets.dataset import Dataset


def members(dataset: Dataset, folder: str, subset: str | None = None) -> Iterator[Member]:
    """The file of each frame below the folder, if images are wanted."""
    if dataset.image is not None:
        for frame in dataset.frames(subset):
            yield Member(name=f"{folder}/{frame.file_name}", content=dataset.image(frame), is_media=True)
