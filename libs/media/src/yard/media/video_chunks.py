"""Jobs of child processes that make zip chunks, frames and previews of videos.

The sources are "index" (a video block) and "video". The argument `threads` bounds the threads of a kind;
without it there are as many as cores.
"""

from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from itertools import islice

import av
from yard.media.chunk_results import Encoded, Look, Result, of_pixels, preview
from yard.media.decode import Picture
from yard.media.decode_image import shrunk
from yard.media.encode_jpeg import FrameEncoder
from yard.media.encode_png import encode_png
from yard.media.framed import FrameWriter
from yard.media.job_host import Arguments, Host
from yard.media.placeholder import placeholder
from yard.media.video_index import VideoIndex
from yard.media.video_jpegs import Jpeg, opened_jpegs, opened_run
from yard.media.video_source import opened_source
from yard.media.zip_chunk import zip_frames, zip_stored

_NO_MATTER = 100
"""Quality of an encoder that makes no JPEGs."""


def video_zip(arguments: Arguments, host: Host) -> Result:
    """Frames `first` to `last` of a video as JPEGs of `quality` in a zip; each leaves once it is there."""
    with opened_jpegs(arguments, host) as (index, jpegs):
        corrupt: list[list[object]] = []
        for piece in zip_frames(_contents(jpegs, corrupt)):
            host.emit(piece)
        return _result(index, corrupt)


def video_png_zip(arguments: Arguments, host: Host) -> Result:
    """Frames `first` to `last` of a video as PNGs in a zip, decoded in one pass."""
    corrupt: list[list[object]] = []
    with opened_source(arguments, host) as (reader, frames), closing(reader.frames(frames)) as pictures:
        members = _pngs(pictures, reader.index, arguments["first"], corrupt)
        for piece in zip_stored(members):
            host.emit(piece)
        return _result(reader.index, corrupt)


def video_zip_run(arguments: Arguments, host: Host) -> Result:
    """As `video_zip`, for adjacent `chunks` (first and last of each), framed; all in one pass."""
    chunks: list[tuple[int, int]] = [(first, last) for first, last in arguments["chunks"]]
    spanned = {**arguments, "first": chunks[0][0], "last": chunks[-1][1]}
    writer = FrameWriter(host.emit)
    with opened_run(spanned, host) as (index, jpegs):
        for chunk, (first, last) in enumerate(chunks):
            corrupt: list[list[object]] = []
            for piece in zip_frames(_contents(islice(jpegs, last - first + 1), corrupt)):
                writer.content(chunk, piece)
            writer.end(chunk, _result(index, corrupt))
        return _result(index, [])


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


def _pngs(
    pictures: Iterable[Picture], index: VideoIndex, first: int, corrupt: list[list[object]]
) -> Iterator[tuple[str, bytes]]:
    """Names and contents; a placeholder that is noted where there are no pixels."""
    encoder = FrameEncoder(_NO_MATTER)
    for place, picture in enumerate(pictures):
        if picture.frame is None:
            corrupt.append([first + place, picture.reason])
            pixels = placeholder(index.width, index.height, first + place, picture.reason)
        else:
            pixels = encoder.to_rgb(picture.frame)
        yield f"{place:06d}.png", encode_png(pixels)


def _contents(jpegs: Iterable[Jpeg], corrupt: list[list[object]]) -> Iterator[bytes]:
    """Notes the damaged frames in passing."""
    for jpeg in jpegs:
        if jpeg.reason:
            corrupt.append([jpeg.frame, jpeg.reason])
        yield jpeg.content


def _result(index: VideoIndex, corrupt: list[list[object]]) -> Result:
    return {"width": index.width, "height": index.height, "corrupt": corrupt}


def _of_frame(frame: av.VideoFrame, look: Look, quality: int) -> Encoded:
    encoder = FrameEncoder(quality)
    if look == "jpeg":
        content, kind = encoder.encode(frame), "image/jpeg"
    elif look == "preview":
        return preview(shrunk(encoder.to_rgb(frame)))
    else:
        content, kind = encode_png(encoder.to_rgb(frame)), "image/png"
    return Encoded(content=content, content_type=kind, width=frame.width, height=frame.height)
