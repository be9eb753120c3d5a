import hashlib
import io
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from hypothesis import given, settings
from hypothesis import strategies as st
from yard.annotations.model import AnnotationSet
from yard.export.archives.refusals import RefusedError
from yard.export.formats import label_map
from yard.export.formats.tfrecord import TFRECORD
from yard.export.formats.tfrecord_wire import LONGEST_RECORD, framed, masked, records, varint

from services.export.tests import oracles
from services.export.tests.box_sets import SHAPES
from services.export.tests.contract import exported
from services.export.tests.intake_scene import imported, tried
from services.export.tests.sample import IMAGES, dataset, files
from services.export.tests.scenes import PROJECT

GOLDEN = Path(__file__).parent / "golden" / "tfrecord"
LABEL_MAP = GOLDEN.joinpath("label_map.pbtxt").read_bytes()
KINDS = {"bytes_list": 12, "float_list": 2, "int64_list": 3}
CORNERS = ("xmin", "ymin", "xmax", "ymax")


def _example_class() -> Any:
    """TensorFlow's tf.train.Example, which protobuf then reads and writes."""
    file = descriptor_pb2.FileDescriptorProto(name="example.proto", package="t", syntax="proto3")
    feature = descriptor_pb2.DescriptorProto(name="Feature")
    feature.oneof_decl.add(name="kind")
    for number, (name, kind) in enumerate(KINDS.items(), 1):
        values = file.message_type.add(name=name)
        values.field.add(name="value", number=1, type=kind, label=3)
        feature.field.add(name=name, number=number, type=11, label=1, type_name=f".t.{name}", oneof_index=0)
    file.message_type.append(feature)
    features = file.message_type.add(name="Features")
    features.field.add(name="feature", number=1, type=11, label=3, type_name=".t.Features.FeatureEntry")
    entry = features.nested_type.add(name="FeatureEntry")
    entry.options.map_entry = True
    entry.field.add(name="key", number=1, type=9, label=1)
    entry.field.add(name="value", number=2, type=11, label=1, type_name=".t.Feature")
    example = file.message_type.add(name="Example")
    example.field.add(name="features", number=1, type=11, label=1, type_name=".t.Features")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("t.Example"))


EXAMPLE = _example_class()


def made(**features: list[Any]) -> bytes:
    """A record written by protobuf; `xmin` and the like are the sides of boxes."""
    example = EXAMPLE()
    for name, values in features.items():
        key = f"image/object/bbox/{name}" if name in CORNERS else name.replace("__", "/")
        feature = example.features.feature[key]
        if values and isinstance(values[0], bytes):
            feature.bytes_list.value.extend(values)
        elif values and isinstance(values[0], int):
            feature.int64_list.value.extend(values)
        else:
            feature.float_list.value.extend(values)
    content: bytes = example.SerializeToString(deterministic=True)
    return content


def box(name: str = "a b/10.v1.jpg", *sides: float, **more: list[Any]) -> bytes:
    given: dict[str, list[Any]] = {"image__filename": [name.encode()], "image__object__class__label": [2]}
    for corner, side in zip(CORNERS, sides or (0.25, 0.1, 0.5, 0.6), strict=True):
        given[corner] = [float(side)]
    return made(**(given | more))


def given_records(*found: bytes, labels: bytes | None = LABEL_MAP) -> dict[str, bytes]:
    content = {"val.tfrecord": b"".join(map(framed, found))}
    return content | ({"label_map.pbtxt": labels} if labels is not None else {})


def features(record: bytes) -> dict[str, list[Any]]:
    found = {}
    for name, feature in EXAMPLE.FromString(record).features.feature.items():
        kind = feature.WhichOneof("kind")
        values = list(getattr(feature, kind).value)
        found[name] = [one.decode() for one in values] if kind == "bytes_list" else values
    return found


def test_it_is_as_written_by_hand() -> None:
    written = dataset(subject=IMAGES)
    found = files(TFRECORD, written)
    assert list(found) == ["label_map.pbtxt", "val.tfrecord"]
    assert found["label_map.pbtxt"] == LABEL_MAP
    read = [features(record) for record in records(io.BytesIO(found["val.tfrecord"]), "val.tfrecord")]
    wanted = json.loads(GOLDEN.joinpath("val.json").read_text())
    assert [list(one) for one in wanted] == [sorted(one) for one in read]
    for one, other in zip(read, wanted, strict=True):
        for name, values in other.items():
            assert one[name] == (pytest.approx(values, abs=1e-6) if "bbox" in name else values)
    kinds = {one.kind: one.count for one in written.left_out}
    assert kinds == {
        "attribute": 8,
        "cuboid": 1,
        "ellipse": 1,
        "group": 1,
        "mask": 1,
        "occluded": 1,
        "points": 1,
        "polygon": 2,
        "polyline": 1,
        "rotation": 1,
        "tag": 1,
        "track": 1,
        "z_order": 1,
    }


def test_the_bytes_are_those_of_protobuf() -> None:
    (content,) = [
        content for name, content in files(TFRECORD, dataset()).items() if name == "default.tfrecord"
    ]
    for record in records(io.BytesIO(content), "default.tfrecord"):
        assert EXAMPLE.FromString(record).SerializeToString(deterministic=True) == record


def test_images_are_inside_if_they_are_wanted() -> None:
    found = files(TFRECORD, dataset(subject=IMAGES, image=lambda frame: [b"\xff\xd8", frame.name.encode()]))
    for record in records(io.BytesIO(found["val.tfrecord"]), ""):
        feature = EXAMPLE.FromString(record).features.feature
        (content,) = feature["image/encoded"].bytes_list.value
        assert content == b"\xff\xd8" + feature["image/filename"].bytes_list.value[0]
        assert feature["image/format"].bytes_list.value[0] == b"jpeg"
        checksum = hashlib.sha256(content).hexdigest().encode()
        assert feature["image/key/sha256"].bytes_list.value[0] == checksum
    assert len(imported(TFRECORD, found, IMAGES).shapes) == 6


@settings(max_examples=40, deadline=None)
@given(SHAPES)
def test_boxes_come_back_bit_for_bit(objects: AnnotationSet) -> None:
    found = imported(TFRECORD, files(TFRECORD, dataset(objects, IMAGES)), IMAGES)
    wanted = sorted((one.frame, one.label_id, one.points) for one in objects.shapes)
    assert sorted((one.frame, one.label_id, one.points) for one in found.shapes) == wanted


@given(st.lists(st.integers(0, 2**63 - 1), min_size=1))
def test_numbers_are_those_of_protobuf(values: list[int]) -> None:
    written = made(a=values)
    assert b"".join(map(varint, values)) in written


def test_subsets_are_files_and_all_of_them_are_read() -> None:
    found = oracles.unzipped(exported(TFRECORD, PROJECT)[0])
    assert sorted(found) == ["Test.tfrecord", "Train.tfrecord", "label_map.pbtxt"]
    sharded = {
        "deep/train.record-00000-of-00002": framed(box()),
        "deep/train.record-00001-of-00002": framed(box("a b/15.v1.jpg")),
        "deep/label_map.pbtxt": LABEL_MAP,
    }
    assert [one.frame for one in imported(TFRECORD, sharded, IMAGES).shapes] == [0, 1]


def test_texts_name_labels_where_there_is_no_map() -> None:
    record = box(image__object__class__text=["Straße".encode()], image__object__class__label=[77])
    found = imported(TFRECORD, framed(record), IMAGES, name="val.tfrecord")
    assert [(one.label_id, one.points) for one in found.shapes] == [(4, (5.0, 1.0, 10.0, 6.0))]


def test_masks_of_boxes_are_counted() -> None:
    found = tried(TFRECORD, given_records(box(image__object__mask=[b"png"])), IMAGES)
    assert found.ignored == Counter({("mask", "masks of boxes are not read"): 1})


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (box("other.jpg"), "there is no frame 'other.jpg'"),
        (box(image__object__class__label=[3]), "the label map has no id 3"),
        (box(image__object__class__label=[-1]), "the label map has no id 18446744073709551615"),
        (box(image__object__class__label=[1, 2]), "has 1 boxes and 2 labels"),
        (box(image__object__class__label=[]), "has 1 boxes and 0 labels"),
        (box("a b/10.v1.jpg", 0.5, 0.1, 0.25, 0.6), "negative size"),
        (box("a b/10.v1.jpg", float("nan"), 0.1, 0.25, 0.6), "shares of 0 to 1"),
        (box("a b/10.v1.jpg", 0, 0, float("inf"), 1), "shares of 0 to 1"),
        (box("a b/10.v1.jpg", 0, 0, 320, 240), "shares of 0 to 1"),
        (box(xmin=[0.1, 0.2]), "has 2, 1, 1, 1 numbers for the sides of boxes"),
        (box(xmin=[1]), "image/object/bbox/xmin is a list of another type"),
        (made(xmin=[0.5]), "has no image/filename"),
        (box()[:-3], "reaches beyond its message"),
        (b"\xff" * 20, "cut off or too long"),
        (b"\x0f", "unknown type"),
    ],
)
def test_wrong_records_are_refused(record: bytes, reason: str) -> None:
    (fault,) = tried(TFRECORD, given_records(record), IMAGES).faults
    assert fault.where == "val.tfrecord, record 1"
    assert reason in fault.reason


def test_damaged_files_are_refused() -> None:
    good = framed(box())
    for content, reason in (
        (good[:-1], "is cut off"),
        (good[:7], "is cut off"),
        (good[:8] + b"\0" + good[9:], "the length does not fit"),
        (good[:-1] + bytes([good[-1] ^ 1]), "the content does not fit"),
        (good + good, "another record has the objects of the same frame"),
    ):
        (fault,) = tried(TFRECORD, {"a.tfrecord": content, "label_map.pbtxt": LABEL_MAP}, IMAGES).faults
        assert reason in fault.reason
    length = (LONGEST_RECORD + 1).to_bytes(8, "little")
    with pytest.raises(RefusedError, match="at most"):
        list(records(io.BytesIO(length + masked(length).to_bytes(4, "little")), "a.tfrecord"))
    (fault,) = tried(TFRECORD, {"label_map.pbtxt": LABEL_MAP}, IMAGES).faults
    assert "no file .tfrecord" in fault.reason


@given(st.binary(max_size=300))
def test_no_bytes_are_too_strange(content: bytes) -> None:
    assert tried(TFRECORD, given_records(content), IMAGES).objects == AnnotationSet()


@given(st.lists(st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=9), unique=True))
def test_label_maps_come_back(names: list[str]) -> None:
    assert label_map.parsed(label_map.written(names), "a.pbtxt") == dict(enumerate(names, 1))


def test_label_maps_of_others_are_read() -> None:
    text = """# made by hand
    item: { name: 'driver\\'s', id: 1, keypoints { id: 7 label: "nose" } }
    item < id: 2; display_name: "Stra" "\\303\\237e" >
    item { name: "/m/01g317" id: 3 display_name: "person" }
    """
    assert label_map.parsed(text, "a") == {1: "driver's", 2: "Straße", 3: "/m/01g317"}


@pytest.mark.parametrize(
    ("text", "where", "reason"),
    [
        ("item {\n id: 1\n", "a", "ends inside"),
        ("item {\n id: 1\n}\n", "a:3", "needs a name"),
        ("item {\n name: 'x'\n}\n", "a:3", "needs a name and an id"),
        ("item { id: 1 name: 'x' }\nitem { id: 1 name: 'y' }", "a:2", "more than once"),
        ("}", "a:1", "closes nothing"),
        ("\n$", "a:2", "not understood"),
        ("item { id: 1 name: '\\xff' }", "a:1", "not UTF-8"),
        ("item { id: -1 name: 'x' }", "a:1", "id of 0 or more"),
    ],
)
def test_wrong_label_maps_are_refused(text: str, where: str, reason: str) -> None:
    with pytest.raises(RefusedError) as refused:
        label_map.parsed(text, "a")
    assert refused.value.faults[0].where == where
    assert reason in refused.value.faults[0].reason


def test_tfrecord_and_protobuf_read_it(tmp_path: Path) -> None:
    found = oracles.unpacked(files(TFRECORD, dataset(subject=IMAGES)), tmp_path)
    assert oracles.read("with_tfrecord.label_map", found / "label_map.pbtxt") == {'car <&"': 1, "Straße": 2}
    read = oracles.read("with_tfrecord.examples", found / "val.tfrecord")
    assert [one["image/filename"] for one in read] == [
        [f"a b/{number}.v1.jpg"] for number in (10, 15, 20, 25)
    ]
    assert read[3]["image/object/bbox/ymax"] == pytest.approx([0.4005])
