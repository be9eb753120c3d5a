"""Where the frames of a video are split, so that threads with decoders of their own can share them."""

from collections.abc import Sequence

import numpy as np
from yard.media.video_index import VideoIndex

LEAST_FRAMES = 24
"""Of a part: each begins with a seek."""
LEAST_PARTS = 3
"""For each thread: with fewer, some would have nothing to do at the end."""


def closed_parts(index: VideoIndex, frames: Sequence[int], threads: int) -> list[range]:
    """Splits ascending frame numbers, by their positions, at groups of pictures that need no other group.

    Empty if that does not pay: groups are too long or refer to one another, or there is one thread.
    """
    if threads == 1 or index.is_open_gop or index.is_broken or index.matching != "pts":
        return []
    groups = np.searchsorted(index.keyframes[:, 0], index.pts[list(frames)], side="right")
    starts = [0]
    for position in (np.flatnonzero(np.diff(groups)) + 1).tolist():
        if position - starts[-1] >= LEAST_FRAMES:
            starts.append(position)
    if len(starts) < LEAST_PARTS * threads:
        return []
    return [range(start, end) for start, end in zip(starts, [*starts[1:], len(frames)], strict=True)]
