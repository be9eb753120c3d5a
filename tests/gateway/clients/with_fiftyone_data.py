"""Annotates a real data set of FiftyOne: `annotate()`, somebody works on the task, `load_annotations()`.

Run in `.venv-fiftyone`, which holds FiftyOne's database too; the argument is `{"url", "username", "password",
"pictures"}` in JSON, the last line of the output is what was found.
"""

import json
import sys
from typing import Any

import fiftyone as fo

CAT, DOG = [0.1, 0.2, 0.3, 0.4], [0.5, 0.5, 0.25, 0.25]
# Models find what leaves the picture.
BEYOND = [-0.1, 0.6, 0.3, 0.6]
ROOF = [[0.1, 0.1], [0.9, 0.1], [0.5, 0.4]]


def main() -> None:
    """All of it."""
    given = json.loads(sys.argv[1])
    dataset = made(given["pictures"])
    results = dataset.annotate(
        "run",
        backend="cvat",
        url=given["url"],
        username=given["username"],
        password=given["password"],
        label_schema=schema(),
        segment_size=2,
        project_name="by annotate",
        allow_additions=True,
    )
    api = results.connect_to_api()
    [task] = results.task_ids
    sent = api.get(api.task_annotation_url(task)).json()
    worked_on(api, task, sent)
    status = results.get_status()["objects"][task]
    dataset.load_annotations("run", cleanup=True)
    found = {
        "sent": {kind: len(sent[kind]) for kind in ("shapes", "tags", "tracks")},
        "jobs": len(status["jobs"]),
        "left": api.task_exists(task),
        "samples": [seen(sample) for sample in dataset.sort_by("filepath")],
    }
    api.close()
    sys.stdout.write("\n" + json.dumps(found) + "\n")


def made(pictures: list[str]) -> Any:
    """A sample a picture: a cat and a dog, a box that leaves the picture, a roof."""
    dataset = fo.Dataset("street")
    samples = [fo.Sample(filepath=path) for path in pictures]
    boxes = [
        fo.Detection(label="cat", bounding_box=CAT, mood="sad"),
        fo.Detection(label="dog", bounding_box=DOG, mood="glad"),
    ]
    samples[0]["objects"] = fo.Detections(detections=boxes)
    samples[1]["objects"] = fo.Detections(
        detections=[fo.Detection(label="dog", bounding_box=BEYOND, mood="sad")]
    )
    roof = fo.Polyline(label="roof", points=[ROOF], closed=True, filled=True)
    samples[2]["outlines"] = fo.Polylines(polylines=[roof])
    dataset.add_samples(samples)
    return dataset


def schema() -> dict[str, Any]:
    """What is annotated."""
    mood = {"type": "select", "values": ["sad", "glad"], "default": "sad"}
    return {
        "objects": {"type": "detections", "classes": ["cat", "dog"], "attributes": {"mood": mood}},
        "outlines": {"type": "polygons", "classes": ["roof"], "attributes": {}},
    }


def worked_on(api: Any, task: int, sent: dict[str, Any]) -> None:
    """The cat is moved, the dog beside it goes, and there is a new one on the last picture."""
    cat, dog = (shape for shape in sent["shapes"] if shape["type"] == "rectangle" and shape["frame"] == 0)
    cat["points"] = [16.0, 24.0, 160.0, 120.0]
    new = {name: dog[name] for name in ("type", "label_id", "occluded", "z_order", "group", "source")}
    new |= {"frame": 2, "points": [32.0, 24.0, 64.0, 48.0], "attributes": []}
    shapes = [shape for shape in sent["shapes"] if shape["id"] != dog["id"]]
    api.put(api.task_annotation_url(task), json={**sent, "shapes": [*shapes, new]})


def seen(sample: Any) -> dict[str, Any]:
    """Labels with their places in hundredths of the picture, and what they are like."""
    objects = sample["objects"].detections if sample["objects"] else []
    outlines = sample["outlines"].polylines if sample["outlines"] else []
    return {
        "objects": sorted(
            [one.label, one.get_attribute_value("mood"), [round(100 * n) for n in one.bounding_box]]
            for one in objects
        ),
        "outlines": [[one.label, one.closed, len(one.points[0])] for one in outlines],
    }


main()
