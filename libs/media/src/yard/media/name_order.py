"""Orders of many names, by keys that are bytes: a million fit into little memory."""

import random
import re
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Literal

Order = Literal["lexicographical", "natural", "predefined", "random"]

_NUMBER = re.compile(rb"([0-9]+)")


def arranged(names: Sequence[bytes], order: Order, seed: int) -> Sequence[int]:
    """Positions of the names (UTF-8) in frame order; random shuffles the lexicographical one by the seed."""
    # Most manifests are in order already, and a range takes no memory.
    is_arranged = order == "lexicographical" and all(a <= b for a, b in pairwise(names))
    if order == "predefined" or is_arranged:
        return range(len(names))
    positions = list(range(len(names)))
    key: Callable[[bytes], bytes] = natural_key if order == "natural" else bytes
    positions.sort(key=lambda position: key(names[position]))
    if order == "random":
        random.Random(seed).shuffle(positions)  # noqa: S311 - repeatable on purpose
    return positions


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
