"""Exact pictures of a video: seek to the key frame before, decode, drop, match by time stamp."""

from collections import deque
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import BinaryIO, Self

import av
from av.filter import Graph
from av.video.stream import VideoStream
from yard.media.cores import threads_for
from yard.media.damage import Damage
from yard.media.errors import MediaError
from yard.media.video_file import DECODER_OPTIONS, opened_video, tells_all
from yard.media.video_index import UNKNOWN, VideoIndex

_DTS_SEEK = ("mpegts", "mpeg")
"""A seek by pts lands behind the key frame there; in mp4 one by dts lands a whole group before it."""
_TURNS = {90: (("transpose", "cclock"),), 180: (("hflip", ""), ("vflip", "")), 270: (("transpose", "clock"),)}
_DATA_FAULTS = (
    *(av.InvalidDataError, av.ArgumentError, av.PatchWelcomeError),
    *(av.ExternalError, av.UnknownError),
)
_MOST_DEMUX_FAULTS = 1000
_STRICT = {"err_detect": "crccheck+bitstream+buffer+explode"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """Frame number `index` of the source, upright; no frame, but a reason, if it cannot be decoded."""

    index: int
    frame: av.VideoFrame | None
    reason: str = ""

    @property
    def is_missing(self) -> bool:
        """Whether a placeholder must be shown."""
        return self.frame is None


class _DoubtError(Exception):
    """Something is wrong with the data: it must be decoded again with care."""


class VideoReader:
    """Pictures of an indexed video by frame number; not for two threads at once, close it at the end.

    At the first fault it decodes what is still wanted again, from one key frame earlier, without threads (an
    error takes pictures before it along there, or is not told at all) and strictly (concealed faults are told
    then). So healthy videos are decoded fast and leniently, and frames are given up only after a second try.
    """

    def __init__(self, file: BinaryIO, index: VideoIndex, name: str = "video", threads: int = 0) -> None:
        """With as many threads as there are cores and memory for if `threads` is 0."""
        self.index = index
        self.name = name
        self.is_careful = False
        """Whether a fault was met."""
        self._thread_count = threads_for(index.width * index.height, threads)
        self._file = file
        self._turn: Graph | None = None
        self._damage = Damage(index, "")
        self._open()

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
        """Yields one picture for each wanted number, whatever is wrong with the stream."""
        waiting = deque(run)
        while waiting:
            try:
                self._damage = Damage(self.index, self._stream.codec_context.name)
                yield from self._matched(waiting)
            except _DoubtError:
                self.is_careful = True
                self._reopen()

    def _matched(self, waiting: deque[int]) -> Generator[Picture]:
        """Matches what the decoder gives to what is wanted, and takes it off; holes never shift numbers."""
        with closing(self._numbered(list(waiting))) as decoded:
            for pts, frame in decoded:
                while waiting and self.index.pts[waiting[0]] < pts:
                    yield self._lost(waiting)
                if waiting and self.index.pts[waiting[0]] == pts:
                    yield self._checked(waiting.popleft(), frame)
                if not waiting:
                    return
        while waiting:
            yield self._lost(waiting)

    def _checked(self, number: int, frame: av.VideoFrame) -> Picture:
        if reason := self._damage.reason(number, frame):
            return Picture(index=number, frame=None, reason=reason)
        return Picture(index=number, frame=frame)

    def _lost(self, waiting: deque[int]) -> Picture:
        self._doubt()
        number = waiting.popleft()
        return Picture(index=number, frame=None, reason=self._damage.lost(number))

    def _doubt(self) -> None:
        """Where pictures are counted, none may be left out: there is no careful way then."""
        if not self.is_careful and self.index.matching != "order":
            raise _DoubtError

    def _numbered(self, run: list[int]) -> Generator[tuple[int, av.VideoFrame]]:
        if self.index.matching == "order":
            self._reopen()
            yield from enumerate(self._decode(self._container.demux(self._stream), None))
            return
        first, last = (int(self.index.pts[frame]) for frame in (run[0], run[-1]))
        wanted = {int(self.index.pts[frame]) for frame in run}
        keyframe = max(0, self.index.keyframe_of(run[0]) - self.is_careful)
        packets = self._until_group_ends(self._packets_from(keyframe), run[-1])
        for frame in self._decode(packets, wanted):
            # Who gets the frame may give it another time stamp, as the encoder of an mp4 does.
            pts = frame.pts
            if frame.is_corrupt:
                self._doubt()
            if pts is None or pts < first:
                self._damage.passed(frame)
            else:
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
        for packet in self._whole(packets):
            if self.is_careful:
                self._damage.sent(packet)
            is_needless = can_skip and packet.size > 0 and packet.pts not in (wanted or ())
            context.skip_frame = "NONREF" if is_needless else "DEFAULT"
            try:
                yield from packet.decode()
            except av.EOFError:
                return
            except _DATA_FAULTS:
                self._doubt()
                if self.is_careful:
                    self._damage.failed(packet)
        yield from self._rest()

    def _rest(self) -> Iterator[av.VideoFrame]:
        """What the decoder holds back."""
        end = av.Packet()
        end.time_base = self.index.time_base
        try:
            yield from self._stream.codec_context.decode(end)
        except (av.EOFError, *_DATA_FAULTS):
            return

    def _until_group_ends(
        self, packets: Iterator["av.Packet[VideoStream]"], last: int
    ) -> Iterator["av.Packet[VideoStream]"]:
        """Where groups are closed, none is decoded only to get the last pictures of the one before it."""
        after = self.index.keyframe_of(last) + 1
        if self.index.is_open_gop or self.is_careful or after == len(self.index.keyframes):
            yield from packets
            return
        end = int(self.index.keyframes[after, 0])
        for packet in packets:
            if packet.is_keyframe and packet.pts is not None and packet.pts >= end:
                return
            yield packet

    def _whole(self, packets: Iterator["av.Packet[VideoStream]"]) -> Iterator["av.Packet[VideoStream]"]:
        """Packets to the end of the file, also from behind parts of the container that make no sense."""
        for _ in range(_MOST_DEMUX_FAULTS):
            try:
                yield from packets
            except av.InvalidDataError:
                packets = self._container.demux(self._stream)
            else:
                return

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
        self._open()

    def _open(self) -> None:
        is_doubtful = self.index.is_broken or self.is_careful
        is_unseen = not is_doubtful and tells_all(self.index.container, self.index.codec)
        self._opened = opened_video(self._file, self.name, self.index.container, is_unseen=is_unseen)
        self._container, self._stream = self._opened.__enter__()
        context = self._stream.codec_context
        # Of faults that threads meet within a picture, decoders say nothing.
        context.thread_type, context.thread_count = (
            ("SLICE", 1) if is_doubtful else ("AUTO", self._thread_count)
        )
        context.options = DECODER_OPTIONS | (_STRICT if self.is_careful else {})

    def _upright(self, pictures: Iterator[Picture]) -> Iterator[Picture]:
        for picture in pictures:
            if self.index.rotation and picture.frame is not None:
                yield replace(picture, frame=self._rotate(picture.frame))
            else:
                yield picture

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
