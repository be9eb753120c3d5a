import random
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from yard.annotations.labels import Attribute, AttributeInput, Label, LabelSchema
from yard.annotations.model import AnnotationSet, Keyframe, Shape, ShapeKind, Track
from yard.export.domain import LeftOut
from yard.export.formats.box_reading import CUT, OUTSIDE
from yard.export.formats.mot import MOT, SHOWN

from services.export.tests import oracles
from services.export.tests.box_sets import SHAPES, TRACKS
from services.export.tests.contract import exported
from services.export.tests.intake_scene import imported, tried
from services.export.tests.sample import SUBJECT, dataset, files
from services.export.tests.scenes import PROJECT, SCENES

GOLDEN = Path(__file__).parent / "golden" / "mot"
LABELS = 'car <&"\nStraße\n'.encode()
IGNORED = Attribute(id=1, name="ignored", input=AttributeInput.CHECKBOX, mutable=True)
VISIBILITY = Attribute(
    id=2, name="visibility", input=AttributeInput.NUMBER, values=("0", "1", "0.25"), default_value="1"
)
SEEN = replace(VISIBILITY, mutable=True)


def given_rows(rows: str, labels: bytes | None = LABELS) -> dict[str, bytes]:
    return {"gt/gt.txt": rows.encode()} | ({"gt/labels.txt": labels} if labels is not None else {})


def test_it_is_as_written_by_hand() -> None:
    made = dataset()
    assert files(MOT, made) == oracles.packed(GOLDEN)
    kinds = {one.kind: one.count for one in made.left_out}
    assert kinds == {
        "attribute": 6,
        "cuboid": 1,
        "ellipse": 1,
        "group": 1,
        "mask": 1,
        "points": 1,
        "polygon": 2,
        "polyline": 1,
        "rotation": 1,
        "tag": 1,
        "z_order": 1,
    }


def test_images_are_numbered_as_rows_are() -> None:
    subject = replace(SUBJECT, deleted=((1, 1),))
    found = files(MOT, dataset(subject=subject, image=lambda frame: [frame.name.encode()]))
    assert {name: found[name] for name in found if name.startswith("img1/")} == {
        "img1/000001.PNG": b"frame_000010",
        "img1/000003.PNG": b"frame_000020",
        "img1/000004.PNG": b"frame_000025",
    }


def test_a_job_counts_from_its_first_frame() -> None:
    subject = replace(SUBJECT, first=2, job_id=32)
    box = Shape(frame=3, label_id=7, kind=ShapeKind.RECTANGLE, points=(1, 1, 2, 2))
    found = files(MOT, dataset(AnnotationSet(shapes=(box,)), subject))
    assert found["gt/gt.txt"] == b"2,-1,1.00,1.00,1.00,1.00,1,1,1\n"
    assert [one.frame for one in imported(MOT, found, subject).shapes] == [3]


def test_each_task_of_a_project_is_a_sequence() -> None:
    content, _ = exported(MOT, PROJECT)
    names = oracles.unzipped(content)
    assert [name for name in names if name.endswith("gt.txt")] == [
        "Train/task_12/gt/gt.txt",
        "Test/task_13/gt/gt.txt",
        "Train/task_14/gt/gt.txt",
    ]
    (fault,) = tried(MOT, names).faults
    assert "several sequences" in fault.reason


@settings(max_examples=40, deadline=None)
@given(TRACKS)
def test_tracks_come_back_bit_for_bit(objects: AnnotationSet) -> None:
    found = imported(MOT, files(MOT, dataset(objects)))
    assert _tracks(found) == _tracks(objects)


def _tracks(objects: AnnotationSet) -> list[tuple[object, ...]]:
    def state(one: Keyframe) -> tuple[object, ...]:
        return (one.frame, one.outside, one.occluded, one.points)

    return sorted((track.label_id, *map(state, track.keyframes)) for track in objects.tracks)


@settings(max_examples=30, deadline=None)
@given(SHAPES)
def test_boxes_come_back_bit_for_bit(objects: AnnotationSet) -> None:
    found = imported(MOT, files(MOT, dataset(objects)))
    wanted = sorted((one.frame, one.label_id, one.points) for one in objects.shapes)
    assert sorted((one.frame, one.label_id, one.points) for one in found.shapes) == wanted


def test_columns_become_attributes_and_back() -> None:
    labels = LabelSchema([Label(id=7, name="car", attributes=(IGNORED, SEEN))])
    subject = replace(SUBJECT, labels=labels)
    box = (1.0, 2.0, 3.0, 4.0)
    states: tuple[dict[int, str], ...] = ({1: "true", 2: "0.5"}, {}, {1: "false", 2: "0.25"}, {2: "1"})
    track = Track(
        label_id=7,
        keyframes=tuple(
            Keyframe(frame=frame, kind=ShapeKind.RECTANGLE, points=box, attributes=values)
            for frame, values in enumerate(states)
        ),
    )
    single = Shape(
        frame=1, label_id=7, kind=ShapeKind.RECTANGLE, points=box, attributes={1: "true", 2: "0.75"}
    )
    made = dataset(AnnotationSet(shapes=(single,), tracks=(track,)), subject)
    found = files(MOT, made)
    assert made.left_out == []
    assert found["gt/gt.txt"].decode().splitlines() == [
        "1,1,1.00,2.00,2.00,2.00,0,1,0.5",
        "2,-1,1.00,2.00,2.00,2.00,0,1,0.75",
        "2,1,1.00,2.00,2.00,2.00,0,1,0.5",
        "3,1,1.00,2.00,2.00,2.00,1,1,0.25",
        "4,1,1.00,2.00,2.00,2.00,1,1,1",
    ]
    again = imported(MOT, found, subject)
    assert [dict(one.attributes) for one in again.shapes] == [{1: "true", 2: "0.75"}]
    assert [dict(one.attributes) for one in again.tracks[0].keyframes] == [
        {1: "true", 2: "0.5"},
        {},
        {1: "false", 2: "0.25"},
        {2: "1"},
    ]


def test_columns_without_attributes_are_counted() -> None:
    rows = "1,1,1,1,2,2,0,1,0.5\n2,1,1,1,2,2,1,1,1\n1,-1,1,1,2,2,1,1,0\n"
    found = tried(MOT, given_rows(rows))
    assert found.ignored == Counter(
        {
            ("attribute", "'ignored' is no checkbox of the label"): 1,
            ("attribute", "'visibility' is no number of the label"): 1,
        }
    )
    assert [one.occluded for one in found.objects.shapes] == [True]


def test_rows_come_in_any_order_and_gaps_are_gaps() -> None:
    frames = [0, 1, 4, 5, 9]
    rows = [f"{frame + 1},{track},{track % 9},1,2,2,1,1,1\n" for track in range(60) for frame in frames]
    random.Random(3).shuffle(rows)
    subject = replace(SUBJECT, last=11)
    found = imported(MOT, given_rows("".join(rows)), subject).tracks
    assert len(found) == 60
    for track in found:
        states = [(one.frame, one.outside) for one in track.keyframes]
        assert [frame for frame, outside in states if not outside] == frames
        assert [frame for frame, outside in states if outside] == [2, 6, 10]


@pytest.mark.parametrize("row", ["1,3,1,2,3,4,1", "1,3,1,2,3,4,1,-1,-1,-1", "1,3,1,2,3,4,1,-1"])
def test_rows_without_a_class_need_a_single_label(row: str) -> None:
    assert len(imported(MOT, given_rows(row + "\n", LABELS[: LABELS.index(b"\n") + 1])).tracks) == 1
    (fault,) = tried(MOT, given_rows(row)).faults
    assert (fault.where, fault.reason) == ("gt/gt.txt:1", "names no class, and there are 2 labels")


def test_without_a_list_classes_are_the_labels_of_the_task() -> None:
    found = imported(MOT, given_rows("1,3,1,2,3,4,1,2,1\r\n", None) | {"seqinfo.ini": b"[Sequence]"})
    assert [one.label_id for one in found.tracks] == [4]


def test_boxes_reach_over_the_edge_and_are_cut_only_where_no_object_may_be() -> None:
    rows = "1,1,-2,1,4,4,1,1,1\n2,1,50,1,4,4,1,1,1\n3,1,1,-30,4,34,1,1,1\n"
    found = tried(MOT, given_rows(rows + "1,-1,-2,1,4,4,1,1,1\n"))
    (track,) = found.objects.tracks
    assert [(one.frame, one.outside, one.points) for one in track.keyframes] == [
        (0, False, (-2, 1, 2, 5)),
        (1, True, (-2, 1, 2, 5)),
        (2, False, (1, 0, 5, 4)),
        (3, True, (1, 0, 5, 4)),
    ]
    assert [one.points for one in found.objects.shapes] == [(-2, 1, 2, 5)]
    assert found.ignored == {("rectangle", OUTSIDE): 1, ("rectangle", CUT): 1}


def test_where_labels_have_a_visibility_it_says_nothing_else() -> None:
    labels = LabelSchema([Label(id=7, name="car", attributes=(VISIBILITY,))])
    subject, box = replace(SUBJECT, labels=labels), (1.0, 2.0, 3.0, 4.0)
    shapes = tuple(
        Shape(
            frame=1,
            label_id=7,
            kind=ShapeKind.RECTANGLE,
            points=box,
            occluded=occluded,
            attributes={2: share},
        )
        for share, occluded in (("0.5", True), ("0", False))
    )
    made = dataset(AnnotationSet(shapes=shapes), subject)
    found = imported(MOT, files(MOT, made), subject)
    assert made.left_out == [LeftOut("occluded", SHOWN, 1)]
    assert [(one.occluded, one.attributes) for one in found.shapes] == [
        (False, {2: "0.5"}),
        (False, {2: "0"}),
    ]


@pytest.mark.parametrize(
    ("rows", "line", "reason"),
    [
        ("1,1,1,1,2,2,1,1,1\n5,1,1,1,2,2,1,1,1\n", 2, "frames 1 to 4 only"),
        ("0,1,1,1,2,2,1,1,1\n", 1, "frames 1 to 4 only"),
        ("1,1,1,1,2,2,1,3,1\n", 1, "classes 1 to 2 only"),
        ("1,1,1,1,2,2,1,0,1\n", 1, "classes 1 to 2 only"),
        ("1,1,1,1,2,2,1,1.5,1\n", 1, "classes 1 to 2 only"),
        ("1.5,1,1,1,2,2,1,1,1\n", 1, "whole numbers"),
        ("1,1,nan,1,2,2,1,1,1\n", 1, "not finite"),
        ("1,1,1,inf,2,2,1,1,1\n", 1, "not finite"),
        ("1,1,1,1,-2,2,1,1,1\n", 1, "negative"),
        ("1,1,1,1,2,2,1,1,1\n2,1,1,1,x,2,1,1,1\n", 2, "'x' is no number"),
        ("1,1,1,1,2,2,1,1,1\n2,1,1,1,2,2,1,1\n", 2, "has 8 columns, the first one has 9"),
        ("1,1,1,1,2,2\n", 1, "has 6 columns, 7 to 10 are needed"),
        ("1,1,1,1,2,2,1,1,1\n\n2,1,1,1,2,2,1,1,1\n", 2, "is empty"),
        ("1,1,1,1,2,2,1,1,1\n1,1,1,1,3,3,1,1,1\n", 2, "has the track and frame of line 1"),
        ("1,1,1,1,2,2,1,1,1\n2,1,1,1,3,3,1,2,1\n", 2, "another class on line 1"),
        ("1" * 5000 + ",1,1,1,2,2,1,1,1\n", 1, "has more than 4096 characters"),
    ],
)
def test_wrong_rows_are_refused(rows: str, line: int, reason: str) -> None:
    (fault,) = tried(MOT, given_rows(rows)).faults
    assert fault.where == f"gt/gt.txt:{line}"
    assert reason in fault.reason


def test_a_file_without_rows_file_is_refused() -> None:
    (fault,) = tried(MOT, {"det/det.txt": b""}).faults
    assert fault.reason == "has no gt/gt.txt"
    assert imported(MOT, given_rows("")) == AnnotationSet()


def test_more_rows_than_frames_are_refused_before_they_are_all_held() -> None:
    rows = ("1,1,1,1,2,2,1,1,1\n" * 10_000).encode() * 110
    faults = tried(MOT, {"gt/gt.txt": rows, "gt/labels.txt": LABELS}).faults
    assert "more rows than the 4 frames" in faults[0].reason


def test_trackeval_and_motmetrics_agree(tmp_path: Path) -> None:
    (scene,) = [scene for scene in SCENES if scene.name == "tracks with gaps"]
    folder = oracles.unpacked(oracles.unzipped(exported(MOT, scene)[0]), tmp_path)
    scores = oracles.read("with_mot.scores", folder / "gt/gt.txt", length=8)
    assert (scores["HOTA"], scores["MOTA"], scores["switches"]) == (1.0, 1.0, 0.0)
    rows = oracles.read("with_mot.rows", folder / "gt/gt.txt")
    lines = (folder / "gt/gt.txt").read_text().splitlines()
    assert len(rows) == len(lines) == scores["boxes"]


def test_what_datumaro_writes_is_read(tmp_path: Path) -> None:
    (scene,) = [scene for scene in SCENES if scene.name == "tracks with gaps"]
    ours = oracles.unzipped(exported(MOT, scene)[0])
    oracles.unpacked(ours, tmp_path / "ours")
    (task,) = scene.tasks
    items = oracles.read("with_datumaro.items", tmp_path / "ours", kind="mot_seq")
    assert sum(len(item["objects"]) for item in items) == len(ours["gt/gt.txt"].splitlines())
    theirs = tmp_path / "theirs"
    oracles.read(
        "with_datumaro.convert", tmp_path / "ours", kind="mot_seq", into="mot_seq_gt", folder=str(theirs)
    )
    again = imported(MOT, oracles.packed(theirs), task.subject)
    assert _tracks(again) == _tracks(imported(MOT, ours, task.subject))
