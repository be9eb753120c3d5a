"""Boxes of CVAT images are made of columns, whatever stands on them and between them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yard.annotations.batch import LARGEST_BATCH
from yard.annotations.model import Shape, ShapeKind, Source
from yard.export.formats.cvat_images import CVAT_FOR_IMAGES

from services.export.tests.cvat_files import BOX, ROAD, faults, images, shapes
from services.export.tests.intake_scene import tried
from services.export.tests.sample import IMAGES

RECTANGLE, POINTS = ShapeKind.RECTANGLE, ShapeKind.POINTS
CROWD = 5


def _box(shape: Shape, order: int) -> str:
    x0, y0, x1, y1 = shape.points
    said = [f'xtl="{x0}"', f'ytl="{y0:.2f}"', f'xbr="{x1:+}"' if order % 3 else f'xbr="{x1}"', f'ybr="{y1}"']
    said += [f'rotation="{shape.rotation}"'] if shape.rotation else []
    said += [f'group_id="{shape.group}"'] if shape.group or order % 2 else []
    said += ['occluded="true"'] if shape.occluded else ['occluded="0"'][: order % 2]
    said += [f'z_order="{shape.z_order}"', 'label="Straße"', f'source="{shape.source.name.lower()}"']
    texts = "".join(f'<attribute name="is_crowd">{text}</attribute>' for text in shape.attributes.values())
    return f"<box {' '.join(said[order:] + said[:order])}>{texts}</box>"


def _points(shape: Shape) -> str:
    x, y = shape.points
    return f'<points label="Straße" points="{x},{y}" source="file"/>'


_NUMBER = st.integers(0, 400).map(lambda number: number / 100)
_BOXES = st.builds(
    Shape,
    frame=st.just(0),
    label_id=st.just(ROAD),
    kind=st.just(RECTANGLE),
    points=st.tuples(_NUMBER, _NUMBER, _NUMBER.map(lambda x: x + 5), _NUMBER.map(lambda y: y + 5)),
    rotation=st.sampled_from([0.0, 0.0, 12.5]),
    occluded=st.booleans(),
    z_order=st.integers(-2, 2),
    group=st.integers(0, 2),
    attributes=st.sampled_from([{}, {CROWD: "true"}, {CROWD: "false"}]),
    source=st.sampled_from([Source.MANUAL, Source.FILE]),
)
_OTHERS = st.builds(
    Shape, frame=st.just(0), label_id=st.just(ROAD), kind=st.just(POINTS), points=st.tuples(_NUMBER, _NUMBER)
)


@given(st.lists(st.tuples(st.one_of(_BOXES, _BOXES, _OTHERS), st.integers(0, 3)), max_size=12), st.booleans())
def test_all_that_boxes_say_is_kept_in_their_order(drawn: list[tuple[Shape, int]], is_even: bool) -> None:
    expected = [shape for shape, _ in drawn]
    lines = [
        _box(shape, 0 if is_even else order) if shape.kind is RECTANGLE else _points(shape)
        for shape, order in drawn
    ]
    # The platform keeps a source of files for those that have none.
    assert [
        (found.points, found.rotation, found.occluded, found.z_order, found.group, found.source, found.kind)
        for found in shapes(images(*lines))
    ] == [
        (shape.points, shape.rotation, shape.occluded, shape.z_order, shape.group, shape.source, shape.kind)
        if shape.kind is RECTANGLE
        else (shape.points, 0.0, False, 0, 0, Source.FILE, POINTS)
        for shape in expected
    ]
    assert [dict(found.attributes) for found in shapes(images(*lines))] == [
        dict(shape.attributes) for shape in expected
    ]


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (f'<box label="Boat" {BOX}/>', "there is no label 'Boat'"),
        ('<box label="Straße" xtl="1" ytl="2" xbr="1,2" ybr="4"/>', "a number is needed, not '1,2'"),
        ('<box label="Straße" xtl="1" ytl="2" xbr="" ybr="4"/>', "a number is needed, not ''"),
        ('<box label="Straße" xtl="1" ytl="2" ybr="4" width="4"/>', "xbr is missing"),
        ('<box label="Straße" xtl="5" ytl="2" xbr="4" ybr="4"/>', "the second corner must be right"),
        (f'<box label="Straße" {BOX} group_id="-1"/>', "-1 is not between 0"),
        (f'<box label="Straße" {BOX} occluded="maybe"/>', "0 or 1 is needed"),
        (f'<box label="Straße" {BOX}><attribute name="is_crowd">so</attribute></box>', "neither true nor"),
    ],
)
def test_a_wrong_box_is_found_among_good_ones(wrong: str, reason: str) -> None:
    good = f'<box label="Straße" {BOX}/>'
    point = '<points label="Straße" points="1,2"/>'
    (fault,) = faults(images(good, point, good, wrong, point, *[good] * 30))
    assert fault[0] == "given.xml:6"
    assert reason in fault[1]


def test_more_boxes_than_a_batch_takes_stay_in_their_order_and_flat_ones_are_left_out() -> None:
    count = LARGEST_BATCH + 100
    lines = [
        f'<box label="Straße" xtl="{left}.25" ytl="0" xbr="{left + 1}" ybr="2" z_order="{number}"/>'
        for number, left in ((number, number % 9) for number in range(count))
    ]
    lines[50] = '<box label="Straße" xtl="1" ytl="0" xbr="1.0" ybr="2"/>'
    found = tried(CVAT_FOR_IMAGES, images(*lines), IMAGES, name="given.xml")
    assert found.ignored == {("rectangle", "has no area at two decimals"): 1}
    orders = [shape.z_order for shape in found.objects.shapes]
    assert orders == [number for number in range(count) if number != 50]
    assert {shape.points[2] for shape in found.objects.shapes} == set(range(1, 10))


def test_boxes_before_the_place_where_a_file_breaks_are_told_of_too() -> None:
    broken = images('<box label="Straße"/>')[:-4]
    assert [where for where, _ in faults(broken)] == ["given.xml:3", "given.xml:5"]
