"""Labels that change after people have drawn: told before, and seen in what is read and exported after."""

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from yard.media import synthetic

from tests.e2e.command_line import CommandLine

FORMATS = {
    "CVAT for video 1.1": "annotations.xml",
    "CVAT for images 1.1": "annotations.xml",
    "COCO 1.0": "annotations/instances_default.json",
}


@pytest.fixture
def task(command: CommandLine, tmp_path: Path) -> dict[str, Any]:
    """With a blue car that stands and one that drives."""
    video = synthetic.make_demo_video(tmp_path / "street.mp4", seconds=2, size=(320, 240), fps=10)
    label = "car:any:colour=select[red,blue]"
    made: dict[str, Any] = command.json("task", "create", "changing", video, "--label", label, "--wait")
    car = made["labels"][0]
    blue = [{"attribute_id": car["attributes"][0]["id"], "value": "blue"}]
    about = {"label_id": car["id"], "attributes": blue}
    box = {"kind": "SHAPE_KIND_RECTANGLE", "points": [10, 20, 60, 80]}
    drawn = {
        "shapes": [{**box, **about, "frame": 3}],
        "tracks": [{**about, "keyframes": [{**box, "frame": 0}, {**box, "frame": 5, "outside": True}]}],
    }
    command.good("annotations", "put", "--task", made["id"], "-", text=json.dumps(drawn))
    return made


def exported(command: CommandLine, task: dict[str, Any], form: str) -> str:
    made = command.json("export", "create", form, "--task", task["id"], "--force")
    with zipfile.ZipFile(command.folder / made["file"]) as members:
        return members.read(FORMATS[form]).decode()


def test_a_change_is_told_before_it_is_made(command: CommandLine, task: dict[str, Any]) -> None:
    car = task["labels"][0]
    labels = command.folder / "labels.json"
    attribute = {**car["attributes"][0], "values": ["red"]}
    changed = {**car, "name": "auto", "kind": "LABEL_KIND_POLYGON", "attributes": [attribute]}
    labels.write_text(json.dumps([changed, {"name": "bus"}]))
    change = ("task", "labels", task["id"], "--labels", labels, "--dry-run")
    assert command.good(*change).out.splitlines() == [
        f"label {car['id']}: car, from now on auto; objects that stay, although it is not for their kind: 2; "
        "objects with a value that is not allowed any more: 2",
        "label bus: new",
    ]
    told = command.json(*change)
    assert [effect["misfit_objects"] for effect in told["effects"]] == ["2", "0"]
    assert [label["name"] for label in told["task"]["labels"]] == ["car"]
    gone = command.good("task", "labels", task["id"], "--delete", car["id"], "--dry-run").out
    assert gone == f"label {car['id']}: car goes; objects that go with it: 2\n"
    assert command.json("task", "show", task["id"])["labels"] == task["labels"]


@pytest.mark.parametrize("form", FORMATS)
def test_exports_have_new_names_and_defaults(command: CommandLine, task: dict[str, Any], form: str) -> None:
    car = task["labels"][0]
    mood = {"name": "mood", "input": "ATTRIBUTE_INPUT_SELECT", "values": ["calm", "wild"], "mutable": True}
    tint = {**car["attributes"][0], "name": "tint"}
    labels = command.folder / "labels.json"
    labels.write_text(json.dumps([{**car, "name": "auto", "attributes": [tint, mood]}]))
    command.good("task", "labels", task["id"], "--labels", labels)
    text = exported(command, task, form)
    assert not any(f'"{old}"' in text for old in ("car", "colour"))
    if form == "COCO 1.0":
        found = json.loads(text)
        assert [each["name"] for each in found["categories"]] == ["auto"]
        values = [each["attributes"] for each in found["annotations"]]
        assert {(each["tint"], each["mood"]) for each in values} == {("blue", "calm")}
        assert len(values) == 6
    else:
        drawn = text.count("<box ")
        assert (text.count('label="auto"') > 0, drawn > 0) == (True, True)
        assert text.count('<attribute name="tint">blue</attribute>') == drawn
        assert text.count('<attribute name="mood">calm</attribute>') == drawn
