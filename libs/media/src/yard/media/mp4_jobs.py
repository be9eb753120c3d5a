"""The job of child processes that makes mp4 chunks of videos, from the sources "index" and "video"."""

from contextlib import closing

from yard.media.chunk_results import Arguments, Host, Result
from yard.media.mp4_chunk import encode_mp4
from yard.media.video_source import opened_source


def video_mp4(arguments: Arguments, host: Host) -> Result:
    """Frames `first` to `last` of a video as H.264 with the constant rate factor `crf`."""
    with opened_source(arguments, host) as (reader, frames), closing(reader.frames(frames)) as pictures:
        for piece in encode_mp4((picture.frame for picture in pictures), arguments["crf"]):
            host.emit(piece)
        return {"width": reader.index.width, "height": reader.index.height, "corrupt": []}
