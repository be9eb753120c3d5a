from __future__ import annotations

import random

import pytest
from yard.media.name_column import NameColumn
from yard.media.name_order import Order, arranged, natural_key

NAMES = [b"", b"b2", b"b10", "ä".encode(), b"b2", b"a" * 300, b"b02", b"10", b"9"]


def test_a_column_holds_names_as_a_list_does() -> None:
    column = NameColumn(NAMES[:4])
    column.extend(NAMES[4:])
    column.extend([])
    assert [*column] == NAMES
    assert len(column) == len(NAMES)
    assert [column[number] for number in range(-9, 9)] == [NAMES[number] for number in range(-9, 9)]
    assert column[2:7:2] == NAMES[2:7:2]
    with pytest.raises(IndexError):
        column[9]


@pytest.mark.parametrize("order", ["natural", "lexicographical", "random"])
def test_many_names_are_put_in_order_by_runs(order: Order) -> None:
    """As sorting all at once would, with equal names in the order given."""
    names = [f"{number % 7}/{number % 45_000}.jpg".encode() for number in range(100_000)]
    random.Random(3).shuffle(names)
    key = natural_key if order == "natural" else bytes
    expected = sorted(range(len(names)), key=lambda place: key(names[place]))
    if order == "random":
        random.Random(5).shuffle(expected)
    assert [*arranged(NameColumn(names), order, 5)] == expected


@pytest.mark.parametrize("order", ["natural", "lexicographical", "predefined"])
def test_names_in_order_take_no_memory(order: Order) -> None:
    assert arranged([b"a1", b"a2", b"a3"], order, 0) == range(3)
