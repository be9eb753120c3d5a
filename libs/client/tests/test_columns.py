"""What goes into columns comes out of them, and faults find their way back to the places of the objects."""

from collections.abc import AsyncIterator, Sequence

import pytest
from frameyard.annotation.v1 import annotation_pb2 as messages
from frameyard.annotation.v1.columnar_pb2 import ColumnarBatch
from hypothesis import given
from hypothesis import strategies as st
from yard.client.columns import Object, Packer, unpacked
from yard.client.failures import ClientError

_IDS = st.integers(1, 2**63 - 1)
_SOURCES = st.sampled_from(messages.Source.values()[1:])
_VALUES = st.dictionaries(_IDS, st.text(max_size=5), max_size=3).map(
    lambda values: [messages.AttributeValue(attribute_id=key, value=text) for key, text in values.items()]
)
_GEOMETRY = {
    "frame": st.integers(0, 2**31 - 1),
    "kind": st.sampled_from(messages.ShapeKind.values()[1:]),
    "points": st.lists(st.floats(allow_nan=False), max_size=6),
    "rotation": st.floats(0, 359),
    "occluded": st.booleans(),
    "z_order": st.integers(-(2**31), 2**31 - 1),
    "attributes": _VALUES,
}
_COMMON = {"label_id": _IDS, "group": st.integers(0, 2**31 - 1), "source": _SOURCES, "attributes": _VALUES}
_KEYFRAMES = st.builds(messages.Keyframe, **_GEOMETRY, outside=st.booleans())
_OBJECTS = st.one_of(
    st.builds(messages.Tag, **_COMMON, frame=st.integers(0, 2**31 - 1)),
    st.builds(messages.Shape, **(_COMMON | _GEOMETRY)),
    st.builds(messages.Track, **_COMMON, keyframes=st.lists(_KEYFRAMES, min_size=1, max_size=3)),
)


def packed(packer: Packer, objects: Sequence[Object]) -> list[ColumnarBatch]:
    batches = [batch for place, item in enumerate(objects) for batch in packer.add(item, place)]
    return [*batches, *packer.flush()]


async def objects_of(batches: Sequence[ColumnarBatch]) -> list[Object]:
    async def stream() -> AsyncIterator[ColumnarBatch]:
        for batch in batches:
            yield batch

    return [item async for items in unpacked(stream()) for item in items]


@given(st.lists(_OBJECTS, max_size=12))
async def test_objects_come_back(objects: list[Object]) -> None:
    found = await objects_of(packed(Packer(), objects))
    assert sorted(map(repr, found)) == sorted(map(repr, objects))


@given(st.lists(_OBJECTS, max_size=12))
def test_every_row_and_track_knows_its_place(objects: list[Object]) -> None:
    packer = Packer()
    places = list[str]()
    tracks = 0
    for number, batch in enumerate(packed(packer, objects)):
        if batch.object_kind in (1, 2):
            fields = [f"batch[{number}].row[{row}].label_id" for row in range(batch.count)]
        else:
            count = batch.count if batch.object_kind == 3 else 0
            fields = [f"track[{tracks + row}].label_id" for row in range(count)]
            tracks += count
        places += [packer.named(field, lambda place: f"line {place}") for field in fields]
    assert places == [f"line {place}.label_id" for place in range(len(objects))]


def test_many_objects_are_several_batches() -> None:
    shape = messages.Shape(frame=1, label_id=2, kind=messages.SHAPE_KIND_POINTS, points=[1, 2])
    batches = packed(Packer(), [shape] * 20_000)
    assert [batch.count for batch in batches] == [8192, 8192, 3616]


def test_large_objects_do_not_wait_for_each_other() -> None:
    shape = messages.Shape(frame=1, label_id=2, kind=messages.SHAPE_KIND_POINTS, points=[1.0] * 100_000)
    packer = Packer()
    assert [batch.count for place in range(6) for batch in packer.add(shape, place)] == [6]


def test_other_fields_keep_their_names() -> None:
    assert Packer().named("header.target", str) == "header.target"


@pytest.mark.parametrize(
    ("message", "told"),
    [
        (messages.Shape(label_id=1), "kind: must be given"),
        (messages.Tag(frame=2**31), "frame: 2147483648 is too large"),
        (messages.Track(label_id=1), "keyframes: a track must have one or more"),
    ],
)
def test_what_no_column_can_hold_is_refused(message: Object, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        list(Packer().add(message, 0))


async def test_a_broken_stream_is_told() -> None:
    [batch] = packed(Packer(), [messages.Tag(frame=1, label_id=2)])
    batch.frame = b"x"
    with pytest.raises(ClientError, match="broken"):
        await objects_of([batch])
