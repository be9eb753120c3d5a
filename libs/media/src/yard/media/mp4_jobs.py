"""Jobs of child processes that make mp4 chunks of videos, from the sources "index" and "video".

Whole groups of pictures are copied as the argument `copy` allows (see `gop_copy`); all else is encoded.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from itertools import count, groupby, islice
from typing import cast

import av
from yard.media.chunk_results import Result
from yard.media.decode import Picture
from yard.media.framed import FrameWriter
from yard.media.gop_copy import Copy, CopyRefused, may_copy, opened_copier
from yard.media.index_block import decode_video
from yard.media.job_host import Arguments, Host, opened
from yard.media.mp4_chunk import drawn_frame, encode_mp4
from yard.media.placeholder import placeholder
from yard.media.selection import FrameSelection
from yard.media.video_index import VideoIndex
from yard.media.video_source import opened_source

Chunk = tuple[int, int]
_Corrupt = list[list[object]]
_Emit = Callable[[int, bytes], None]
_End = Callable[[int, Result], None]


def video_mp4(arguments: Arguments, host: Host) -> Result:
    """Frames `first` to `last` of a video as H.264 with the constant rate factor `crf`, or copied."""
    results: list[Result] = []
    maker = _Maker(
        arguments, host, lambda _, piece: host.emit(piece), lambda _, result: results.append(result)
    )
    maker.make([(arguments["first"], arguments["last"])])
    return results[0]


def video_mp4_run(arguments: Arguments, host: Host) -> Result:
    """As `video_mp4`, for adjacent `chunks` (first and last of each), framed.

    Neighbours that are encoded share one pass of the decoder.
    """
    writer = FrameWriter(host.emit)
    maker = _Maker(arguments, host, writer.content, writer.end)
    maker.make([(first, last) for first, last in arguments["chunks"]])
    return maker.result([])


class _Maker:
    """Copies or encodes chunks in order and hands on their bytes and results by their position."""

    def __init__(self, arguments: Arguments, host: Host, emit: _Emit, end: _End) -> None:
        self._arguments = arguments
        self._host = host
        self._emit = emit
        self._end = end
        self._copy = cast("Copy", arguments.get("copy", "never"))
        self._selection = FrameSelection(start=arguments["start"], step=arguments["step"])
        self._index = decode_video(opened(host, "index").read())
        self._done = 0

    def make(self, chunks: Sequence[Chunk]) -> None:
        """Makes them all."""
        for is_copyable, group in groupby(chunks, self._may_copy):
            some = list(group)
            copied = self._copied(some) if is_copyable else 0
            if copied < len(some):
                self._encode(some[copied:])

    def result(self, corrupt: _Corrupt) -> Result:
        """What a job says of a chunk."""
        return {"width": self._index.width, "height": self._index.height, "corrupt": corrupt}

    def _may_copy(self, chunk: Chunk) -> bool:
        first, last = (self._selection.absolute(frame) for frame in chunk)
        return may_copy(self._index, self._copy, self._selection.step, first, last)

    def _copied(self, chunks: Sequence[Chunk]) -> int:
        """Copies until a chunk refuses, and tells how many were copied."""
        name, crf = self._arguments["name"], self._arguments["crf"]
        done = 0
        try:
            with opened_copier(opened(self._host, "video"), self._index, name, self._copy, crf) as copier:
                for chunk in chunks:
                    first, last = (self._selection.absolute(frame) for frame in chunk)
                    for piece in copier.mp4(first, last):
                        self._emit(self._done, piece)
                    self._finish([])
                    done += 1
        except CopyRefused:
            pass
        return done

    def _encode(self, chunks: Sequence[Chunk]) -> None:
        spanned = {**self._arguments, "first": chunks[0][0], "last": chunks[-1][1]}
        with ExitStack() as stack:
            reader, frames = stack.enter_context(opened_source(spanned, self._host))
            pictures = stack.enter_context(closing(reader.frames(frames)))
            numbered = zip(count(chunks[0][0]), pictures, strict=False)
            for first, last in chunks:
                corrupt: _Corrupt = []
                shown = _shown(islice(numbered, last - first + 1), self._index, corrupt)
                for piece in encode_mp4(shown, self._arguments["crf"]):
                    self._emit(self._done, piece)
                self._finish(corrupt)

    def _finish(self, corrupt: _Corrupt) -> None:
        self._end(self._done, self.result(corrupt))
        self._done += 1


def _shown(
    numbered: Iterator[tuple[int, Picture]], index: VideoIndex, corrupt: _Corrupt
) -> Iterator[av.VideoFrame]:
    """Frames, and placeholders for those that do not decode, which are noted."""
    for number, picture in numbered:
        if picture.frame is not None:
            yield picture.frame
        else:
            corrupt.append([number, picture.reason])
            yield drawn_frame(placeholder(index.width, index.height, number, picture.reason), index)
