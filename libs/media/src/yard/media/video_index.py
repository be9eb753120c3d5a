"""The frame table of a video, from its packets: only the first picture is decoded when packets tell enough.

A frame is a time stamp (pts) in the sorted table of packets that are shown. `stream.frames` and duration
times rate are never used: both are wrong for VFR, edit lists, transport streams and cut files.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import BinaryIO, Literal

import av
import numpy as np
from av.container import InputContainer
from av.video.stream import VideoStream
from numpy.typing import NDArray
from yard.media.completeness import missing
from yard.media.errors import MediaError
from yard.media.video_file import opened_video, pictures

UNKNOWN = -(1 << 63)
"""Stands for a dts or byte position that the container does not tell."""

Times = NDArray[np.int64]
Matching = Literal["pts", "order"]

_EXACT_CONTAINERS = ("mov", "matroska", "mpegts", "mpeg")
_CHECKED_FRAMES = 32
_SHORTEST_PART, _LONGEST_FRAME_S = 0.9, 0.5
_REORDERED = 4
"""Pictures at the end of a cut stream that may miss one between them, if only their order is known."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class VideoIndex:
    """All that chunking needs to know of a video; sizes are those of the upright picture in pixels."""

    pts: Times
    keyframes: Times
    """Rows of (pts, dts, byte position), sorted by pts; key frames that are not shown are listed too."""
    time_base: Fraction
    frame_rate: Fraction
    stream_index: int
    width: int
    height: int
    rotation: int
    """Counter-clockwise turn, in degrees 0, 90, 180 or 270, that makes the decoded picture upright."""
    container: str
    codec: str
    pixel_format: str
    colorspace: int
    color_range: int
    color_primaries: int
    color_trc: int
    is_open_gop: bool
    is_broken: bool
    discarded: int
    matching: Matching = "pts"
    """"order" when pictures are found by counting from the start, because time stamps are missing or lie."""
    warnings: tuple[str, ...] = field(default=())

    @property
    def frames(self) -> int:
        """Number of frames of the source."""
        return len(self.pts)

    def keyframe_of(self, frame: int) -> int:
        """Row of the key frame from which `frame` is decoded."""
        return max(0, int(np.searchsorted(self.keyframes[:, 0], self.pts[frame], side="right")) - 1)


def index_video(file: BinaryIO, name: str) -> VideoIndex:
    """Indexes the first video stream; a broken file keeps what decodes and says so in `warnings`."""
    with opened_video(file, name) as (container, stream):
        packets = _read_packets(container, stream)
    if not packets.is_cut and (lack := missing(file)):
        packets.fault, packets.is_cut = lack, True
    index = _from_packets(file, name, packets) if packets.has_times else None
    if index is not None and packets.fault:
        index = _keep_decodable(file, name, index, packets)
    if index is None or not _agrees_with_decoder(file, name, index):
        index = _from_pictures(file, name, packets)
    if not index.frames:
        raise MediaError("invalid_media", "the video has no frame that decodes", name)
    return replace(index, warnings=(*index.warnings, *_early_end(name, index, packets)))


@dataclass(slots=True, kw_only=True)
class _Packets:
    pts: list[int] = field(default_factory=list)
    keyframes: list[tuple[int, int, int]] = field(default_factory=list)
    discarded: int = 0
    is_open_gop: bool = False
    has_times: bool = True
    fault: str = ""
    is_cut: bool = False
    """Whether the end is missing, and not only something within."""
    last_dts: int | None = None
    """Of the last packet, whole or not: what is lost behind it is shown later than this."""
    promised_s: float = 0.0
    """Duration that the container tells; 0 unknown."""
    described: VideoIndex | None = None
    """What the first packet says, if it is a key frame that decodes alone."""


def _read_packets(container: InputContainer, stream: VideoStream) -> _Packets:
    table = _Packets(promised_s=_promised_s(container, stream))
    packets = (packet for packet in container.demux(stream) if packet.size)
    try:
        for number, packet in enumerate(packets):
            if not number and (picture := _key_picture(stream, packet)) is not None:
                table.described = _described(container, stream, picture)
            _add_packet(table, packet)
    except av.FFmpegError as error:
        table.fault, table.is_cut = f"is damaged or cut off: {error.strerror}", True
    return table


def _add_packet(table: _Packets, packet: "av.Packet[VideoStream]") -> None:
    table.last_dts = packet.dts if packet.dts is not None else table.last_dts
    table.is_cut = packet.is_corrupt
    if packet.is_corrupt:
        table.fault = "is damaged or cut off: incomplete packet"
        return
    pts = packet.pts
    if pts is None:
        table.has_times = False
        return
    if packet.is_keyframe:
        dts = UNKNOWN if packet.dts is None else packet.dts
        position = UNKNOWN if packet.pos is None else packet.pos
        table.keyframes.append((pts, dts, position))
    elif len(table.keyframes) > 1 and pts < table.keyframes[-1][0]:
        table.is_open_gop = True
    if packet.is_discard:
        table.discarded += 1
    else:
        table.pts.append(pts)


def _from_packets(file: BinaryIO, name: str, packets: _Packets) -> VideoIndex | None:
    if not packets.keyframes or not packets.pts:
        return None
    keyframes = np.array(sorted(packets.keyframes), dtype=np.int64)
    pts = np.unique(np.array(packets.pts, dtype=np.int64))
    described = packets.described or _describe(file, name)
    return replace(
        described,
        pts=pts[pts >= keyframes[0, 0]],
        keyframes=keyframes,
        is_open_gop=packets.is_open_gop,
        discarded=packets.discarded,
    )


def _describe(file: BinaryIO, name: str) -> VideoIndex:
    """An index without frames: what the stream and its first picture say."""
    with opened_video(file, name) as (container, stream):
        first = next(pictures(container, stream), None)
        if first is None:
            raise MediaError("invalid_media", "no picture of the video decodes", name)
        return _described(container, stream, first)


def _described(container: InputContainer, stream: VideoStream, first: av.VideoFrame) -> VideoIndex:
    turn = round(first.rotation / 90) * 90 % 360
    width, height = (first.height, first.width) if turn % 180 else (first.width, first.height)
    return VideoIndex(
        pts=np.empty(0, np.int64),
        keyframes=np.empty((0, 3), np.int64),
        time_base=stream.time_base or Fraction(1, 1000),
        frame_rate=stream.average_rate or stream.guessed_rate or Fraction(25),
        stream_index=stream.index,
        width=width,
        height=height,
        rotation=turn,
        container=container.format.name,
        codec=stream.codec_context.name,
        pixel_format=first.format.name,
        colorspace=int(first.colorspace),
        color_range=int(first.color_range),
        color_primaries=int(first.color_primaries),
        color_trc=int(first.color_trc),
        is_open_gop=False,
        is_broken=False,
        discarded=0,
    )


def _key_picture(stream: VideoStream, packet: "av.Packet[VideoStream]") -> av.VideoFrame | None:
    """A key frame, decoded alone and without what only its pixels need: nobody looks at them."""
    if not packet.is_keyframe or packet.is_corrupt:
        return None
    stream.codec_context.options = {"skip_loop_filter": "all", "skip_idct": "all"}
    try:
        decoded = packet.decode() or stream.codec_context.decode(None)
    except av.FFmpegError:
        return None
    return decoded[0] if decoded else None


def _keep_decodable(file: BinaryIO, name: str, index: VideoIndex, packets: _Packets) -> VideoIndex:
    """Decodes the last two groups of pictures of a damaged file and forgets frames that do not come out.

    Frames that may have a hole before them, because pictures between them came later, are forgotten too.
    """
    with opened_video(file, name) as (container, stream):
        if len(index.keyframes) > 2:
            shown, read, _ = (int(value) for value in index.keyframes[-2])
            container.seek(shown if read == UNKNOWN else read, stream=stream)
        decoded = {frame.pts for frame in pictures(container, stream) if not frame.is_corrupt}
    start = min((time for time in decoded if time is not None), default=0)
    pts = index.pts[[time < start or int(time) in decoded for time in index.pts]]
    if packets.is_cut:
        pts = pts[pts < (start if packets.last_dts is None else packets.last_dts)]
    return replace(index, pts=pts, is_broken=True, warnings=(_told(name, packets.fault, len(pts)),))


def _agrees_with_decoder(file: BinaryIO, name: str, index: VideoIndex) -> bool:
    """Whether the first pictures carry the times of the table; asked only where containers invent them."""
    if index.container.startswith(_EXACT_CONTAINERS):
        return True
    with opened_video(file, name) as (container, stream):
        stream.thread_type = "AUTO"
        decoded = [
            frame.pts for frame, _ in zip(pictures(container, stream), range(_CHECKED_FRAMES), strict=False)
        ]
    return bool(decoded == index.pts[: len(decoded)].tolist())


def _from_pictures(file: BinaryIO, name: str, packets: _Packets) -> VideoIndex:
    """Counts by decoding everything: slow, and the index says so."""
    described = packets.described or _describe(file, name)
    with opened_video(file, name) as (container, stream):
        stream.thread_type = "SLICE" if packets.fault else "AUTO"
        count = sum(1 for _ in pictures(container, stream))
    warnings = ["time stamps are missing or wrong: frames are counted by decoding, access is slow"]
    if packets.fault:
        count = max(0, count - _REORDERED) if packets.is_cut else count
        warnings.append(_told(name, packets.fault, count))
    return replace(
        described,
        pts=np.arange(count, dtype=np.int64),
        keyframes=np.array([(0, UNKNOWN, UNKNOWN)], dtype=np.int64),
        is_broken=bool(packets.fault),
        matching="order",
        warnings=tuple(warnings),
    )


def _promised_s(container: InputContainer, stream: VideoStream) -> float:
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    return (container.duration or 0) / av.time_base


def _early_end(name: str, index: VideoIndex, packets: _Packets) -> Iterator[str]:
    """Some damage ends the reading of a file without an error: only its duration tells."""
    if index.is_broken or index.matching == "order":
        return
    shown_s = float((index.pts[-1] - index.pts[0]) * index.time_base)
    if shown_s < _SHORTEST_PART * packets.promised_s - _LONGEST_FRAME_S:
        told = f"tells {packets.promised_s:.1f} s, its pictures end after {shown_s:.1f} s"
        yield f"{name} {told}: it may be damaged"


def _told(name: str, fault: str, frames: int) -> str:
    return f"{name} {fault}; {frames} frames are usable"
