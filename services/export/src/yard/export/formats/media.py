"""The files of frames in an archive."""

from collections.abc import Iterable, Iterator

from yard.export.domain import Frame
from yard.export.formats.archive import Member
from yard.export.formats.dataset import Dataset

# Frames of a video come as PNG; CVAT spells the extension so.
VIDEO_EXTENSION = ".PNG"


def file_name(dataset: Dataset, frame: Frame) -> str:
    """Name of the frame's file with folders: images keep theirs, frames of a video get an extension."""
    return frame.name + VIDEO_EXTENSION if dataset.subject.mode == "interpolation" else frame.name


def members(dataset: Dataset, folder: str) -> Iterator[Member]:
    """The file of each frame, if images are wanted."""
    if dataset.image is not None:
        for frame in dataset.frames():
            content = _one(dataset, frame)
            yield Member(name=f"{folder}/{file_name(dataset, frame)}", content=content, is_media=True)


def _one(dataset: Dataset, frame: Frame) -> Iterable[bytes]:
    assert dataset.image is not None
    yield dataset.image(frame)
