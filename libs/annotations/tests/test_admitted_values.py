"""Which attributes allow all that others allow."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yard.annotations.labels import Attribute, AttributeInput

SELECT, CHECKBOX = AttributeInput.SELECT, AttributeInput.CHECKBOX
TEXT, NUMBER, RADIO = AttributeInput.TEXT, AttributeInput.NUMBER, AttributeInput.RADIO


def attribute(kind: AttributeInput, *values: str) -> Attribute:
    return Attribute(name="a", input=kind, values=values)


@st.composite
def ranges(draw: st.DrawFn) -> Attribute:
    low = draw(st.integers(-6, 6))
    high = draw(st.integers(low, 8))
    scale = draw(st.sampled_from([1, 10]))
    step = draw(st.integers(1, 5))
    return attribute(NUMBER, *(str(Decimal(number) / scale) for number in (low, high, step)))


def allowed(wide: Attribute) -> set[str]:
    """All values of a small range on a grid that holds whatever `ranges` draws."""
    values = (str(Decimal(number) / 10) for number in range(-60, 81))
    return {value for value in values if wide.fault_of(value) is None}


@given(ranges(), ranges())
def test_a_range_admits_another_if_it_allows_all_its_values(wide: Attribute, narrow: Attribute) -> None:
    assert wide.admits(narrow) == (allowed(narrow) <= allowed(wide))


@given(ranges())
def test_everything_admits_itself(one: Attribute) -> None:
    assert one.admits(one)


@pytest.mark.parametrize(
    ("wide", "narrow", "is_admitted"),
    [
        (attribute(SELECT, "s", "m", "l"), attribute(SELECT, "l", "s"), True),
        (attribute(SELECT, "s"), attribute(SELECT, "s", "l"), False),
        (attribute(RADIO, "s"), attribute(SELECT, "s"), False),
        (attribute(TEXT, "x"), attribute(TEXT, "y"), True),
        (attribute(CHECKBOX, "false"), attribute(CHECKBOX, "true"), True),
        (attribute(CHECKBOX), attribute(CHECKBOX, "a", "b"), False),
        (attribute(CHECKBOX, "true", "a"), attribute(CHECKBOX, "true"), False),
        (attribute(CHECKBOX, "a", "b", "c"), attribute(CHECKBOX, "c", "a"), True),
    ],
)
def test_choices_admit_those_that_are_among_them(
    wide: Attribute, narrow: Attribute, is_admitted: bool
) -> None:
    assert wide.admits(narrow) is is_admitted
