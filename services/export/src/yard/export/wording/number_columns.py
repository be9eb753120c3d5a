"""Rows of numbers as text, a whole block at a time: several times faster than Python writes one by one.

Numbers become whole hundredths, whose digits come from tables; those that are none are written by orjson, or
by Python where that would write an exponent. The text is the same as Python's in any case.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

_HUNDRED, _DIGITS = 100, 10_000
# Of hundredths: eight digits before the point, far from where doubles hold no more fractions.
_MOST = 1e10
# So close to the middle between two hundredths the product does not tell which one is nearer.
_MIDDLE = 0.499
# What is as small or as large as this may be written with an exponent.
_LEAST, _LARGEST = 1e-3, 1e15
_PAD, _END = "\0", "\n"


def _table(texts: list[str]) -> NDArray[np.uint32]:
    """Texts of four characters at most, padded on the left."""
    return np.frombuffer("".join(text.rjust(4, _PAD) for text in texts).encode(), np.uint32)


def _fractions(texts: list[str]) -> NDArray[np.uint32]:
    """Fractions with what follows them: a comma, or the end of the row."""
    return np.stack([_table([text + end for text in texts]) for end in (",", _END)])


# Four digits as a number, then with all their zeros for those that have more before them.
_WHOLE = _table([*map(str, range(_DIGITS)), *(f"{number:04}" for number in range(_DIGITS))])
_HIGHER = _table(["", *map(str, range(1, _DIGITS))])
_TWO = _fractions([f".{number:02}" for number in range(_HUNDRED)])
_SHORTEST = _fractions([f".{number:02}".rstrip("0").ljust(2, "0") for number in range(_HUNDRED)])


def in_full(rows: Floats) -> list[str]:
    """The numbers of each row as `repr` writes them, with commas between them."""
    with np.errstate(over="ignore", invalid="ignore"):
        hundredths = np.rint(rows * _HUNDRED)
    fit = (hundredths / _HUNDRED == rows) & ~np.signbit(rows) & (hundredths < _MOST)
    return _texts(rows, hundredths, fit, _SHORTEST, _in_full)


def to_hundredths(rows: Floats) -> list[str]:
    """The numbers of each row with two decimals, with commas between them; none is a minus zero."""
    with np.errstate(over="ignore", invalid="ignore"):
        scaled = rows * _HUNDRED
        hundredths = np.rint(scaled)
        fit = np.abs(scaled - hundredths) < _MIDDLE
    fit &= (hundredths >= 0) & (hundredths < _MOST)
    return _texts(rows, hundredths, fit, _TWO, _to_hundredths)


def _in_full(rows: Floats) -> Sequence[str]:
    sizes = np.abs(rows)
    if ((sizes < _LEAST) & (sizes > 0)).any() or not (sizes < _LARGEST).all():
        pattern = ",".join(["%r"] * rows.shape[1])
        return [pattern % tuple(row) for row in rows.tolist()]
    text = orjson.dumps(np.ascontiguousarray(rows), option=orjson.OPT_SERIALIZE_NUMPY).decode()
    return text[2:-2].split("],[")


def _to_hundredths(rows: Floats) -> Sequence[str]:
    return [",".join(map("{:z.2f}".format, row)) for row in rows.tolist()]


def _texts(
    rows: Floats,
    hundredths: Floats,
    fit: Flags,
    fractions: NDArray[np.uint32],
    text: Callable[[Floats], Sequence[str]],
) -> list[str]:
    if not len(rows):
        return []
    others = np.flatnonzero(~fit.all(axis=1))
    if len(others) == len(rows):
        return list(text(rows))
    if len(others):
        hundredths[others] = 0
    texts = _joined(hundredths.astype(np.int64), fractions)
    if len(others):
        for place, written in zip(others.tolist(), text(rows[others]), strict=True):
            texts[place] = written
    return texts


def _joined(hundredths: NDArray[np.int64], fractions: NDArray[np.uint32]) -> list[str]:
    whole = hundredths // _HUNDRED
    rest = hundredths - whole * _HUNDRED
    parts: list[NDArray[Any]] = []
    if whole.max() >= _DIGITS:
        higher = whole // _DIGITS
        whole -= higher * _DIGITS
        whole[higher > 0] += _DIGITS
        parts.append(_HIGHER[higher])
    parts.append(_WHOLE[whole])
    parts.append(fractions[0][rest])
    parts[-1][:, -1] = fractions[1][rest[:, -1]]
    content = np.stack(parts, axis=-1).tobytes().translate(None, _PAD.encode())
    return content.decode().split(_END)[:-1]
