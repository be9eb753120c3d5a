"""Whole data sets into projects: a task of each subset with its images and annotations, or nothing."""

import io
import zipfile
from collections.abc import Mapping
from typing import Any

import httpx
import pytest
from yard.testkit import eventually

from tests.gateway.people import People
from tests.gateway.sending import ended, form, names, original, picture
from tests.gateway.test_backups import backup
from tests.gateway.test_datasets import EMPTY, exported, sent

FORMATS = {
    "CVAT for images 1.1": "CVAT 1.1",
    "CVAT for video 1.1": "CVAT 1.1",
    "PASCAL VOC 1.1": "PASCAL VOC 1.1",
    "Segmentation mask 1.1": "Segmentation mask 1.1",
    "YOLO 1.1": "YOLO 1.1",
    "COCO 1.0": "COCO 1.0",
    "MOT 1.1": "MOT 1.1",
    "LabelMe 3.0": "LabelMe 3.0",
    "Datumaro 1.0": "Datumaro 1.0",
}
# Both subsets have a b.png, which are other pictures.
SUBSETS = {"Train": (["a.png", "b.png"], 10.0), "Val": (["b.png", "c.png"], 50.0)}


async def new_project(http: httpx.AsyncClient, *labels: str) -> int:
    body = {"name": "set", "labels": [{"name": label} for label in labels]}
    answer = await http.post("/api/projects", json=body)
    assert answer.status_code == 201, answer.text
    return int(answer.json()["id"])


async def filled(http: httpx.AsyncClient) -> int:
    """A project with a task of each subset: two pictures with a box on each."""
    project_id = await new_project(http, "car", "bus")
    labels = (await http.get("/api/labels", params={"project_id": project_id})).json()["results"]
    car = next(label["id"] for label in labels if label["name"] == "car")
    for number, (subset, (files, left)) in enumerate(SUBSETS.items()):
        body = {"name": "t", "project_id": project_id, "subset": subset}
        task_id = (await http.post("/api/tasks", json=body)).json()["id"]
        pictures = form([(name, picture(10 * number + place)) for place, name in enumerate(files)])
        request = await ended(http, await http.post(f"/api/tasks/{task_id}/data", files=pictures))
        assert request["status"] == "finished", request
        box = {"type": "rectangle", "label_id": car, "points": [left, 20, left + 30, 60]}
        shapes = [{**box, "frame": frame} for frame in (0, 1)]
        saved = await http.put(f"/api/tasks/{task_id}/annotations", json={"shapes": shapes})
        assert saved.status_code == 200, saved.text
    return project_id


async def tasks_of(http: httpx.AsyncClient, project_id: int) -> dict[str, dict[str, Any]]:
    found = (await http.get("/api/tasks", params={"project_id": project_id})).json()["results"]
    return {task["name"]: task for task in found}


async def imported(
    http: httpx.AsyncClient, project_id: int, format_name: str, content: bytes
) -> dict[str, Any]:
    """The request object, when it has ended; the file comes by tus, as from the SDK."""
    url = f"/api/projects/{project_id}/dataset/"
    query = {"format": format_name, "filename": "set.zip"}
    begin = await http.post(url, params=query, headers=EMPTY | {"Upload-Start": ""})
    assert begin.status_code == 202, begin.text
    told = await sent(http, url, content)
    finish = EMPTY | {"Upload-Finish": ""}
    return await ended(http, await http.post(url, params=query | {"filename": told}, headers=finish))


async def ended_as_before(http: httpx.AsyncClient, project_id: int, rq_id: str) -> None:
    """Asks as clients did before there were requests."""
    url, query = f"/api/projects/{project_id}/dataset", {"action": "import_status", "rq_id": rq_id}

    async def is_over() -> bool:
        answer = await http.get(url, params=query)
        assert answer.status_code in (201, 202), answer.text
        return answer.status_code == 201

    await eventually(is_over, timeout_s=60)
    other = await new_project(http)
    assert (await http.get(f"/api/projects/{other}/dataset", params=query)).status_code == 404
    assert (await http.get(url)).json() == {"format": ["is required"]}


def zipped(files: Mapping[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return made.getvalue()


async def test_data_sets_become_tasks_again_in_every_format(admin: httpx.AsyncClient) -> None:
    source = await filled(admin)
    for exporter, importer in FORMATS.items():
        _, archive = await exported(admin, f"/api/projects/{source}", format=exporter, save_images="True")
        # Masks are painted over each other by label; the project has labels in one half of the formats.
        project_id = await new_project(admin, *(("car", "bus") if "1.1" in importer else ()))
        request = await imported(admin, project_id, importer, archive)
        assert request["status"] == "finished", (exporter, request)
        assert (request["operation"]["type"], request["operation"]["project_id"]) == (
            "import:dataset",
            project_id,
        )
        tasks = await tasks_of(admin, project_id)
        assert sorted(tasks) == sorted(SUBSETS), exporter
        for number, (subset, (files, left)) in enumerate(SUBSETS.items()):
            task = tasks[subset]
            assert (task["subset"], task["size"], task["owner"]["username"]) == (subset, 2, "admin")
            if exporter != "MOT 1.1":
                assert await names(admin, task["id"]) == files, exporter
            for frame in (0, 1):
                assert await original(admin, task["id"], frame) == picture(10 * number + frame), exporter
            objects = (await admin.get(f"/api/tasks/{task['id']}/annotations")).json()
            assert _lefts(objects) == [(0, left), (1, left)], (exporter, objects)


def _lefts(objects: dict[str, Any]) -> list[tuple[int, float]]:
    """Frame and left edge of each object; a mask ends with its box."""
    keys = [key for track in objects["tracks"] for key in track["shapes"] if not key["outside"]]
    return sorted(
        (each["frame"], float(each["points"][-4 if each["type"] == "mask" else 0]))
        for each in [*objects["shapes"], *keys]
    )


COCO = {
    "annotations/instances_one.json": b'{"categories":[{"id":1,"name":"dog"}],"images":[{"id":1,"file_name":'
    b'"a.png","width":320,"height":240}],"annotations":[{"id":1,"image_id":1,"category_id":1,"bbox":[1,2,3,4]}]}',
}


@pytest.mark.parametrize(
    ("labels", "files", "reason"),
    [
        (["cat"], {**COCO, "images/a.png": picture(1)}, "has no label 'dog'"),
        ([], COCO, "holds no images"),
        ([], {**COCO, "images/b.png": picture(1)}, "there is no image 'a.png'"),
        ([], {"images/a.png": picture(1)}, "names none"),
        ([], {**COCO, "images/a.png": b"no picture"}, "is not an image"),
        (
            [],
            {
                **COCO,
                "annotations/instances_two.json": COCO["annotations/instances_one.json"]
                .replace(b"a.png", b"b.png")
                .replace(b"[1,2,3,4]", b"[1,2,-3,4]"),
                "images/a.png": picture(1),
                "images/b.png": picture(2),
            },
            "annotation 1: points: the second corner",
        ),
    ],
    ids=["labels", "annotations only", "missing image", "no labels", "no picture", "second subset"],
)
async def test_what_is_wrong_leaves_nothing_behind(
    labels: list[str], files: dict[str, bytes], reason: str, admin: httpx.AsyncClient
) -> None:
    project_id = await new_project(admin, *labels)
    request = await imported(admin, project_id, "COCO 1.0", zipped(files))
    assert request["status"] == "failed"
    assert reason in request["message"], request["message"]

    async def is_empty() -> bool:
        found = (await admin.get("/api/labels", params={"project_id": project_id})).json()["results"]
        return not await tasks_of(admin, project_id) and [label["name"] for label in found] == labels

    await eventually(is_empty, timeout_s=30)


async def test_a_killed_import_makes_each_task_once(admin: httpx.AsyncClient, people: People) -> None:
    source = await filled(admin)
    _, archive = await exported(admin, f"/api/projects/{source}", format="Datumaro 1.0", save_images="True")
    project_id = await new_project(admin)
    files = {"dataset_file": ("a.zip", archive)}
    url = f"/api/projects/{project_id}/dataset"
    begun = await admin.post(url, params={"format": "Datumaro 1.0"}, files=files)

    async def has_begun() -> bool:
        return bool(await tasks_of(admin, project_id))

    await eventually(has_begun, timeout_s=60)
    (first,) = await tasks_of(admin, project_id)
    await people.platform.is_back("export", people.platform.kill("export"))
    request = await ended(admin, begun)
    assert request["status"] == "finished", request
    tasks = await tasks_of(admin, project_id)
    assert (first, sorted(tasks)) == ("Train", sorted(SUBSETS))
    for subset, (_, left) in SUBSETS.items():
        objects = (await admin.get(f"/api/tasks/{tasks[subset]['id']}/annotations")).json()
        assert _lefts(objects) == [(0, left), (1, left)]


async def test_a_form_is_enough_and_labels_come_with_their_attributes(admin: httpx.AsyncClient) -> None:
    project_id = await new_project(admin)
    document = (
        "<annotations><meta><task><labels><label><name>car</name><color>#112233</color><type>rectangle</type>"
        "<attributes><attribute><name>doors</name><mutable>True</mutable><input_type>select</input_type>"
        "<default_value>4</default_value><values>2\n4</values></attribute></attributes></label></labels></task>"
        '</meta><image id="0" name="a.png" width="320" height="240"><box label="car" xtl="1" ytl="2" '
        'xbr="30" ybr="40" occluded="0"><attribute name="doors">2</attribute></box></image></annotations>'
    )
    files = {"dataset_file": ("a.zip", zipped({"annotations.xml": document.encode(), "a.png": picture(1)}))}
    url = f"/api/projects/{project_id}/dataset"
    begun = await admin.post(url, params={"format": "CVAT 1.1"}, files=files)
    await ended_as_before(admin, project_id, begun.json()["rq_id"])
    (label,) = (await admin.get("/api/labels", params={"project_id": project_id})).json()["results"]
    assert (label["name"], label["color"], label["type"]) == ("car", "#112233", "rectangle")
    (attribute,) = label["attributes"]
    assert (attribute["input_type"], attribute["values"]) == ("select", ["2", "4"])
    (task,) = (await tasks_of(admin, project_id)).values()
    assert (task["name"], task["subset"], task["size"]) == ("default", "", 1)
    (shape,) = (await admin.get(f"/api/tasks/{task['id']}/annotations")).json()["shapes"]
    assert shape["attributes"] == [{"spec_id": attribute["id"], "value": "2"}]
    # A backup takes the archive and the list of its members along.
    _, kept = await backup(admin, f"/api/tasks/{task['id']}")
    form_of_it = {"task_file": ("b.zip", kept)}
    restored = await ended(admin, await admin.post("/api/tasks/backup", files=form_of_it))
    assert restored["status"] == "finished", restored
    assert await names(admin, restored["result_id"]) == ["a.png"]
    assert await original(admin, restored["result_id"], 0) == picture(1)


async def test_who_may_not_make_tasks_is_told_before_a_file_comes(
    admin: httpx.AsyncClient, people: People
) -> None:
    project_id = await new_project(admin, "car")
    other = await people.make("set.other")
    begin: dict[str, Any] = {"params": {"format": "COCO 1.0"}, "headers": EMPTY | {"Upload-Start": ""}}
    assert (await other.post(f"/api/projects/{project_id}/dataset", **begin)).status_code == 404
    assert (await admin.post("/api/projects/999999/dataset", **begin)).status_code == 404
    bad = {"dataset_file": ("a.zip", b"x")}
    for name in ("", "TFRecord 1.0", "Sketch 9"):
        answer = await admin.post(f"/api/projects/{project_id}/dataset", params={"format": name}, files=bad)
        assert answer.status_code == 400, name
