"""Which chunks of media are made in one go: enough to pay, few enough to share, cut where decoding begins."""

from collections.abc import Iterator
from math import ceil

import numpy as np
from numpy.typing import NDArray
from yard.chunking.domain import Frames, Media
from yard.media.selection import FrameSelection
from yard.media.video_index import VideoIndex

VIDEO_FRAMES = 300
"""Frames of a run of a video: its opening and the frames before its first one are little beside them."""

LEAST_VIDEO_FRAMES = 90
SHARERS = 4
"""A video that is too short for so many runs of `VIDEO_FRAMES` has shorter ones, for workers to share."""

IMAGES = 96
"""Images of a run, whose addresses all travel in one call."""

MOST_IMAGES = 2_000
MOST_RUNS = 1_000
MOST_CHUNKS = 4_096
"""Of a run of a video without key frames."""

_AFFORDABLE = 4
"""A run may decode a quarter of its least frames in vain."""


def image_runs(media: Media) -> Iterator[Frames]:
    """Runs of images: of equal length."""
    images = min(MOST_IMAGES, max(IMAGES, media.size // MOST_RUNS))
    chunks = max(1, images // media.chunk_size)
    for first in range(0, media.chunk_count, chunks):
        yield _frames(media, first, min(first + chunks, media.chunk_count))


def video_runs(media: Media, index: VideoIndex, selection: FrameSelection) -> Iterator[Frames]:
    """Runs of a video: each begins at the chunk that has the fewest frames to decode before its first one."""
    lost = _lost(media, index, selection)
    fair = max(LEAST_VIDEO_FRAMES, media.size // SHARERS)
    frames = max(min(VIDEO_FRAMES, fair), media.size // MOST_RUNS)
    least = min(MOST_CHUNKS // 2, ceil(frames / media.chunk_size))
    affordable = frames * selection.step // _AFFORDABLE
    first = 0
    while first < media.chunk_count:
        end = _end(lost, first + least, least, affordable)
        end = min(end, first + MOST_CHUNKS)
        yield _frames(media, first, end)
        first = end


def _lost(media: Media, index: VideoIndex, selection: FrameSelection) -> NDArray[np.int64]:
    """For each chunk, the frames of the source that are decoded in vain where decoding begins with it."""
    firsts = np.array(
        [selection.absolute(media.chunk(number).first) for number in range(media.chunk_count)], np.int64
    )
    begins = np.searchsorted(index.pts, index.keyframes[:, 0])
    before = np.searchsorted(begins, firsts, side="right") - 1
    return np.asarray(firsts - begins[np.maximum(before, 0)], np.int64)


def _end(lost: NDArray[np.int64], start: int, length: int, affordable: int) -> int:
    """The best chunk to begin the next run with, from `start` on; the number of chunks if there is none."""
    # What is left behind it is a run of its own.
    near = lost[start : min(start + length, len(lost) - length + 1)]
    if not len(near):
        return len(lost)
    if near.min() <= affordable:
        return start + int(near.argmin())
    later = np.flatnonzero(lost[start + length :] <= affordable)
    return start + length + int(later[0]) if len(later) else len(lost)


def _frames(media: Media, first: int, end: int) -> Frames:
    """Of chunks `first` to `end` - 1."""
    return Frames(first=media.chunk(first).first, last=media.chunk(end - 1).last)
