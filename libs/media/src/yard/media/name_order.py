"""Orders of many names, by keys that are bytes: a million take a few bytes each besides the names."""

import heapq
import random
import re
from array import array
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Literal

Order = Literal["lexicographical", "natural", "predefined", "random"]

_RUN = 1 << 15
"""Names whose keys are in memory at the same time."""
_NUMBER = re.compile(rb"([0-9]+)")


def arranged(names: Sequence[bytes], order: Order, seed: int) -> Sequence[int]:
    """Positions of the names (UTF-8) in frame order; random shuffles the lexicographical one by the seed."""
    key: Callable[[bytes], bytes] = natural_key if order == "natural" else bytes
    # Most manifests are in order already, and a range takes no memory.
    is_arranged = order != "random" and all(a <= b for a, b in pairwise(map(key, names)))
    if order == "predefined" or is_arranged:
        return range(len(names))
    positions = _merged(names, key)
    if order == "random":
        random.Random(seed).shuffle(positions)  # noqa: S311 - repeatable on purpose
    return positions


def _merged(names: Sequence[bytes], key: Callable[[bytes], bytes]) -> "array[int]":
    """Positions in the order of the keys, by runs that are sorted one after the other and then merged."""

    def key_at(position: int) -> bytes:
        return key(names[position])

    starts = range(0, len(names), _RUN)
    runs = [array("I", sorted(range(start, min(start + _RUN, len(names))), key=key_at)) for start in starts]
    return array("I", heapq.merge(*runs, key=key_at))


def natural_key(name: bytes) -> bytes:
    """Numbers inside count as numbers: by length without leading zeros, then by digits; ties by code points.

    A part of text ends with a byte that is less than all of text, so that a shorter text comes first.
    """
    key = bytearray()
    for place, part in enumerate(_NUMBER.split(name)):
        if place % 2:
            digits = part.lstrip(b"0")
            key += b"\x01" + len(digits).to_bytes(4, "big") + digits
        else:
            key += part + b"\x00"
    return bytes(key + b"\x00" + name)
