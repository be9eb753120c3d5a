"""Runs of whole closed groups of pictures as mp4 by copying their packets: as fast as reading, nothing lost.

Whether packets may be copied is decided here, together with `gop_runs` (what the index tells) and
`gop_packets` (what each packet tells). Whatever speaks against it raises `CopyRefused` before a byte is given
away, and the caller encodes the same frames instead.

- Both edges must be edges of closed groups, the step 1, the picture upright, the file whole, the container
  one that keeps the stream's parameters apart (mp4, mov, mkv, webm). Transport streams and AVI hold them
  within packets, with time stamps that are guesses: encoded.
- The packets read must be those of the index: each time stamp once, none that an edit list hides, that is cut
  short, or that comes with new parameters.
- "any" takes what mp4 holds (H.264, HEVC, VP9, AV1); "browser" takes H.264, 8 bits, 4:2:0, progressive,
  square samples, no B-frames, and not more than `_SLACK` times the bytes that encoding takes.

Picture n of the mp4 stands at n/25 s, whatever its time in the source. Where pictures are decoded in another
order than they are shown, negative composition offsets say so: no edit list, so no player drops a picture.
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from typing import Any, BinaryIO, Literal, cast

import av
from av.container import InputContainer, OutputContainer
from av.video.stream import VideoStream
from yard.media.errors import MediaError
from yard.media.gop_packets import check_for
from yard.media.gop_runs import is_copyable, is_whole_run
from yard.media.mp4_chunk import LARGEST_BYTES, RATE, moov_first, usual_bytes
from yard.media.video_file import opened_video
from yard.media.video_index import UNKNOWN, VideoIndex

Copy = Literal["never", "browser", "any"]

_SLACK = 1.5
_MOST_REORDERED = 32
"""Pictures that may be decoded before one that is shown before them; every codec stays below."""
_OPTIONS = {"fflags": "+bitexact", "movflags": "+negative_cts_offsets", "use_editlist": "0"}
_BROWSER_PROFILES = {"Baseline", "Constrained Baseline", "Main", "High"}
_PROGRESSIVE = 1
_TAGS = {"hevc": "hvc1"}
"""Apple's players want the parameters of HEVC in the container, and this name for it."""


class CopyRefused(Exception):  # noqa: N818 - it is an answer, not a fault
    """The packets may not be copied, and why."""


def may_copy(index: VideoIndex, copy: Copy, step: int, first: int, last: int) -> bool:
    """Whether copying frames `first` to `last` of the source is worth a try, as far as the index tells."""
    if copy == "never" or step != 1 or not is_copyable(index) or not is_whole_run(index, first, last):
        return False
    return copy == "any" or (index.codec == "h264" and index.pixel_format in {"yuv420p", "yuvj420p"})


class GopCopier:
    """Copies runs of one video; not for two threads at once."""

    def __init__(
        self, container: InputContainer, stream: VideoStream, index: VideoIndex, crf: int | None
    ) -> None:
        self._container = container
        self._stream = stream
        self._index = index
        self._crf = crf

    def mp4(self, first: int, last: int) -> Iterator[bytes]:
        """Frames `first` to `last` of the source, which are whole groups; CopyRefused before the first byte.

        The mp4 is held in memory, its packets are not.
        """
        with io.BytesIO() as file:
            try:
                self._write(file, first, last)
            except av.FFmpegError as error:
                raise CopyRefused(f"the packets cannot be copied ({error.strerror})") from error
            yield from moov_first(file)

    def _write(self, file: BinaryIO, first: int, last: int) -> None:
        if self._crf is not None:
            self._check_browser()
        with av.open(file, "w", format="mp4", options=_OPTIONS) as output:
            stream = _copied_stream(output, self._stream)
            for position, packet in enumerate(self._checked(first, last)):
                _stamp(packet, stream, position)
                output.mux(packet)
                if file.tell() > LARGEST_BYTES:
                    raise MediaError("limit", f"an mp4 is limited to {LARGEST_BYTES >> 20} MiB: ask for less")

    def _check_browser(self) -> None:
        context = self._stream.codec_context
        square = context.sample_aspect_ratio in {None, Fraction(1), Fraction(0)}
        if context.profile not in _BROWSER_PROFILES or context.field_order != _PROGRESSIVE or not square:
            raise CopyRefused("browsers do not take the stream as it is")

    def _checked(self, first: int, last: int) -> Iterator["av.Packet[VideoStream]"]:
        """The packets of the run in decoding order, each with its rank as its time stamp."""
        index = self._index
        check = check_for(index.codec, self._stream.codec_context.extradata or b"")
        if check is None:
            raise CopyRefused("the container does not hold the stream's parameters")
        ranks = {int(pts): rank for rank, pts in enumerate(index.pts[first : last + 1].tolist())}
        budget = self._budget(len(ranks))
        count = len(ranks)
        for position, packet in zip(range(count), self._packets_from(first), strict=False):
            rank = ranks.pop(packet.pts if packet.pts is not None else UNKNOWN, None)
            if (
                rank is None
                or packet.is_discard
                or packet.is_corrupt
                or abs(rank - position) > _MOST_REORDERED
            ):
                raise CopyRefused("the packets are not those of the index")
            if packet.has_sidedata("new_extradata"):
                raise CopyRefused("the stream changes its parameters")
            if fault := check(memoryview(packet), position == 0):
                raise CopyRefused(f"frame {first + rank} {fault}")
            budget -= packet.size
            if self._crf is not None and (rank != position or budget < 0):
                raise CopyRefused("the pictures are reordered, or larger than they are worth")
            packet.pts = rank
            yield packet
        if ranks:
            raise CopyRefused("packets of the index are missing")

    def _budget(self, frames: int) -> float:
        if self._crf is None:
            return LARGEST_BYTES
        return _SLACK * usual_bytes(self._index.width * self._index.height, self._crf) * frames

    def _packets_from(self, frame: int) -> Iterator["av.Packet[VideoStream]"]:
        """Packets with content from that of the key frame on; where the seek lands is checked."""
        pts, dts = (int(stamp) for stamp in self._index.keyframes[self._index.keyframe_of(frame), :2])
        stamps = (dts, pts) if self._index.container.startswith("mov") else (pts, dts)
        for stamp in (stamp for stamp in stamps if stamp != UNKNOWN):
            self._container.seek(stamp, stream=self._stream)
            packets = (packet for packet in self._container.demux(self._stream) if packet.size)
            start = next((packet for packet in packets if _is_at(packet, pts)), None)
            if start is not None and start.pts == pts:
                yield start
                yield from packets
                return
        raise CopyRefused("the key frame is not found")


@contextmanager
def opened_copier(file: BinaryIO, index: VideoIndex, name: str, copy: Copy, crf: int) -> Iterator[GopCopier]:
    """Opens the video for copying as `copy` says; `crf` is what it would be encoded with otherwise."""
    with opened_video(file, name) as (container, stream):
        if stream.index != index.stream_index:
            raise CopyRefused("the stream is not that of the index")
        yield GopCopier(container, stream, index, crf if copy == "browser" else None)


def _is_at(packet: "av.Packet[VideoStream]", pts: int) -> bool:
    """Whether it is the first key frame at or behind a time; seeks may land before it."""
    return packet.is_keyframe and (packet.pts is None or packet.pts >= pts)


def _copied_stream(output: OutputContainer, stream: VideoStream) -> VideoStream:
    copied: Any = output.add_stream_from_template(stream, opaque=True)
    copied.time_base = Fraction(1, RATE)
    if tag := _TAGS.get(stream.codec_context.name):
        copied.codec_context.codec_tag = tag
    return cast("VideoStream", copied)


def _stamp(packet: "av.Packet[VideoStream]", stream: VideoStream, position: int) -> None:
    """Times in decoding order begin so early that they never pass those in order of showing."""
    packet.dts = position - _MOST_REORDERED
    packet.time_base = Fraction(1, RATE)
    packet.duration = 1
    packet.stream = stream
