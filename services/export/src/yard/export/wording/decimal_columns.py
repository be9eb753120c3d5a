"""Many decimal numbers out of text at once, each the same as `float` makes of it.

A number of 15 digits at most and the power of ten below it are exact, so their quotient is the nearest
double.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_COMMA, _MINUS, _DOT, _ZERO, _NEWLINE = b",-.0\n"
_MOST_DIGITS = 15
_STEP = 4
_POWERS = 10.0 ** np.arange(_MOST_DIGITS + 1)
_LIMITS = 10 ** np.arange(_STEP + 1)


def parsed(text: bytes) -> Floats | None:
    """The numbers between commas and ends of lines; None if any is not plainly written, or long."""
    bytes_ = np.frombuffer(text, np.uint8)
    digits = bytes_ - _ZERO
    is_digit = digits < 10
    ends = np.flatnonzero((bytes_ == _COMMA) | (bytes_ == _NEWLINE))
    others = len(text) - int(np.count_nonzero(is_digit)) - len(ends)
    if text[-1:] not in (b",", b"\n"):
        ends = np.append(ends, len(text))
    begins = np.empty_like(ends)
    begins[0] = 0
    begins[1:] = ends[:-1] + 1
    counts = ends - begins
    decimals, signs = np.zeros(len(ends), np.int64), np.zeros(0, np.int64)
    if others:
        dots = np.flatnonzero(bytes_ == _DOT)
        owners = np.searchsorted(ends, dots)
        decimals[owners] = ends[owners] - dots - 1
        counts[owners] -= 1
        if len(dots) < others:
            signs = np.flatnonzero(bytes_[np.minimum(begins, len(text) - 1)] == _MINUS)
            counts[signs] -= 1
        if len(dots) + len(signs) < others or (np.diff(owners) == 0).any():
            return None
    if counts.min() < 1 or counts.max() > _MOST_DIGITS:
        return None
    numbers = _whole(digits[is_digit], counts) / _POWERS[decimals]
    numbers[signs] *= -1
    return numbers


def table_of(text: bytes) -> Floats | None:
    """Lines with equally many numbers each as rows; None too if they have not."""
    numbers = parsed(text)
    if numbers is None:
        return None
    width = text.count(b",", 0, text.find(b"\n") if b"\n" in text else None) + 1
    bytes_ = np.frombuffer(text, np.uint8)
    is_end = bytes_[(bytes_ == _COMMA) | (bytes_ == _NEWLINE)] == _NEWLINE
    if len(is_end) < len(numbers):
        is_end = np.append(is_end, True)
    if len(is_end) % width:
        return None
    ends = is_end.reshape(-1, width)
    is_even = ends[:, -1].all() and not ends[:, :-1].any()
    return numbers.reshape(-1, width) if is_even else None


def _whole(digits: NDArray[np.uint8], counts: NDArray[np.int64]) -> Floats:
    """Runs of digits as numbers: four digits at a time, from the last ones on."""
    most = int(counts.max())
    padded = np.zeros(len(digits) + _MOST_DIGITS + 1, np.int16)
    padded[_MOST_DIGITS + 1 :] = digits
    pairs = padded[:-1] * 10 + padded[1:]
    fours = pairs[:-2] * 100 + pairs[2:]
    places = np.cumsum(counts) + (_MOST_DIGITS + 1 - _STEP)
    numbers = (fours[places] % _LIMITS[np.minimum(counts, _STEP)]).astype(np.float64)
    for done in range(_STEP, most, _STEP):
        rows = np.flatnonzero(counts > done)
        higher = fours[places[rows] - done] % _LIMITS[np.minimum(counts[rows] - done, _STEP)]
        numbers[rows] += higher * _POWERS[done]
    return numbers
