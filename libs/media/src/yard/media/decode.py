"""Exact pictures of a video: seek to the key frame before, decode, drop, match by time stamp."""

from collections import deque
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import BinaryIO, Self

import av
from av.filter import Graph
from av.video.stream import VideoStream
from yard.media.errors import MediaError
from yard.media.video_file import opened_video
from yard.media.video_index import UNKNOWN, VideoIndex

_DTS_SEEK = ("mov", "mpegts", "mpeg")
_TURNS = {90: (("transpose", "cclock"),), 180: (("hflip", ""), ("vflip", "")), 270: (("transpose", "clock"),)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """Frame number `index` of the source, upright; repeated when the stream does not hold it."""

    index: int
    frame: av.VideoFrame
    is_repeated: bool = False


class VideoReader:
    """Pictures of an indexed video by frame number; not for two threads at once, close it at the end."""

    def __init__(self, file: BinaryIO, index: VideoIndex, name: str = "video") -> None:
        self.index = index
        self.name = name
        # With threads by picture, an error behind the last frame takes the ones before it along.
        self._threads = "SLICE" if index.is_broken else "AUTO"
        self._file = file
        self._opened = opened_video(file, name)
        self._container, self._stream = self._opened.__enter__()
        self._stream.thread_type = self._threads
        self._turn: Graph | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the container, not the file."""
        self._opened.__exit__(None, None, None)

    def frames(self, wanted: Sequence[int]) -> Generator[Picture]:
        """Yields the pictures of the wanted frame numbers (ascending), each exactly once."""
        for run in self._runs(wanted):
            yield from self._upright(self._run(run))

    def _runs(self, wanted: Sequence[int]) -> Iterator[list[int]]:
        """Splits where a whole group of pictures may be jumped over."""
        run: list[int] = []
        for frame in wanted:
            self._check(frame, run[-1] if run else -1)
            if run and self.index.keyframe_of(frame) - self.index.keyframe_of(run[-1]) > 1:
                yield run
                run = []
            run.append(frame)
        if run:
            yield run

    def _check(self, frame: int, before: int) -> None:
        if not before < frame < self.index.frames:
            raise MediaError(
                "limit", f"frame {frame} is not in ascending order below {self.index.frames}", self.name
            )

    def _run(self, run: list[int]) -> Generator[Picture]:
        """Matches what the decoder gives to what is wanted; a hole repeats its neighbour, numbers stay."""
        waiting = deque(run)
        last: av.VideoFrame | None = None
        with closing(self._numbered(run)) as decoded:
            for pts, frame in decoded:
                while waiting and self.index.pts[waiting[0]] < pts:
                    yield Picture(index=waiting.popleft(), frame=last or frame, is_repeated=True)
                last = frame
                if waiting and self.index.pts[waiting[0]] == pts:
                    yield Picture(index=waiting.popleft(), frame=frame)
                if not waiting:
                    return
        if last is None:
            raise MediaError("truncated", f"no picture decodes at frame {run[0]}", self.name)
        for frame_number in waiting:
            yield Picture(index=frame_number, frame=last, is_repeated=True)

    def _numbered(self, run: list[int]) -> Generator[tuple[int, av.VideoFrame]]:
        if self.index.matching == "order":
            self._reopen()
            yield from enumerate(self._decode(self._container.demux(self._stream), None))
            return
        first, last = (int(self.index.pts[frame]) for frame in (run[0], run[-1]))
        wanted = {int(self.index.pts[frame]) for frame in run}
        for frame in self._decode(self._packets_from(self.index.keyframe_of(run[0])), wanted):
            # Who gets the frame may give it another time stamp, as the encoder of an mp4 does.
            pts = frame.pts
            if pts is not None and pts >= first:
                yield pts, frame
                if pts >= last:
                    return

    def _decode(
        self, packets: Iterator["av.Packet[VideoStream]"], wanted: set[int] | None
    ) -> Iterator[av.VideoFrame]:
        """Decodes, without the pictures that nobody wants and no other picture needs."""
        context = self._stream.codec_context
        # Decoders from outside of FFmpeg read `skip_frame` once, when they start.
        can_skip = wanted is not None and not context.name.startswith("lib")
        while True:
            try:
                packet = next(packets)
                is_needless = can_skip and packet.size > 0 and packet.pts not in (wanted or ())
                context.skip_frame = "NONREF" if is_needless else "DEFAULT"
                yield from packet.decode()
            except (StopIteration, av.EOFError):
                return
            except av.InvalidDataError:
                continue

    def _packets_from(self, keyframe: int) -> Iterator["av.Packet[VideoStream]"]:
        """Packets from the key frame or an earlier one; where the seek landed is checked, never believed."""
        limit = int(self.index.keyframes[keyframe, 0])
        for target in self._seek_targets(keyframe):
            self._container.seek(target, stream=self._stream)
            packets = self._container.demux(self._stream)
            first = next(packets, None)
            if first is not None and first.is_keyframe and first.pts is not None and first.pts <= limit:
                yield first
                yield from packets
                return
        self._reopen()
        yield from self._container.demux(self._stream)

    def _seek_targets(self, keyframe: int) -> Iterator[int]:
        """Time stamps to try, the best first: the key frame's own, then those of the one before it."""
        for row in range(keyframe, max(-1, keyframe - 2), -1):
            pts, dts = (int(value) for value in self.index.keyframes[row, :2])
            stamps = (dts, pts) if self.index.container.startswith(_DTS_SEEK) else (pts, dts)
            yield from (stamp for stamp in stamps if stamp != UNKNOWN)

    def _reopen(self) -> None:
        self.close()
        self._opened = opened_video(self._file, self.name)
        self._container, self._stream = self._opened.__enter__()
        self._stream.thread_type = self._threads

    def _upright(self, pictures: Iterator[Picture]) -> Iterator[Picture]:
        if not self.index.rotation:
            yield from pictures
            return
        source: av.VideoFrame | None = None
        turned: av.VideoFrame | None = None
        for picture in pictures:
            if turned is None or picture.frame is not source:
                source, turned = picture.frame, self._rotate(picture.frame)
            yield Picture(index=picture.index, frame=turned, is_repeated=picture.is_repeated)

    def _rotate(self, frame: av.VideoFrame) -> av.VideoFrame:
        if self._turn is None:
            self._turn = _turn_graph(frame, self.index.rotation)
        self._turn.vpush(frame)
        return self._turn.vpull()


def _turn_graph(frame: av.VideoFrame, rotation: int) -> Graph:
    """Quarter turns move samples without touching their values."""
    graph = Graph()
    nodes = [
        graph.add_buffer(
            width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base
        )
    ]
    nodes += [graph.add(name, arguments or None) for name, arguments in _TURNS[rotation]]
    nodes.append(graph.add("buffersink"))
    graph.link_nodes(*nodes)
    graph.configure()
    return graph
