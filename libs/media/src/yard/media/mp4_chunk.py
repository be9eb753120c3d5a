"""Pictures to an H.264 mp4 for browsers: 4:2:0, 8 bit, no B-frames, index first, picture n at n/25 s.

The size is the source's, odd sizes padded to even ones, a key frame stands at every 12th picture, groups are
closed, and the colours keep the source's matrix and range and are tagged with them. The rate factor follows
from the image quality: crf = 12 + 0.295 * (100 - quality), so 100 gives 12, 70 gives 21 and 5 gives 40.

x264's preset "ultrafast" with what gives most for its time at that number of bits. From crf 18 on, CABAC: a
seventh smaller for 2 to 5 ms more CPU a 1080p picture (below, where bits are many, it would cost 6 and more).
From crf 24 on, the deblocking filter and half-pixel motion, too: blocks are seen there, and both cost 3 ms.
"superfast" would take twice the CPU of "ultrafast".

On a moving photo with noise luma stands at 37 dB at quality 20, 40.5 at 70, 45.8 at 90 and 48.6 at 100, which
is the original quality.
"""

import io
import struct
from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import IO

import av
from av.filter import Graph
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream
from yard.media.encode_jpeg import BT601, BT709, Pixels, check_quality, is_full_range, matrix_of
from yard.media.errors import MediaError
from yard.media.video_index import VideoIndex

RATE = 25
KEYFRAME_INTERVAL = 12
VISUALLY_LOSSLESS_CRF = 12
LARGEST_BYTES = 512 << 20
_PIECE_BYTES = 1 << 20
_RANGE = {True: 2, False: 1}
_CABAC_FROM_CRF, _FINE_FROM_CRF = 18, 24
_USUAL_BYTES, _USUAL_CRF, _CRF_TO_HALVE = 0.02, 21, 4.2
_X264 = f"keyint={KEYFRAME_INTERVAL}:min-keyint={KEYFRAME_INTERVAL}:scenecut=0:bframes=0:open-gop=0:threads=2"


def crf_for(quality: int) -> int:
    """x264's constant rate factor for an image quality of 5..100: 100 gives 12, 70 gives 21, 5 gives 40."""
    return round(12 + (100 - check_quality(quality)) * 0.295)


def usual_bytes(pixels: int, crf: int) -> float:
    """What a picture of a camera takes on average when it is encoded here."""
    return float(_USUAL_BYTES * pixels * 2 ** ((_USUAL_CRF - crf) / _CRF_TO_HALVE))


def encode_mp4(frames: Iterable[av.VideoFrame], crf: int) -> Iterator[bytes]:
    """The bytes of the mp4, once its last picture is encoded; they are held in memory and limited to 512 MiB.

    The index has to come first, so that players that read from start to end can show the first picture.
    """
    with io.BytesIO() as file:
        _write(file, frames, crf)
        yield from moov_first(file)


def moov_first(file: IO[bytes]) -> Iterator[bytes]:
    """An mp4 with its index moved before the media, so that a player starts with the first bytes."""
    boxes = list(_boxes(file))
    names = [name for name, _, _ in boxes]
    moov = boxes[names.index(b"moov")]
    media = [box for box in boxes if box[0] != b"moov"]
    head = [box for box in media if box[0] == b"ftyp"]
    for _, start, size in head:
        yield from _copy(file, start, size)
    file.seek(moov[1])
    yield _shifted(file.read(moov[2]), moov[2])
    for _, start, size in (box for box in media if box[0] != b"ftyp"):
        yield from _copy(file, start, size)


def _write(file: IO[bytes], frames: Iterable[av.VideoFrame], crf: int) -> None:
    prepare = _Preparation()
    stream: VideoStream | None = None
    with av.open(file, "w", format="mp4", options={"fflags": "+bitexact"}) as container:
        for position, frame in enumerate(frames):
            prepared = prepare(frame)
            if stream is None:
                stream = _add_stream(container, prepared, crf)
            # Decoded frames keep the type that the source gave them, and x264 would obey it.
            prepared.pict_type = 0
            prepared.pts = position
            prepared.time_base = Fraction(1, RATE)
            container.mux(stream.encode(prepared))
            if file.tell() > LARGEST_BYTES:
                raise MediaError("limit", f"an mp4 is limited to {LARGEST_BYTES >> 20} MiB: ask for less")
        if stream is not None:
            container.mux(stream.encode(None))


def _add_stream(container: av.container.OutputContainer, frame: av.VideoFrame, crf: int) -> VideoStream:
    is_fine = crf >= _FINE_FROM_CRF
    options = {
        "preset": "ultrafast",
        "crf": str(crf),
        "profile": "high",
        "x264-params": f"{_X264}:cabac={int(crf >= _CABAC_FROM_CRF)}"
        f":subme={int(is_fine)}:no-deblock={int(not is_fine)}",
    }
    stream = container.add_stream("libx264", rate=RATE, options=options)
    stream.width, stream.height = frame.width, frame.height
    stream.pix_fmt = "yuv420p"
    context = stream.codec_context
    context.time_base = Fraction(1, RATE)
    context.colorspace = int(frame.colorspace)
    context.color_range = int(frame.color_range)
    context.color_primaries = int(frame.color_primaries)
    context.color_trc = int(frame.color_trc)
    return stream


class _Preparation:
    """Turns frames into 8-bit 4:2:0 of even size, tagged with the matrix that was meant."""

    def __init__(self) -> None:
        self._reformatter = VideoReformatter()
        self._pad: Graph | None = None

    def __call__(self, frame: av.VideoFrame) -> av.VideoFrame:
        is_full = is_full_range(frame)
        is_rgb = frame.format.is_rgb
        matrix = (BT709 if frame.height >= 720 else BT601) if is_rgb else matrix_of(frame)
        planar = frame
        if frame.format.name not in {"yuv420p", "yuvj420p"}:
            planar = self._reformatter.reformat(
                frame,
                format="yuv420p",
                src_colorspace=matrix,
                dst_colorspace=matrix,
                src_color_range="JPEG" if is_full or is_rgb else "MPEG",
                dst_color_range="JPEG" if is_full and not is_rgb else "MPEG",
                threads=1,
            )
        even = self._even(planar)
        even.colorspace = matrix
        even.color_range = _RANGE[is_full and not is_rgb]
        return even

    def _even(self, frame: av.VideoFrame) -> av.VideoFrame:
        if not (frame.width % 2 or frame.height % 2):
            return frame
        if self._pad is None:
            self._pad = _pad_graph(frame)
        self._pad.vpush(frame)
        return self._pad.vpull()


def drawn_frame(pixels: Pixels, index: VideoIndex) -> av.VideoFrame:
    """An RGB picture in the colours and with the tags of the video whose frame it replaces."""
    frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
    frame.colorspace = index.colorspace
    matrix = matrix_of(frame)
    is_rgb = av.VideoFormat(index.pixel_format, 16, 16).is_rgb
    is_full = not is_rgb and (index.color_range == _RANGE[True] or index.pixel_format.startswith("yuvj"))
    drawn = frame.reformat(
        format="yuv420p",
        dst_colorspace=matrix,
        dst_color_range="JPEG" if is_full else "MPEG",
        threads=1,
    )
    drawn.colorspace, drawn.color_range = matrix, _RANGE[is_full]
    drawn.color_primaries, drawn.color_trc = index.color_primaries, index.color_trc
    return drawn


def _pad_graph(frame: av.VideoFrame) -> Graph:
    graph = Graph()
    source = graph.add_buffer(
        width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base
    )
    pad = graph.add("pad", "width=ceil(iw/2)*2:height=ceil(ih/2)*2")
    graph.link_nodes(source, pad, graph.add("buffersink"))
    graph.configure()
    return graph


def _boxes(file: IO[bytes]) -> Iterator[tuple[bytes, int, int]]:
    """Top-level boxes as (type, start, size)."""
    start = 0
    while True:
        file.seek(start)
        header = file.read(16)
        if len(header) < 8:
            return
        size, name = struct.unpack(">I4s", header[:8])
        if size == 1:
            (size,) = struct.unpack(">Q", header[8:16])
        yield name, start, size
        start += size


def _copy(file: IO[bytes], start: int, size: int) -> Iterator[bytes]:
    file.seek(start)
    while size:
        piece = file.read(min(size, _PIECE_BYTES))
        size -= len(piece)
        yield piece


def _shifted(moov: bytes, distance: int) -> bytes:
    """Adds `distance` to every chunk offset, as the media moves back by the size of the index."""
    shifted = bytearray(moov)
    for box, form in ((b"stco", ">I"), (b"co64", ">Q")):
        width = struct.calcsize(form)
        for table in _containers(moov, 8, len(moov), box):
            (count,) = struct.unpack_from(">I", moov, table + 12)
            for entry in range(table + 16, table + 16 + count * width, width):
                struct.pack_into(form, shifted, entry, struct.unpack_from(form, moov, entry)[0] + distance)
    return bytes(shifted)


def _containers(moov: bytes, start: int, end: int, wanted: bytes) -> Iterator[int]:
    """Starts of the boxes of one type below the boxes that lead to the sample tables."""
    while start + 8 <= end:
        size, name = struct.unpack_from(">I4s", moov, start)
        if name == wanted:
            yield start
        elif name in {b"trak", b"mdia", b"minf", b"stbl"}:
            yield from _containers(moov, start + 8, start + size, wanted)
        start += max(size, 8)
