"""Annotations as JSON, as messages and as columns: the same objects in all of them."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from yard.annotations.batch import ObjectKind
from yard.annotations.columnar import encode
from yard.annotations.errors import AnnotationError
from yard.annotations.model import AnnotationSet, Keyframe, Shape, ShapeKind, Source, Tag, Track
from yard.gateway.cvat.annotation_answers import rows, saved_text
from yard.gateway.cvat.annotation_rows import AnnotationText
from yard.gateway.cvat.annotation_values import annotation_set, identified, named_objects, renamed
from yard.runtime import errors

IDS = st.integers(1, 2**62)
FRAMES = st.integers(0, 2**31 - 1)
NUMBERS = st.floats(-1e6, 1e6)
VALUES = st.lists(
    st.fixed_dictionaries({"spec_id": IDS, "value": st.text(max_size=5)}),
    max_size=3,
    unique_by=lambda value: value["spec_id"],
)
OBJECT: dict[str, st.SearchStrategy[Any]] = {
    "id": IDS,
    "label_id": IDS,
    "group": st.integers(0, 2**31 - 1),
    "source": st.sampled_from(["manual", "auto", "semi-auto", "file"]),
    "attributes": VALUES,
}
GEOMETRY: dict[str, st.SearchStrategy[Any]] = {
    "frame": FRAMES,
    "type": st.sampled_from([kind.name.lower() for kind in ShapeKind]),
    "points": st.lists(NUMBERS, max_size=6),
    "occluded": st.booleans(),
    "z_order": st.integers(-(2**31), 2**31 - 1),
    "rotation": st.floats(0, 360, exclude_max=True),
}


def with_frame(track: dict[str, Any]) -> dict[str, Any]:
    return {**track, "frame": track["shapes"][0]["frame"]}


TAG = st.fixed_dictionaries({**OBJECT, "frame": FRAMES})
SHAPE = st.fixed_dictionaries({**OBJECT, **GEOMETRY, "outside": st.just(False), "elements": st.just([])})
KEYFRAME = st.fixed_dictionaries({**GEOMETRY, "outside": st.booleans(), "attributes": VALUES})
TRACK = st.fixed_dictionaries(
    {**OBJECT, "shapes": st.lists(KEYFRAME, min_size=1, max_size=3), "elements": st.just([])}
).map(with_frame)
DATA = st.fixed_dictionaries(
    {
        "tags": st.lists(TAG, max_size=3),
        "shapes": st.lists(SHAPE, max_size=5),
        "tracks": st.lists(TRACK, max_size=5),
    }
)


def common(item: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": item["id"],
        "label_id": item["label_id"],
        "group": item["group"],
        "source": Source[item["source"].upper().replace("-", "_")],
        "attributes": attributes(item),
    }


def attributes(item: dict[str, Any]) -> dict[int, str]:
    return {value["spec_id"]: value["value"] for value in item["attributes"]}


def geometry(item: dict[str, Any]) -> dict[str, Any]:
    same = {name: item[name] for name in ("frame", "occluded", "z_order", "rotation")}
    return {**same, "kind": ShapeKind[item["type"].upper()], "points": tuple(item["points"])}


def model_of(data: dict[str, Any]) -> AnnotationSet:
    return AnnotationSet(
        tags=tuple(Tag(**common(item), frame=item["frame"]) for item in data["tags"]),
        shapes=tuple(Shape(**common(item), **geometry(item)) for item in data["shapes"]),
        tracks=tuple(
            Track(
                **common(item),
                keyframes=tuple(
                    Keyframe(**geometry(one), outside=one["outside"], attributes=attributes(one))
                    for one in item["shapes"]
                ),
            )
            for item in data["tracks"]
        ),
    )


@given(DATA)
def test_messages_and_back(data: dict[str, Any]) -> None:
    found = annotation_set(data)
    assert rows(found) == data
    assert orjson.loads(saved_text(7, found)) == {"version": 7, **data}


def test_answers_are_written_in_portions() -> None:
    tags = [{"frame": number, "label_id": 1} for number in range(2_001)]
    text = orjson.loads(saved_text(1, annotation_set({"tags": tags})))
    assert [tag["frame"] for tag in text["tags"]] == [*range(2_001)]


@given(DATA, st.integers(1, 4))
def test_columns_become_the_same_text(data: dict[str, Any], most: int) -> None:
    text = AnnotationText(7)
    pieces = [text.feed(batch) for batch in encode(model_of(data), rows=most)]
    found = orjson.loads(b"".join([*pieces, text.end()]))
    assert found == {"version": 7, **data}


def test_keyframes_without_their_track_are_refused() -> None:
    keyframe = Keyframe(frame=0, kind=ShapeKind.POINTS, points=(1, 2))
    track = Track(label_id=1, keyframes=(keyframe,))
    tracks, keyframes = encode(AnnotationSet(tracks=(track,)))
    assert (tracks.object_kind, keyframes.object_kind) == (ObjectKind.TRACK, ObjectKind.KEYFRAME)
    with pytest.raises(AnnotationError):
        AnnotationText(1).feed(keyframes)
    text = AnnotationText(1)
    text.feed(tracks)
    with pytest.raises(AnnotationError):
        text.end()


def test_what_clients_leave_out_has_its_usual_value() -> None:
    bare = {"type": "points", "frame": 3, "label_id": 4, "points": [1, 2]}
    nulls = {"id": None, "group": None, "source": None, "attributes": None, "elements": None, "score": 0.5}
    for item in (bare, bare | nulls, bare | {"rotation": 360, "outside": False}):
        (row,) = rows(annotation_set({"shapes": [item], "tags": None}))["shapes"]
        assert (row["group"], row["source"], row["rotation"], row["attributes"]) == (0, "manual", 0.0, [])


def test_values_of_other_types_are_texts() -> None:
    values = [{"spec_id": number, "value": value} for number, value in enumerate((True, 5, 2.5, "x"), 1)]
    (row,) = rows(annotation_set({"tags": [{"frame": 0, "label_id": 1, "attributes": values}]}))["tags"]
    assert [value["value"] for value in row["attributes"]] == ["true", "5", "2.5", "x"]


@pytest.mark.parametrize("value", [None, [], {}])
def test_what_is_no_value_is_refused(value: Any) -> None:
    tag = {"frame": 0, "label_id": 1, "attributes": [{"spec_id": 1, "value": value}]}
    keyframe = {"type": "points", "frame": 0, "points": [1, 2], "attributes": tag["attributes"]}
    with pytest.raises(errors.InvalidArgument) as caught:
        annotation_set({"tags": [tag], "tracks": [{"label_id": 1, "shapes": [keyframe]}]})
    fields = {item.field for item in caught.value.violations}
    assert fields == {"tags[0].attributes", "tracks[0].shapes[0].attributes"}


def test_objects_of_a_kind_that_is_not_kept_are_not_dropped_in_silence() -> None:
    assert annotation_set({"intervals": []}) == annotation_set({})
    with pytest.raises(errors.InvalidArgument) as caught:
        annotation_set({"intervals": [{"start": 0, "stop": 1, "label_id": 1}]})
    assert [item.field for item in caught.value.violations] == ["intervals"]


def test_objects_are_told_apart_by_their_ids() -> None:
    tag = {"frame": 0, "label_id": 1}
    new, known = identified(annotation_set({"tags": [tag, {**tag, "id": 9}]}))
    assert ([item.id for item in new.tags], [item.id for item in known.tags]) == ([0], [9])
    named = named_objects({"shapes": [{"id": 5, "elements": [1], "score": "?"}]})
    assert [item.id for item in named.shapes] == [5]
    with pytest.raises(errors.InvalidArgument) as caught:
        named_objects({"shapes": [{}], "tags": [3]})
    assert {item.field for item in caught.value.violations} == {"tags[0]", "shapes[0].id"}


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("annotations.shapes[3].kind", "shapes[3].type"),
        ("create.tracks[0].keyframes[2].points", "tracks[0].shapes[2].points"),
        ("update.tags[1].attributes[0].attribute_id", "tags[1].attributes[0].spec_id"),
    ],
)
def test_faults_have_the_names_of_clients(ours: str, theirs: str) -> None:
    assert renamed(errors.invalid(ours, "is wrong")).violations[0].field == theirs
