"""Jobs of child processes that make zip chunks, frames and previews of videos.

The sources are "index" (a video block) and "video". The argument `threads` bounds the threads of a kind;
without it there are as many as cores.
"""

from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import count, islice
from threading import local

import av
from yard.media.chunk_results import Arguments, Encoded, Host, Look, Result, of_pixels, preview
from yard.media.cores import threads_for
from yard.media.decode import Picture, VideoReader
from yard.media.decode_image import shrunk
from yard.media.encode_jpeg import FrameEncoder, check_quality, encode_rgb
from yard.media.encode_png import encode_png
from yard.media.framed import FrameWriter
from yard.media.parallel import first_at_once
from yard.media.placeholder import placeholder
from yard.media.video_source import opened_source
from yard.media.zip_chunk import zip_frames


def video_zip(arguments: Arguments, host: Host) -> Result:
    """Frames `first` to `last` of a video as JPEGs of `quality` in a zip; each leaves once it is there."""
    with opened_source(arguments, host) as (reader, frames), closing(reader.frames(frames)) as pictures:
        corrupt: list[list[object]] = []
        for piece in zip_frames(_contents(_jpegs(arguments, reader, pictures), corrupt)):
            host.emit(piece)
        return _result(reader, corrupt)


def video_zip_run(arguments: Arguments, host: Host) -> Result:
    """As `video_zip`, for adjacent `chunks` (first and last of each), framed, in one pass of the decoder."""
    chunks: list[tuple[int, int]] = [(first, last) for first, last in arguments["chunks"]]
    spanned = {**arguments, "first": chunks[0][0], "last": chunks[-1][1]}
    writer = FrameWriter(host.emit)
    with opened_source(spanned, host) as (reader, frames), closing(reader.frames(frames)) as pictures:
        jpegs = _jpegs(spanned, reader, pictures)
        for chunk, (first, last) in enumerate(chunks):
            corrupt: list[list[object]] = []
            for piece in zip_frames(_contents(islice(jpegs, last - first + 1), corrupt)):
                writer.content(chunk, piece)
            writer.end(chunk, _result(reader, corrupt))
        return _result(reader, [])


def video_frame(arguments: Arguments, host: Host) -> Result:
    """Frame `first` of a video as `look` says."""
    look, quality, number = arguments["look"], arguments["quality"], arguments["first"]
    with opened_source(arguments, host) as (reader, frames), closing(reader.frames(frames[:1])) as pictures:
        picture = next(pictures)
        if picture.frame is None:
            drawn = placeholder(reader.index.width, reader.index.height, number, picture.reason)
            encoded = of_pixels(drawn, look, quality)
            encoded = replace(encoded, corrupt=((number, picture.reason),))
        else:
            encoded = _of_frame(picture.frame, look, quality)
    host.emit(encoded.content)
    return encoded.result()


@dataclass(frozen=True, slots=True)
class _Jpeg:
    """A relative frame number and its picture; a placeholder has the reason for it."""

    frame: int
    content: bytes
    reason: str


def _jpegs(arguments: Arguments, reader: VideoReader, pictures: Iterable[Picture]) -> Iterator[_Jpeg]:
    quality = check_quality(arguments["quality"])
    width, height = reader.index.width, reader.index.height
    encoders = local()

    def encode(numbered: tuple[int, Picture]) -> _Jpeg:
        number, picture = numbered
        if picture.frame is None:
            drawn = placeholder(width, height, number, picture.reason)
            return _Jpeg(number, encode_rgb(drawn, quality), picture.reason)
        if not hasattr(encoders, "own"):
            encoders.own = FrameEncoder(quality)
        return _Jpeg(number, encoders.own.encode(picture.frame), "")

    threads = threads_for(width * height, arguments.get("threads", 0))
    return first_at_once(encode, zip(count(arguments["first"]), pictures, strict=False), threads)


def _contents(jpegs: Iterable[_Jpeg], corrupt: list[list[object]]) -> Iterator[bytes]:
    """Notes the damaged frames in passing."""
    for jpeg in jpegs:
        if jpeg.reason:
            corrupt.append([jpeg.frame, jpeg.reason])
        yield jpeg.content


def _result(reader: VideoReader, corrupt: list[list[object]]) -> Result:
    return {"width": reader.index.width, "height": reader.index.height, "corrupt": corrupt}


def _of_frame(frame: av.VideoFrame, look: Look, quality: int) -> Encoded:
    encoder = FrameEncoder(quality)
    if look == "jpeg":
        content, kind = encoder.encode(frame), "image/jpeg"
    elif look == "preview":
        return preview(shrunk(encoder.to_rgb(frame)))
    else:
        content, kind = encode_png(encoder.to_rgb(frame)), "image/png"
    return Encoded(content=content, content_type=kind, width=frame.width, height=frame.height)
