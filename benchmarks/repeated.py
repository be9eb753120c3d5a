"""Long videos that cost no encoding: a short one, many times."""

from pathlib import Path

import av


def repeat(part: Path, path: Path, *, times: int, seconds: int) -> None:
    """The packets of an MP4 file that lasts so many seconds, again and again, with later and later times."""
    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as target:
        out = None
        for repetition in range(times):
            with av.open(str(part)) as source:
                stream = source.streams.video[0]
                out = out or target.add_stream_from_template(stream)
                assert stream.time_base is not None
                shift = int(repetition * seconds / stream.time_base)
                for packet in source.demux(stream):
                    if packet.pts is not None and packet.dts is not None:
                        packet.pts, packet.dts, packet.stream = packet.pts + shift, packet.dts + shift, out
                        target.mux(packet)
