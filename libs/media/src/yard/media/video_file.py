"""Opening of untrusted videos, so that nothing but their own bytes is ever read.

FFmpeg finds the container by content and knows several that refer to other files or addresses (playlists,
concatenations, session descriptions, image sequences): none of them is in the list here, and every protocol
is shut.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

import av
from av.container import InputContainer
from av.video.stream import VideoStream
from yard.media.completeness import missing
from yard.media.errors import MediaError

LARGEST_PIXELS = 100_000_000
"""Of one picture; 12K is 80 million."""
CONTAINERS = (
    *("mov", "matroska", "avi", "mpegts", "mpeg", "mpegvideo", "flv", "asf", "ivf", "ogg"),
    *("yuv4mpegpipe", "h264", "hevc"),
)

DECODER_OPTIONS = {"max_pixels": str(LARGEST_PIXELS)}
"""Of every decoder: it refuses pictures that grow beyond it within the stream."""
_OPTIONS = {"format_whitelist": ",".join(CONTAINERS), "protocol_whitelist": "none", **DECODER_OPTIONS}
_WITHOUT_LOOKING = {"codec_whitelist": "none", "probesize": "32"}
"""FFmpeg decodes nothing while it opens a file, which costs more than the first picture itself."""
_STREAM_OPTIONS = {"skip_loop_filter": "all", "skip_idct": "all"}
"""Pictures that FFmpeg decodes while it opens a file only tell their order: nobody looks at them."""
_WITH_HEADER = ("mov", "matroska")
"""Containers that name their streams before any packet, which such options need."""
_WITHOUT_REORDERING = frozenset({"vp8", "vp9", "libvpx", "libvpx-vp9", "av1", "libdav1d", "libaom-av1"})
_REFUSED = "is of a container format that is not read, or its header makes no sense"


def tells_all(container: str, codec: str) -> bool:
    """Whether header and packets tell the time of every picture, so that none must be looked at for it.

    Matroska may hold times of decoding alone, which say when a picture is shown only if none is reordered.
    """
    return container.startswith("mov") or (container.startswith("matroska") and codec in _WITHOUT_REORDERING)


@contextmanager
def opened_video(
    file: BinaryIO, name: str, known: str = "", *, is_unseen: bool = False
) -> Iterator[tuple[InputContainer, VideoStream]]:
    """Opens the container and its first video stream that is not a cover picture; closes both at the end.

    Where the kind of container is known, opening may be cheaper. With `is_unseen`, for files that `tells_all`
    is true of, no picture is decoded meanwhile; the stream knows what the header says, perhaps no size.
    """
    file.seek(0)
    options = _OPTIONS | (_WITHOUT_LOOKING if is_unseen else {})
    # PyAV's annotation names strings, but takes dictionaries.
    stream_options: list[Any] = [dict(_STREAM_OPTIONS)] if known.startswith(_WITH_HEADER) else []
    try:
        container = av.open(file, "r", options=options, stream_options=stream_options)
    except av.ArgumentError as error:
        raise MediaError("unsupported", _REFUSED, name) from error
    except av.FFmpegError as error:
        if lack := missing(file):
            raise MediaError("truncated", lack, name) from error
        raise MediaError("invalid_media", f"cannot be opened as a video ({error.strerror})", name) from error
    except ValueError as error:
        # It has no streams at all, so that they cannot have options.
        raise MediaError("unsupported", _REFUSED, name) from error
    try:
        yield container, _video_stream(container, name)
    finally:
        container.close()


def pictures(container: InputContainer, stream: VideoStream) -> Iterator[av.VideoFrame]:
    """Decodes from where the container stands to the end; packets that do not decode are passed over."""
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
            yield from packet.decode()
        except StopIteration:
            return
        except av.EOFError:
            return
        except av.InvalidDataError:
            continue


def _video_stream(container: InputContainer, name: str) -> VideoStream:
    for stream in container.streams.video:
        if not stream.disposition & av.stream.Disposition.attached_pic:
            _check_size(stream.codec_context.width, stream.codec_context.height, name)
            return stream
    raise MediaError("unsupported", "has no video stream", name)


def _check_size(width: int, height: int, name: str) -> None:
    if width * height > LARGEST_PIXELS:
        raise MediaError(
            "limit", f"has pictures of {width}x{height} pixels, more than {LARGEST_PIXELS:,}", name
        )
