"""Names found by their hashes, and numbers read together."""

import math

from hypothesis import given
from hypothesis import strategies as st
from yard.export.wording.decimals import all_finite, finite_or_nan
from yard.export.wording.hashes import MOST_FOUND, HashIndex


@given(st.lists(st.text(max_size=3)))
def test_numbers_come_back_in_the_order_in_which_they_were_added(names: list[str]) -> None:
    index = HashIndex()
    for number, name in enumerate(names):
        index.add(name, number)
    for wanted in [*names, "none has this name"]:
        numbers = [number for number, name in enumerate(names) if name == wanted]
        assert index.find(wanted) == numbers[:MOST_FOUND]
    again = index.repeated()
    assert (again >= 0) == (len(set(names)) < len(names))
    assert again < 0 or names[again] in names[:again]


@given(st.lists(st.sampled_from(["1", "2.5", " 3", "1e5", "nan", "inf", "1_0", "", "x", None])))
def test_numbers_are_read_together_as_one_by_one(texts: list[str | None]) -> None:
    numbers = [finite_or_nan(text) for text in texts]
    assert all_finite(texts) == (None if any(map(math.isnan, numbers)) else numbers)
