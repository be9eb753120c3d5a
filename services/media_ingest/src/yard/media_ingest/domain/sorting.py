"""The order of image frames."""

import random
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from frameyard.media.v1 import media_pb2
from frameyard.media.v1.media_pb2 import SortingMethod

T = TypeVar("T")

_NUMBER = re.compile(r"([0-9]+)")


def ordered(
    items: Sequence[T], method: SortingMethod.ValueType, seed: int, name: Callable[[T], str]
) -> list[T]:
    """The items in frame order; random shuffles the lexicographical order by the seed."""
    if method == media_pb2.SORTING_METHOD_PREDEFINED:
        return list(items)
    key = _KEYS.get(method, _lexicographical)
    arranged = sorted(items, key=lambda item: key(name(item)))
    if method == media_pb2.SORTING_METHOD_RANDOM:
        random.Random(seed).shuffle(arranged)  # noqa: S311 - repeatable on purpose
    return arranged


def _lexicographical(name: str) -> tuple[object, ...]:
    return (name,)


def _natural(name: str) -> tuple[object, ...]:
    """Text and numbers alternate, text first; equal up to leading zeros goes by code points."""
    parts = _NUMBER.split(name)
    return tuple(int(part) if place % 2 else part for place, part in enumerate(parts)), name


_KEYS: Mapping[SortingMethod.ValueType, Callable[[str], tuple[object, ...]]] = {
    media_pb2.SORTING_METHOD_NATURAL: _natural,
}
