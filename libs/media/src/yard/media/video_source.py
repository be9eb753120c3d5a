"""The video of a job and the frames of it that are wanted."""

from collections.abc import Iterator
from contextlib import contextmanager

import av
from yard.media.chunk_results import Arguments, Host, opened
from yard.media.decode import VideoReader
from yard.media.errors import MediaError
from yard.media.index_block import decode_video
from yard.media.selection import FrameSelection


@contextmanager
def opened_source(arguments: Arguments, host: Host) -> Iterator[tuple[VideoReader, list[int]]]:
    """The video, and the numbers of the wanted frames in it."""
    index = decode_video(opened(host, "index").read())
    selection = FrameSelection(start=arguments["start"], step=arguments["step"])
    frames = [selection.absolute(frame) for frame in range(arguments["first"], arguments["last"] + 1)]
    with (
        _told_apart(arguments["name"]),
        VideoReader(opened(host, "video"), index, arguments["name"], arguments.get("threads", 0)) as reader,
    ):
        yield reader, frames


@contextmanager
def _told_apart(name: str) -> Iterator[None]:
    """What the decoder says of a file is a fault of the file."""
    try:
        yield
    except av.FFmpegError as error:
        raise MediaError("invalid_media", f"cannot be decoded ({error.strerror})", name) from error
