"""Files in exchange formats into tasks, by the installed command on the whole platform."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from yard.media import synthetic

from tests.e2e.command_line import CommandLine

FRAMES, MANY = 40, 100_000
SIZE = (320, 240)


@pytest.fixture
def task(command: CommandLine) -> dict[str, Any]:
    video = synthetic.make_demo_video(command.folder / "street.mp4", seconds=4, size=SIZE, fps=10)
    made: dict[str, Any] = command.json(
        "task", "create", "files", video, "--label", "car", "--segment-size", 40, "--wait"
    )
    return made


def coco(count: int, label: str = "car") -> dict[str, Any]:
    images = [
        {"id": 1 + number, "file_name": f"frame_{number:06}.PNG", "width": SIZE[0], "height": SIZE[1]}
        for number in range(FRAMES)
    ]
    boxes = [
        {
            "id": 1 + number,
            "image_id": 1 + number % FRAMES,
            "category_id": 1,
            "bbox": [number % 300, number % 200, 10.5, 20.25],
            "segmentation": [],
            "area": 212.63,
            "iscrowd": 0,
        }
        for number in range(count)
    ]
    return {"categories": [{"id": 1, "name": label}], "images": images, "annotations": boxes}


def written(command: CommandLine, name: str, content: dict[str, Any]) -> Path:
    file = command.folder / name
    if file.suffix == ".zip":
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("annotations/instances_default.json", json.dumps(content))
    else:
        file.write_text(json.dumps(content))
    return file


def revision_of(command: CommandLine, task: dict[str, Any]) -> int:
    return int(command.json("annotations", "get", "--task", task["id"])["revision"])


def test_a_hundred_thousand_boxes_come_from_one_file(command: CommandLine, task: dict[str, Any]) -> None:
    file = written(command, "many.zip", coco(MANY))
    found = command.json("task", "import", task["id"], file, "--format", "COCO 1.0")
    assert (int(found["shapes"]), int(found["tracks"]), int(found["revision"])) == (MANY, 0, 1)
    again = command.json(
        "task",
        "import",
        task["id"],
        written(command, "few.json", coco(3)),
        "--format",
        "COCO 1.0",
        "--append",
    )
    assert (int(again["shapes"]), int(again["revision"])) == (3, 2)
    (job,) = command.json("job", "list", "--task", task["id"])
    revisions = command.json("history", "list", "--job", job["id"])
    assert {kept["user"]["username"] for kept in revisions} == {"admin"}


def test_a_wrong_file_changes_nothing_and_says_why(command: CommandLine, task: dict[str, Any]) -> None:
    good = command.good(
        "task", "import", task["id"], written(command, "good.json", coco(2)), "--format", "COCO 1.0"
    )
    assert good.out == "imported: 0 tags, 2 shapes, 0 tracks; revision 1\n"
    wrong = written(command, "wrong.json", coco(2, label="cow"))
    ended = command.run("task", "import", task["id"], wrong, "--format", "COCO 1.0")
    assert ended.code != 0
    assert "cow" in ended.err
    assert "wrong.json" in ended.err
    assert revision_of(command, task) == 1
    unknown = command.run("task", "import", task["id"], wrong, "--format", "PDF 1.0")
    assert "'COCO 1.0'" in unknown.err
    absent = command.run("task", "import", 999_999, wrong, "--format", "COCO 1.0")
    assert "not found" in absent.err.lower()


def test_data_sets_become_tasks_of_a_project(command: CommandLine) -> None:
    file = command.folder / "set.zip"
    with zipfile.ZipFile(file, "w") as archive:
        for number, subset in enumerate(("one", "two")):
            content = io.BytesIO()
            scene = synthetic.numbered_scene(number, SIZE)
            Image.fromarray(np.asarray(scene)).save(content, "PNG")
            archive.writestr(f"images/{subset}/a.png", content.getvalue())
            document = {
                "categories": [{"id": 1, "name": "car"}],
                "images": [{"id": 1, "file_name": "a.png"}],
                "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4]}],
            }
            archive.writestr(f"annotations/instances_{subset}.json", json.dumps(document))
    project = command.json("project", "create", "set")["id"]
    told = command.good("project", "import", project, file, "--format", "COCO 1.0")
    assert told.out.startswith("imported: 2 tasks, 2 images, 0 tags, 2 shapes, 0 tracks\n")
    tasks = command.json("task", "list", "--project", project)
    assert sorted(task["name"] for task in tasks) == ["one", "two"]
    other = command.json("project", "create", "other", "--label", "cow")["id"]
    refused = command.run("project", "import", other, file, "--format", "COCO 1.0")
    assert refused.code != 0
    assert "labels: there is no label 'car'" in refused.err


def test_masks_go_into_a_task_that_is_drawn_in_polygons(command: CommandLine) -> None:
    video = synthetic.make_demo_video(command.folder / "street.mp4", seconds=4, size=SIZE, fps=10)
    labels = command.folder / "labels.json"
    labels.write_text(json.dumps([{"name": "car", "type": "polygon", "attributes": []}]))
    task = command.json("task", "create", "drawn", video, "--labels", labels, "--wait")
    content = coco(1)
    width, height = SIZE
    # Two columns at the left edge, two pixels high, and one of a pixel further on.
    runs = [0, 2, height - 2, 2, 3 * height - 2, 1]
    counts = [*runs, width * height - sum(runs)]
    content["annotations"][0]["segmentation"] = {"counts": counts, "size": [height, width]}
    file = written(command, "masks.json", content)
    refused = command.run("task", "import", task["id"], file, "--format", "COCO 1.0")
    assert refused.code != 0
    assert "is not for objects of the kind mask" in refused.err
    told = command.good("task", "import", task["id"], file, "--format", "COCO 1.0", "--convert-masks")
    assert told.out == "imported: 0 tags, 2 shapes, 0 tracks; revision 1\n"
    shapes = command.json("annotations", "get", "--task", task["id"])["annotations"]["shapes"]
    assert [shape["points"] for shape in shapes] == [[0, 0, 2, 0, 2, 2, 0, 2], [4, 0, 5, 0, 5, 1, 4, 1]]
    assert len({shape["group"] for shape in shapes}) == 1
