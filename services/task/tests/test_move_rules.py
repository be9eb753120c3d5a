"""Which labels take the place of others, without a database."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yard.annotations.labels import Attribute, AttributeInput, Label, LabelKind
from yard.task.domain import moves

SIZE = Attribute(id=7, name="size", input=AttributeInput.SELECT, values=("s", "l"))
CAR = Label(id=3, name="car", kind=LabelKind.POLYGON, attributes=(SIZE,))


def there(**attribute: Any) -> Label:
    """The same as it is in another place, but for something."""
    return replace(CAR, id=30, attributes=(replace(SIZE, **{"id": 70, **attribute}),))


def test_the_same_label_of_another_place_matches() -> None:
    found = moves.matched([CAR], [Label(id=1, name="bus"), there()])
    assert (found.label_ids, found.attribute_ids, list(found.misfits)) == ({3: 30}, {7: 70}, [])


def test_a_place_may_allow_more() -> None:
    more = (replace(SIZE, id=70, values=("s", "l", "m")), replace(SIZE, id=71, name="other"))
    found = moves.matched([CAR], [replace(CAR, id=30, kind=LabelKind.ANY, color="#000000", attributes=more)])
    assert (found.label_ids, found.attribute_ids) == ({3: 30}, {7: 70})


@pytest.mark.parametrize(
    ("label", "described"),
    [
        (replace(CAR, id=30, attributes=()), ["attribute size of label car is not there"]),
        (replace(there(), kind=LabelKind.TAG), ["label car is for polygon, not for tag as there"]),
        (there(mutable=True), ["attribute size of label car is immutable, not mutable as there"]),
        (there(values=("s",)), ["attribute size of label car has values that are not allowed there"]),
        (there(values=("l", "s")), ["attribute size of label car has the default 's', not 'l' as there"]),
        (there(values=("l", "s"), default_value="s"), []),
        (
            there(input=AttributeInput.RADIO),
            ["attribute size of label car is entered as select, not as radio as there"],
        ),
        (
            there(values=("m",), mutable=True),
            [
                "attribute size of label car has values that are not allowed there",
                "attribute size of label car is immutable, not mutable as there",
                "attribute size of label car has the default 's', not 'm' as there",
            ],
        ),
    ],
)
def test_what_does_not_match_is_said(label: Label, described: list[str]) -> None:
    found = moves.matched([CAR], [label])
    assert list(map(str, found.misfits)) == described
    assert bool(found.label_ids) is not bool(described)


def test_an_any_label_does_not_become_one_of_a_kind() -> None:
    assert moves.matched([replace(CAR, kind=LabelKind.ANY)], [there()]).unfit == [3]


def test_unused_labels_do_not_stand_in_the_way() -> None:
    bus, van = Label(id=4, name="bus"), Label(id=5, name="van")
    found = moves.matched([bus, CAR, van], [there(mutable=True, values=("x",))])
    assert found.unfit == [3, 4, 5]
    some = found.without({3, 4})
    assert (list(some.left_behind), some.unfit) == (["bus", "car"], [5])


NAMES = st.lists(st.sampled_from("abcdef"), unique=True)


@given(NAMES, NAMES)
def test_every_label_is_matched_or_named(ours: list[str], theirs: list[str]) -> None:
    labels = [Label(id=number, name=name) for number, name in enumerate(ours, 1)]
    place = [Label(id=number, name=name) for number, name in enumerate(theirs, 100)]
    found = moves.matched(labels, place)
    assert sorted([*found.label_ids, *found.unfit]) == [label.id for label in labels]
    assert {old.name for old, _ in found.pairs} == set(ours) & set(theirs)
    assert all(old.name == new.name for old, new in found.pairs)
