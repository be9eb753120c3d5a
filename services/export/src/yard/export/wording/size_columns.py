"""The sums and differences of `decimals` for many boxes at once, the same to the bit."""

import numpy as np
from numpy.typing import NDArray
from yard.export.wording.decimals import LARGE, NOISE, SIXTH_DECIMAL, size_between

Floats = NDArray[np.float64]


def corners(starts: Floats, sizes: Floats) -> Floats:
    """`decimals.corner` of each."""
    ends = starts + sizes
    short = np.rint(ends * SIXTH_DECIMAL) / SIXTH_DECIMAL
    is_meant = (np.abs(ends) < LARGE) & (np.abs(short - ends) < NOISE)
    return np.where(is_meant, short, ends)


def sizes_between(starts: Floats, ends: Floats) -> Floats:
    """`decimals.size_between` of each."""
    sizes: Floats = np.floor((ends - starts) * SIXTH_DECIMAL + 0.5) / SIXTH_DECIMAL
    others = np.nonzero((starts + sizes != ends) & (corners(starts, sizes) != ends))
    if len(others[0]):
        pairs = zip(starts[others].tolist(), ends[others].tolist(), strict=True)
        sizes[others] = [size_between(start, end) for start, end in pairs]
    return sizes
