"""Does by FiftyOne's integration of CVAT what its `annotate()` and `load_annotations()` do, with no database.

`with_fiftyone_data.py` calls them on a data set. Run in `.venv-fiftyone`; the argument is `{"url",
"username", "password", "pictures", "video"}` in JSON, the last line of the output is what was found.
"""

import json
import sys
from pathlib import Path
from typing import Any

from fiftyone.utils.cvat import CVATAnnotationAPI

OBJECTS = [f"64f0c0ffee64f0c0ffee64f{number}" for number in range(3)]
SCHEMA = {
    "cat": {
        "label_id": {"name": "label_id", "input_type": "text", "mutable": True, "values": []},
        "mood": {
            "name": "mood",
            "input_type": "select",
            "mutable": True,
            "values": ["", "sad", "glad"],
            "default_value": "sad",
        },
    }
}


def main() -> None:
    """A project with a task of pictures, and a task of a video."""
    given = json.loads(sys.argv[1])
    api = CVATAnnotationAPI("cvat", given["url"], username=given["username"], password=given["password"])
    try:
        found = {"pictures": of_pictures(api, given), "video": of_a_video(api, given["video"])}
    finally:
        api.close()
    sys.stdout.write("\n" + json.dumps(found) + "\n")


def of_pictures(api: Any, given: dict[str, Any]) -> dict[str, Any]:
    """Ids come back, jobs have what is theirs, frames are in the order of the call."""
    project = api.create_project("by fiftyone", SCHEMA)
    assert api.get_project_id("by fiftyone") == project
    assert api.get_project_name(project) == "by fiftyone"
    task, classes, attributes = api.create_task(
        "pictures", project_id=project, segment_size=2, task_assignee=given["username"]
    )
    jobs = api.upload_data(task, given["pictures"], job_assignees=[given["username"]], chunk_size=2)
    stored = api._upload_annotations(*objects(), classes, attributes, task)
    assert api.task_exists(task)
    assert api.get_project_tasks(project) == [task]
    assert api.get_empty_projects([project]) == []
    for number, path in enumerate(given["pictures"]):
        assert api.get(api.task_data_download_url(task, number)).content == Path(path).read_bytes()
    counts = []
    for job in sorted(jobs):
        data = api.get(api.job_annotation_url(job)).json()
        counts.append([len(data[kind]) for kind in ("shapes", "tags", "tracks")])
    api.delete_task(task)
    assert not api.task_exists(task)
    api.delete_project(project)
    assert not api.project_exists(project)
    return {"stored": {kind: sorted(ids.values()) for kind, ids in stored.items()}, "jobs": counts}


def objects() -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[dict[str, Any]]]:
    """Shapes, tags and tracks, with the names of labels and attributes for their ids."""
    one = {"label_id": "cat", "group": 0, "source": "manual"}
    kept = [[{"spec_id": "label_id", "value": value}] for value in OBJECTS]
    shape = {**one, "type": "rectangle", "occluded": False, "z_order": 0, "frame": 0}
    mask = {**shape, "type": "mask", "frame": 3, "points": [0, 4, 10, 10, 11, 11], "attributes": kept[1]}
    shapes = [{**shape, "points": [1.5, 2, 30, 40], "attributes": kept[0]}, mask]
    keys = [
        {"type": "rectangle", "occluded": False, "z_order": 0, "points": [1, 1, 9 + frame, 9]}
        | {"frame": frame, "outside": frame == 3, "attributes": [{"spec_id": "mood", "value": "glad"}]}
        for frame in (0, 3)
    ]
    tracks = [{"label_id": "cat", "group": 0, "frame": 0, "shapes": keys, "attributes": []}]
    return shapes, [{**one, "frame": 1, "attributes": kept[2]}], tracks


def of_a_video(api: Any, video: str) -> dict[str, Any]:
    """What is known of it, and the beginning of its first chunk."""
    task, _, _ = api.create_task(
        "film", schema=SCHEMA, image_quality=80, issue_tracker="https://example.com/1"
    )
    jobs = api.upload_data(task, [video], chunk_size=4, frame_start=1, frame_step=2)
    meta = api.get(api.task_data_meta_url(task)).json()
    chunk = api.get(api.task_data_download_url(task, 0, data_type="chunk")).content
    api.delete_tasks([task])
    return {
        "jobs": len(jobs),
        "size": meta["size"],
        "filter": meta["frame_filter"],
        "start": meta["start_frame"],
        "chunk": len(chunk) > 0,
    }


main()
