"""The order of image frames."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from frameyard.media.v1 import media_pb2
from frameyard.media.v1.media_pb2 import SortingMethod
from yard.media.name_column import NameColumn
from yard.media.name_order import Order, arranged
from yard.media_ingest.domain.arranged import Arranged

T = TypeVar("T")


def order_of(names: Sequence[bytes], method: SortingMethod.ValueType, seed: int) -> Sequence[int]:
    """Positions of the names (UTF-8) in frame order; random shuffles the lexicographical one by the seed."""
    return arranged(names, _ORDERS.get(method, "lexicographical"), seed)


def ordered(
    items: Sequence[T], method: SortingMethod.ValueType, seed: int, name: Callable[[T], str]
) -> Arranged[T]:
    """The items in frame order; random shuffles the lexicographical order by the seed."""
    names = NameColumn(name(item).encode("utf-8", "surrogatepass") for item in items)
    return Arranged(items, order_of(names, method, seed))


_ORDERS: Mapping[SortingMethod.ValueType, Order] = {
    media_pb2.SORTING_METHOD_NATURAL: "natural",
    media_pb2.SORTING_METHOD_PREDEFINED: "predefined",
    media_pb2.SORTING_METHOD_RANDOM: "random",
}
