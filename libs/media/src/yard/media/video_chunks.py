"""Jobs of child processes that make zip chunks, frames and previews of videos.

The sources are "index" (a video block) and "video".
"""

from contextlib import closing
from threading import local

import av
from yard.media.chunk_results import Arguments, Encoded, Host, Look, Result, preview
from yard.media.decode import Picture
from yard.media.decode_image import shrunk
from yard.media.encode_jpeg import FrameEncoder
from yard.media.encode_png import encode_png
from yard.media.parallel import in_order
from yard.media.video_source import opened_source
from yard.media.zip_chunk import zip_frames

_THREADS = 2


def video_zip(arguments: Arguments, host: Host) -> Result:
    """Frames `first` to `last` of a video as JPEGs of `quality` in a zip; each leaves once it is there."""
    encoders = local()

    def encode(picture: Picture) -> bytes:
        if not hasattr(encoders, "own"):
            encoders.own = FrameEncoder(arguments["quality"])
        content: bytes = encoders.own.encode(picture.frame)
        return content

    with opened_source(arguments, host) as (reader, frames), closing(reader.frames(frames)) as pictures:
        for piece in zip_frames(in_order(encode, pictures, _THREADS)):
            host.emit(piece)
        return {"width": reader.index.width, "height": reader.index.height, "corrupt": []}


def video_frame(arguments: Arguments, host: Host) -> Result:
    """Frame `first` of a video as `look` says."""
    with opened_source(arguments, host) as (reader, frames), closing(reader.frames(frames[:1])) as pictures:
        frame = next(pictures).frame
        encoded = _of_frame(frame, arguments["look"], arguments["quality"])
    host.emit(encoded.content)
    return encoded.result()


def _of_frame(frame: av.VideoFrame, look: Look, quality: int) -> Encoded:
    encoder = FrameEncoder(quality)
    size = {"width": frame.width, "height": frame.height}
    match look:
        case "preview":
            return preview(shrunk(encoder.to_rgb(frame)))
        case "png" | "original":
            content = encode_png(encoder.to_rgb(frame))
            return Encoded(content=content, content_type="image/png", **size)
        case "jpeg":
            return Encoded(content=encoder.encode(frame), content_type="image/jpeg", **size)
