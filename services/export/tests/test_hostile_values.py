"""Numbers, references and sizes that no honest file has, in each format's own words: all refused in time."""

import re
import time
from pathlib import Path
from typing import NamedTuple

import pytest
from yard.export.formats import FORMATS
from yard.media.budget import ArchiveLimits

from services.export.tests import contract
from services.export.tests.intake_scene import archived
from services.export.tests.oracles import read, unpacked, unzipped
from services.export.tests.scenes import MASK, RING, Scene, box, images, key, shape, track, video

BY_NAME = {known.full_name: known for known in FORMATS}
BOXES = images("boxes", box(0, 4, 6, 20.5, 30.25), shape(2, MASK, *RING))
MOVING = video("moving", track(key(0, 4, 6, 20.5, 30.25), key(7, 9, 9, 25, 25)))
NUMBERS = ["nan", "NaN", "inf", "-Infinity", "1e999", "9" * 400, "zwölf", "0x10", ""]
SECONDS = 5.0


class Place(NamedTuple):
    """Where a number stands in the files of a format: which file, and what it is between."""

    known: str
    file: str
    pattern: str
    scene: Scene = BOXES


PLACES = [
    Place("CVAT for images 1.1", "annotations.xml", r'(<box [^>]*xtl=")[^"]*(")'),
    Place("CVAT for images 1.1", "annotations.xml", r'(<mask [^>]*left=")[^"]*(")'),
    Place("CVAT for images 1.1", "annotations.xml", r'(<mask [^>]*rle=")[^"]*(")'),
    Place("CVAT for video 1.1", "annotations.xml", r'(<box frame=")[^"]*(")', MOVING),
    Place("CVAT for video 1.1", "annotations.xml", r'(<box [^>]*ybr=")[^"]*(")', MOVING),
    Place("PASCAL VOC 1.1", "Annotations/img_0.xml", r"(<xmin>)[^<]*(</xmin>)"),
    Place("PASCAL VOC 1.1", "Annotations/img_0.xml", r"(<ymax>)[^<]*(</ymax>)"),
    Place("YOLO 1.1", "obj_train_data/img_0.txt", r"(^)\S+( )"),
    Place("YOLO 1.1", "obj_train_data/img_0.txt", r"(^\S+ )\S+( )"),
    Place("YOLO 1.1", "obj_train_data/img_0.txt", r"(^\S+ \S+ \S+ )\S+( )"),
    Place("COCO 1.0", "annotations/instances_default.json", r'("bbox":\[)[^,]*(,)'),
    Place("COCO 1.0", "annotations/instances_default.json", r'("counts":\[)[^,]*(,)'),
    Place("COCO 1.0", "annotations/instances_default.json", r'("image_id":)[^,]*(,)'),
    Place("MOT 1.1", "gt/gt.txt", r"(^)[^,]*(,)", MOVING),
    Place("MOT 1.1", "gt/gt.txt", r"(^[^,]*,[^,]*,)[^,]*(,)", MOVING),
    Place("MOT 1.1", "gt/gt.txt", r"(^[^,]*,[^,]*,[^,]*,[^,]*,)[^,]*(,)", MOVING),
    Place("LabelMe 3.0", "default/img_0.xml", r"(<x>)[^<]*(</x>)"),
    Place("Datumaro 1.0", "annotations/default.json", r'("bbox":\[)[^,]*(,)'),
    Place("Datumaro 1.0", "annotations/default.json", r'("label_id":)[^,}]*([,}])'),
]


def files_of(place: Place) -> dict[str, bytes]:
    return unzipped(contract.exported(BY_NAME[place.known], place.scene)[0])


def refused_in_time(known: str, files: dict[str, bytes], scene: Scene = BOXES) -> list[str]:
    """The faults, each with its place; memory is bounded by what the archive may unpack to."""
    content, into = archived(files), contract.target(scene.tasks[0])
    begun = time.process_time()
    limits = ArchiveLimits(expansion=100_000)
    found = contract.read(BY_NAME[known], content, into, limits=limits)
    assert time.process_time() - begun < SECONDS
    assert found.faults
    assert all(fault.where and fault.reason for fault in found.faults)
    return [f"{fault.where}: {fault.reason}" for fault in found.faults]


@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: number[:10] or "nothing")
@pytest.mark.parametrize("place", PLACES, ids=lambda place: f"{place.known} {place.pattern}")
def test_what_is_no_number_is_refused_with_its_file(place: Place, number: str) -> None:
    files = files_of(place)
    before = files[place.file].decode()
    after = re.sub(
        place.pattern, lambda found: found[1] + number + found[2], before, count=1, flags=re.MULTILINE
    )
    assert after != before
    files[place.file] = after.encode()
    faults = refused_in_time(place.known, files, place.scene)
    assert any(place.file.rpartition("/")[2] in fault for fault in faults)


XML = [
    ("CVAT for images 1.1", "annotations.xml"),
    ("CVAT for video 1.1", "annotations.xml"),
    ("PASCAL VOC 1.1", "Annotations/img_0.xml"),
    ("LabelMe 3.0", "default/img_0.xml"),
]
LAUGHS = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12))
TYPES = {
    "laughs": f'<!DOCTYPE x [<!ENTITY a0 "ha">{LAUGHS}]>',
    "file": '<!DOCTYPE x [<!ENTITY a11 SYSTEM "file:///etc/passwd">]>',
    "parameters": '<!DOCTYPE x [<!ENTITY % p SYSTEM "http://127.0.0.1:1/x.dtd"> %p;]>',
    "type only": '<!DOCTYPE x SYSTEM "http://127.0.0.1:1/x.dtd">',
}


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize(("known", "file"), XML)
def test_entities_and_document_types_are_refused(known: str, file: str, kind: str) -> None:
    scene = MOVING if known == "CVAT for video 1.1" else BOXES
    files = unzipped(contract.exported(BY_NAME[known], scene)[0])
    text = re.sub(r"^<\?xml[^>]*\?>", "", files[file].decode())
    used = "" if kind in ("parameters", "type only") else "&a11;"
    files[file] = (
        TYPES[kind] + text.replace("Straße", used or "Straße").replace("car", used or "car")
    ).encode()
    assert any(Path(file).name in fault for fault in refused_in_time(known, files, scene))


@pytest.mark.parametrize(("known", "file"), XML)
def test_deep_and_long_xml_is_refused_in_time(known: str, file: str) -> None:
    scene = MOVING if known == "CVAT for video 1.1" else BOXES
    files = unzipped(contract.exported(BY_NAME[known], scene)[0])
    for wild in (
        b"<a>" * 300_000,
        b"<a " + b"b" * 5_000_000 + b"='1'/>",
        b"<annotations><x " + b"a='1' " * 200_000,
    ):
        assert refused_in_time(known, {**files, file: wild}, scene)


@pytest.mark.parametrize(
    ("known", "file"),
    [("COCO 1.0", "annotations/instances_default.json"), ("Datumaro 1.0", "annotations/default.json")],
)
@pytest.mark.parametrize(
    "wild",
    [
        b"[" * 300_000,
        b'{"a":' * 300_000,
        b'{"annotations":[' + b"9" * 3_000_000 + b"]}",
        b'{"' + b"k" * 5_000_000 + b'":1}',
    ],
    ids=["lists", "objects", "digits", "name"],
)
def test_deep_and_long_json_is_refused_in_time(known: str, file: str, wild: bytes) -> None:
    files = unzipped(contract.exported(BY_NAME[known], BOXES)[0])
    assert refused_in_time(known, {**files, file: wild})


@pytest.mark.parametrize(
    "runs", ["[4000000000,1]", "[0,99999999999]", "[-5,8]", "[1e300]", "[3072,1]", '"1' + "0" * 90 + '"']
)
def test_run_lengths_beyond_the_frame_are_refused(runs: str) -> None:
    place = next(place for place in PLACES if "counts" in place.pattern)
    files = files_of(place)
    text = re.sub(r'"counts":\[[^\]]*\]', f'"counts":{runs}', files[place.file].decode())
    files[place.file] = text.encode()
    assert refused_in_time(place.known, files)


@pytest.mark.parametrize("size", ["[48000000,64000000]", "[0,0]", "[-48,-64]", "[48]", "[48.5,64]"])
def test_masks_of_other_sizes_than_their_frame_are_refused(size: str) -> None:
    place = next(place for place in PLACES if "counts" in place.pattern)
    files = files_of(place)
    files[place.file] = re.sub(r'"size":\[[^\]]*\]', f'"size":{size}', files[place.file].decode()).encode()
    assert refused_in_time(place.known, files)


def test_a_picture_of_a_mask_that_claims_a_huge_size_is_refused() -> None:
    files = unzipped(contract.exported(BY_NAME["Segmentation mask 1.1"], BOXES)[0])
    name = "SegmentationClass/img_2.png"
    content = bytearray(files[name])
    content[16:24] = (60_000).to_bytes(4, "big") * 2
    assert any(
        name in fault for fault in refused_in_time("Segmentation mask 1.1", {**files, name: bytes(content)})
    )


def test_records_with_lists_of_different_lengths_or_wild_numbers_are_refused(tmp_path: Path) -> None:
    files = unzipped(contract.exported(BY_NAME["TFRecord 1.0"], BOXES)[0])
    folder = unpacked(files, tmp_path)
    path = folder / "default.tfrecord"
    records = read("with_tfrecord.examples", path)
    first = {name: values for name, values in records[0].items() if values}
    for name, values in (
        ("image/object/bbox/xmin", [0.1, 0.2]),
        ("image/object/bbox/xmin", [float("nan")]),
        ("image/object/bbox/ymax", [float("inf")]),
        ("image/object/class/label", [99]),
        ("image/filename", ["other.png"]),
    ):
        read("with_tfrecord.write", path, records=[{**first, name: values}])
        faults = refused_in_time("TFRecord 1.0", {**files, path.name: path.read_bytes()})
        assert any(path.name in fault for fault in faults), name


def test_a_record_that_claims_a_huge_length_is_refused() -> None:
    files = unzipped(contract.exported(BY_NAME["TFRecord 1.0"], BOXES)[0])
    name = "default.tfrecord"
    assert refused_in_time("TFRecord 1.0", {**files, name: (1 << 62).to_bytes(8, "little") + files[name][8:]})
