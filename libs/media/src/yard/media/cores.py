"""How many threads work on one media at a time: as many as there are cores, fewer for huge pictures."""

import os

_MOST = 8
"""More of them wait for one another."""
_PIXELS_IN_FLIGHT = 100_000_000
"""Every thread holds a picture: twelve of 4K, three of 8K."""


def threads_for(pixels: int, threads: int = 0) -> int:
    """Threads for pictures of so many pixels; `threads` is the most if it is not 0."""
    most = threads or min(_MOST, os.cpu_count() or 1)
    return max(1, min(most, _PIXELS_IN_FLIGHT // max(1, pixels)))
