"""Where a video may be cut without decoding it: runs of frames that are whole closed groups of pictures.

This is the part of the decision to copy that the index alone can make; `gop_copy` makes the rest while it
reads the packets.
"""

import numpy as np
from yard.media.video_index import VideoIndex

COPYABLE_CODECS = frozenset({"h264", "hevc", "vp9", "libvpx-vp9", "av1", "libdav1d", "libaom-av1"})
"""What mp4 holds and players read, by the names that decoders have."""
EXACT_CONTAINERS = ("mov", "matroska")
"""Those that hold the parameters of the stream apart from its packets, and true time stamps."""


def is_copyable(index: VideoIndex) -> bool:
    """Whether packets of the video may be passed on at all.

    Refused are turned pictures (players differ in that), open groups (their first pictures need
    the group before), damaged files, and frames that can only be found by counting.
    """
    return (
        index.codec in COPYABLE_CODECS
        and index.container.startswith(EXACT_CONTAINERS)
        and index.matching == "pts"
        and not (index.rotation or index.is_open_gop or index.is_broken)
    )


def starts_group(index: VideoIndex, frame: int) -> bool:
    """Whether nothing before `frame` is needed from it on; the frame behind the last one starts one, too."""
    if frame == index.frames:
        return True
    return 0 <= frame < index.frames and bool(
        index.keyframes[index.keyframe_of(frame), 0] == index.pts[frame]
    )


def is_whole_run(index: VideoIndex, first: int, last: int) -> bool:
    """Whether both edges of the frames `first` to `last` of the source are edges of groups."""
    return first <= last < index.frames and starts_group(index, first) and starts_group(index, last + 1)


def covering_run(index: VideoIndex, start: int, first: int, last: int, size: int) -> tuple[int, int] | None:
    """The smallest run of whole closed groups around frames `first` to `last` of a task of step 1.

    All numbers are relative to the task, which has `size` frames from frame `start` of the source on; the run
    lies within them. None if there is none, or if the video may not be copied.
    """
    if not is_copyable(index) or not 0 <= first <= last < size:
        return None
    if not 0 <= start <= start + last < index.frames:
        return None
    low = index.keyframe_of(start + first)
    begin = int(np.searchsorted(index.pts, index.keyframes[low, 0]))
    after = index.keyframe_of(start + last) + 1
    end = index.frames
    if after < len(index.keyframes):
        end = int(np.searchsorted(index.pts, index.keyframes[after, 0]))
    if begin < start or end > start + size or not is_whole_run(index, begin, end - 1):
        return None
    return begin - start, end - 1 - start
