"""Numbers that are read many at a time are the same as those read one by one."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from yard.export.wording.decimal_columns import parsed, table_of

_PLAIN = st.from_regex(r"-?([0-9]{1,9}(\.[0-9]{0,6})?|\.[0-9]{1,15})", fullmatch=True)
_ANY = st.text("0123456789.-+e_ ,\n\0é", max_size=12)


@given(st.lists(_PLAIN, min_size=1, max_size=50), st.sampled_from(",\n"), st.booleans())
def test_plain_numbers_are_what_python_makes_of_them(texts: list[str], between: str, ends: bool) -> None:
    found = parsed((between.join(texts) + between * ends).encode())
    assert found is not None
    expected = [float(text) for text in texts]
    assert found.tolist() == expected
    assert np.signbit(found).tolist() == [math.copysign(1, number) < 0 for number in expected]


@given(st.lists(_ANY, min_size=1, max_size=4))
def test_whatever_is_read_is_what_python_makes_of_it(texts: list[str]) -> None:
    text = ",".join(texts)
    found = parsed(text.encode())
    if found is not None:
        if text[-1:] in (",", "\n"):
            text = text[:-1]
        assert found.tolist() == [float(one) for one in text.replace("\n", ",").split(",")]


_UNUSUAL = ("", ",", "1,,2", "-", "1,-", "--1", "1-2", "1.2.3", ".", "1e5", "+1", " 1", "1_0", "1\n\n", "nan")
_LONG = ("1234567890123456", "0.1234567890123456")


@pytest.mark.parametrize("text", [*_UNUSUAL, *_LONG, "\u0661"])
def test_what_is_not_plain_or_long_is_left_to_others(text: str) -> None:
    assert parsed(text.encode()) is None


def test_lines_become_rows() -> None:
    for text in (b"1,2.5\n-3,4\n", b"1,2.5\n-3,4"):
        found = table_of(text)
        assert found is not None
        assert found.tolist() == [[1, 2.5], [-3, 4]]
    assert table_of(b"7") is not None


@pytest.mark.parametrize(
    "text", [b"1,2\n3\n", b"1\n2,3\n", b"1,2\n3\n4\n", b"1,2\n3,x\n", b"1,2\n3\n4,5,6\n"]
)
def test_lines_of_different_lengths_are_no_table(text: bytes) -> None:
    assert table_of(text) is None
