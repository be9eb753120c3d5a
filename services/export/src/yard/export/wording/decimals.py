"""Boxes as a corner and a size: sums of short decimals are seldom as short, 0.1 + 0.2 is not 0.3."""

import math
from collections.abc import Sequence

SIXTH_DECIMAL = 1e6
# More than the error of a sum of two numbers of the size of a picture.
NOISE = 1e-11
LARGE = 1e9


def corner(start: float, size: float) -> float:
    """The other end; one of at most six decimals comes out as it was meant."""
    end = start + size
    if -LARGE < end < LARGE:
        short = round(end * SIXTH_DECIMAL) / SIXTH_DECIMAL
        if -NOISE < short - end < NOISE:
            return short
    return end


def size_between(start: float, end: float) -> float:
    """A size for which `corner` gives the end, if there is one; rather one of few decimals."""
    size = end - start
    short = math.floor(size * SIXTH_DECIMAL + 0.5) / SIXTH_DECIMAL
    # Most ends are decimals already: this is the rule of `corner` without its cost.
    if start + short == end or corner(start, short) == end:
        return short
    near = (size, math.nextafter(size, -math.inf), math.nextafter(size, math.inf))
    return next((one for one in near if corner(start, one) == end), size)


def finite_or_nan(text: str | None) -> float:
    """The number that a text is; NaN for everything else, also for what only Python takes for a number."""
    try:
        number = float(text or "")
    except ValueError:
        return math.nan
    return number if math.isfinite(number) and "_" not in (text or "") else math.nan


def all_finite(texts: Sequence[str | None]) -> list[float] | None:
    """The numbers that texts are; None unless `finite_or_nan` knows all, asked for one by one."""
    try:
        numbers = list(map(float, texts))  # type: ignore[arg-type]
        whole = "".join(texts)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    return numbers if "_" not in whole and all(map(math.isfinite, numbers)) else None
