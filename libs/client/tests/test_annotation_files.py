import json
from pathlib import Path

import pytest
from frameyard.annotation.v1 import annotation_pb2, annotation_service_pb2
from google.protobuf.json_format import MessageToDict
from yard.client.cli.annotation_files import read_annotations
from yard.client.failures import ClientError

OBJECTS = annotation_pb2.AnnotationSet(
    shapes=[
        annotation_pb2.Shape(
            id=2**53 + 1, label_id=3, kind=annotation_pb2.SHAPE_KIND_RECTANGLE, points=[1, 2, 3.5, 4]
        )
    ]
)


def written(file: Path, content: object) -> Path:
    file.write_text(json.dumps(content))
    return file


def test_both_forms_of_get_are_read(tmp_path: Path) -> None:
    plain = MessageToDict(OBJECTS, preserving_proto_field_name=True)
    answer = MessageToDict(
        annotation_service_pb2.GetAnnotationsResponse(annotations=OBJECTS, revision=7),
        preserving_proto_field_name=True,
    )
    assert read_annotations(written(tmp_path / "a.json", plain)) == OBJECTS
    assert read_annotations(written(tmp_path / "b.json", answer)) == OBJECTS


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ({"shapes": [{"lable_id": 3}]}, "lable_id"),
        ({"shapes": [{"points": ["x"]}]}, "points"),
        ({"shapes": [{"kind": "BLOB"}]}, "BLOB"),
        ([1], "not annotations"),
        (3, "not annotations"),
        ("text", "not annotations"),
        (None, "not annotations"),
    ],
)
def test_what_is_not_annotations_is_named(tmp_path: Path, content: object, told: str) -> None:
    with pytest.raises(ClientError, match=r"a\.json: not annotations") as caught:
        read_annotations(written(tmp_path / "a.json", content))
    assert told in caught.value.message


def test_nesting_without_end_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("[" * 100_000)
    with pytest.raises(ClientError, match=r"a\.json: not annotations"):
        read_annotations(tmp_path / "a.json")


def test_what_is_not_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ClientError, match=r"a\.json: not annotations"):
        read_annotations(tmp_path / "a.json")
