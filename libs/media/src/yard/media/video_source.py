"""The video of a job and the frames of it that are wanted."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import BinaryIO, Protocol, runtime_checkable

import av
from yard.media.decode import VideoReader
from yard.media.errors import MediaError
from yard.media.index_block import decode_video
from yard.media.job_host import Arguments, Host, opened
from yard.media.selection import FrameSelection
from yard.media.video_index import UNKNOWN, VideoIndex

_PICTURE_BYTES = 512 << 10
"""A key frame of full HD and the header of a file are rarely larger."""


@runtime_checkable
class _Foreseeing(Protocol):
    """A file from afar, which can be asked for bytes before they are read."""

    def will_need(self, offset: int, length: int) -> None:
        """They will be read soon."""


@contextmanager
def opened_source(
    arguments: Arguments, host: Host, index: VideoIndex | None = None
) -> Iterator[tuple[VideoReader, list[int]]]:
    """The video, and the numbers of the wanted frames in it; its index is read if it is not given."""
    if index is None:
        index = read_index(host)
    frames = wanted_frames(arguments)
    video = opened(host, "video")
    _foresee(video, index, frames)
    with (
        _told_apart(arguments["name"]),
        VideoReader(video, index, arguments["name"], arguments.get("threads", 0)) as reader,
    ):
        yield reader, frames


def read_index(host: Host) -> VideoIndex:
    """The index of the video."""
    return decode_video(opened(host, "index").read())


def wanted_frames(arguments: Arguments) -> list[int]:
    """The numbers in the video of the relative frames `first` to `last`."""
    selection = FrameSelection(start=arguments["start"], step=arguments["step"])
    return [selection.absolute(frame) for frame in range(arguments["first"], arguments["last"] + 1)]


def _foresee(video: BinaryIO, index: VideoIndex, frames: Sequence[int]) -> None:
    """Has the first group of pictures on its way while the header is read."""
    if not isinstance(video, _Foreseeing) or index.matching == "order":
        return
    first = int(index.keyframes[0, 2])
    start, length = group_bytes(index, frames)
    if first == UNKNOWN or start == UNKNOWN:
        return
    # The first picture is read with the header, whoever wants it.
    video.will_need(0, min(first, _PICTURE_BYTES) + _PICTURE_BYTES)
    video.will_need(start, length)


def group_bytes(index: VideoIndex, frames: Sequence[int]) -> tuple[int, int]:
    """Where the packets of the first wanted frames lie, up to the end of their group; a guess of its length.

    Packets between key frames are taken for equally long, which they are not: reading goes on without it.
    """
    row = index.keyframe_of(frames[0])
    shown = index.pts.searchsorted(index.keyframes[row : row + 2, 0])
    start = int(index.keyframes[row, 2])
    if len(shown) < 2 or UNKNOWN in (start, int(index.keyframes[row + 1, 2])):
        return start, 2 * _PICTURE_BYTES
    group = max(0, int(index.keyframes[row + 1, 2]) - start)
    part = min(1.0, (frames[-1] + 1 - int(shown[0])) / max(1, int(shown[1] - shown[0])))
    return start, min(group, _PICTURE_BYTES + int(part * group))


@contextmanager
def _told_apart(name: str) -> Iterator[None]:
    """What the decoder says of a file is a fault of the file."""
    try:
        yield
    except av.FFmpegError as error:
        raise MediaError("invalid_media", f"cannot be decoded ({error.strerror})", name) from error
