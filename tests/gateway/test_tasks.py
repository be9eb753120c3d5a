"""Tasks and their labels over HTTP."""

from typing import Any

import httpx
import pytest

from tests.gateway.people import People

MODEL: dict[str, Any] = {
    "name": "model",
    "mutable": False,
    "input_type": "select",
    "values": ["a", "b"],
    "default_value": "a",
}
CAR: dict[str, Any] = {"name": "car", "color": "#ff0000", "type": "rectangle", "attributes": [MODEL]}
# As the client's models demand: keys that are there and never null, and those that may be null.
NEVER_NULL = {
    "jobs": dict,
    "labels": dict,
    "id": int,
    "name": str,
    "size": int,
    "updated_date": str,
    "created_date": str,
    "data_original_chunk_type": str,
    "data_compressed_chunk_type": str,
    "mode": str,
    "url": str,
    "bug_tracker": str,
    "segment_size": int,
    "status": str,
    "image_quality": int,
    "dimension": str,
    "media_type": str,
    "subset": str,
    "initial_replicas": int,
}
NULL = ("organization", "organization_id", "target_storage", "source_storage", "data_chunk_size", "data")


async def make(http: httpx.AsyncClient, name: str = "street", **more: Any) -> dict[str, Any]:
    answer = await http.post("/api/tasks", json={"name": name, **more})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def labels_of(http: httpx.AsyncClient, thing: dict[str, Any]) -> list[dict[str, Any]]:
    page = (await http.get(thing["labels"]["url"])).raise_for_status().json()
    found: list[dict[str, Any]] = page["results"]
    assert page["count"] == len(found)
    return found


async def test_a_task_is_made_read_changed_listed_and_deleted(admin: httpx.AsyncClient) -> None:
    task = await make(admin, labels=[CAR], image_quality=70, segment_size=10, organization_id=None)
    assert (task["mode"], task["size"], task["jobs"]["count"]) == ("", 0, 0)
    (car,) = await labels_of(admin, task)
    assert (car["name"], car["type"], car["task_id"]) == ("car", "rectangle", task["id"])
    car["name"] = "cart"
    changes = {"name": "road", "subset": "train", "labels": [car, {"name": "dog"}]}
    changed = await admin.patch(f"/api/tasks/{task['id']}", json=changes)
    assert (changed.json()["name"], changed.json()["subset"]) == ("road", "train"), changed.text
    assert [label["name"] for label in await labels_of(admin, task)] == ["cart", "dog"]
    first = (await admin.get("/api/tasks/?page_size=1")).json()["results"][0]
    assert first["id"] == task["id"]
    assert (await admin.delete(f"/api/tasks/{task['id']}")).status_code == 204
    assert (await admin.get(f"/api/tasks/{task['id']}")).status_code == 404


async def test_a_task_is_what_the_models_of_clients_take(admin: httpx.AsyncClient) -> None:
    made = await make(admin)
    read = (await admin.get(f"/api/tasks/{made['id']}")).json()
    listed = (await admin.get("/api/tasks", params={"id": made["id"]})).json()["results"][0]
    for task in (made, read, listed):
        assert {name: type(task[name]) for name in NEVER_NULL} == NEVER_NULL
        assert [task[name] for name in NULL] == [None] * len(NULL)
        assert task["owner"]["username"] == "admin"
        assert task["assignee"] is None
        assert task["jobs"].keys() == {"url", "count", "completed", "validation"}
        assert task["labels"]["url"].startswith(str(admin.base_url))
        assert "T" in task["created_date"]


async def test_people_and_project_of_a_task_change(admin: httpx.AsyncClient, people: People) -> None:
    other = await people.make("tasks.other")
    other_id = (await other.get("/api/users/self")).json()["id"]
    project = (await admin.post("/api/projects", json={"name": "p", "labels": [{"name": "car"}]})).json()
    task = await make(admin, labels=[{"name": "car"}])
    url = f"/api/tasks/{task['id']}"
    assert (await other.get(url)).status_code == 404
    assigned = (await admin.patch(url, json={"assignee_id": other_id})).json()
    assert (assigned["assignee"]["id"], assigned["name"]) == (other_id, task["name"])
    assert (await other.get(url)).status_code == 200
    assert (await other.delete(url)).status_code == 403
    # Of several changes none is made where one cannot be.
    for impossible in ({"project_id": 987654321}, {"labels": [{"name": "car"}]}):
        answer = await admin.patch(url, json={"name": "half", **impossible})
        assert answer.status_code in (400, 404), answer.text
        assert (await admin.get(url)).json()["name"] == task["name"]
    moved = (await admin.patch(url, json={"project_id": project["id"], "assignee_id": None})).json()
    assert (moved["project_id"], moved["project_name"], moved["assignee"]) == (project["id"], "p", None)
    [label] = await labels_of(admin, task)
    assert (label["project_id"], label["task_id"]) == (project["id"], None)
    refused = await admin.patch(url, json={"labels": [{"name": "dog"}]})
    assert (refused.status_code, list(refused.json())) == (400, ["labels"])
    alone = (await admin.patch(url, json={"project_id": None})).json()
    assert alone["project_id"] is None
    within = await make(admin, project_id=project["id"], labels=[])
    assert within["project_id"] == project["id"]
    found = (await admin.get("/api/tasks", params={"project_id": project["id"], "org": ""})).json()
    assert [each["id"] for each in found["results"]] == [within["id"]]


async def test_labels_and_attributes_are_changed_in_all_ways(admin: httpx.AsyncClient) -> None:
    task = await make(admin, labels=[CAR, {"name": "dog"}])
    url = f"/api/tasks/{task['id']}"
    car, dog = await labels_of(admin, task)
    [model] = car["attributes"]
    assert model == MODEL | {"id": model["id"]}
    attributes = [
        {"id": model["id"], "deleted": True},
        {"name": "note", "input_type": "text", "values": [""]},
    ]
    body = {"labels": [{"id": dog["id"], "deleted": True}, {"id": car["id"], "attributes": attributes}]}
    assert (await admin.patch(url, json=body)).status_code == 200
    [car] = await labels_of(admin, task)
    assert [attribute["name"] for attribute in car["attributes"]] == ["note"]
    # Whole labels are sent back as they were read, as some clients do.
    assert (await admin.patch(url, json={"labels": [car]})).status_code == 200
    assert await labels_of(admin, task) == [car]
    by_itself = f"/api/labels/{car['id']}"
    changed = await admin.patch(by_itself, json={"name": "van", "color": "#00ff00"})
    assert (changed.json()["name"], changed.json()["color"]) == ("van", "#00ff00"), changed.text
    assert (await admin.get(by_itself)).json() == changed.json()
    assert (await admin.delete(by_itself)).status_code == 204
    assert (await admin.get(by_itself)).status_code == 404
    several = await admin.get("/api/labels", params={"task_id": 1, "project_id": 1})
    assert several.status_code == 400


async def test_others_see_no_more_of_a_task_than_of_none(people: People) -> None:
    task = await make(people.admin, "mine", labels=[CAR])
    [label] = await labels_of(people.admin, task)
    stranger = await people.make("stranger.of.tasks")
    for there, absent in (
        (f"/api/tasks/{task['id']}", "/api/tasks/987654321"),
        (f"/api/labels/{label['id']}", "/api/labels/987654321"),
    ):
        for method in ("GET", "PATCH", "DELETE"):
            body = {"name": "x"} if method == "PATCH" else None
            answers = [await stranger.request(method, url, json=body) for url in (there, absent)]
            assert [answer.status_code for answer in answers] == [404, 404]
            told = [answer.json()["detail"].split() for answer in answers]
            assert told[0][:1] + told[0][2:] == told[1][:1] + told[1][2:]
    assert (await stranger.get("/api/tasks")).json()["count"] == 0


async def test_bad_fields_are_named(admin: httpx.AsyncClient) -> None:
    body: dict[str, Any] = {
        "name": "x",
        "labels": [{"name": "a", "type": "blob"}, {"name": "b", "sublabels": [{"name": "c"}]}],
    }
    answer = await admin.post("/api/tasks", json=body)
    assert (answer.status_code, list(answer.json())) == (400, ["labels.0.type", "labels.1.sublabels"])
    svg = "labels.0.svg"
    cloud = {"location": "cloud_storage", "cloud_storage_id": 3}
    body = {"organization_id": 4, "source_storage": cloud, "target_storage": cloud, "consensus_replicas": 2}
    body["labels"] = [{"name": "a", "svg": "<svg/>"}]
    answer = await admin.post("/api/tasks", json=body)
    assert (answer.status_code, sorted(answer.json())) == (400, sorted({*body, "name", svg} - {"labels"}))
    body = {"name": "x", "bug_tracker": "ticket 5", "labels": [{"name": "a", "color": "red"}, {"name": "a"}]}
    answer = await admin.post("/api/tasks", json=body)
    wrong = ["bug_tracker", "labels.0.color", "labels.1.name"]
    assert (answer.status_code, sorted(answer.json())) == (400, wrong)
    local = {"location": "local", "cloud_storage_id": None}
    await make(admin, source_storage=local, target_storage=None, consensus_replicas=0, labels=None)
    half = "\\ud800"
    broken = f'{{"name":"{half}","bug_tracker":"{half}","labels":[{{"name":"a","color":"{half}"}}]}}'
    answer = await admin.post("/api/tasks", content=broken, headers={"Content-Type": "application/json"})
    assert (answer.status_code, sorted(answer.json())) == (400, ["bug_tracker", "labels.0.color", "name"])
    task = await make(admin)
    answer = await admin.patch(f"/api/tasks/{task['id']}", json={"name": "", "owner_id": None})
    assert (answer.status_code, sorted(answer.json())) == (400, ["name", "owner_id"])
    for path in ("/api/tasks/x", "/api/tasks/0", f"/api/tasks/{2**64}", "/api/tasks?page=0"):
        assert (await admin.get(path)).status_code == 400


FOUND: tuple[tuple[dict[str, str], list[str]], ...] = (
    ({"name": "F Blue Road"}, ["F Blue Road"]),
    ({"search": "blue"}, ["F Blue Road", "F Blue House"]),
    ({"search": "road blue"}, ["F Blue Road"]),
    ({"subset": "test"}, ["F Red Road"]),
    ({"tracker_link": "https://t.example/1"}, ["F Blue House"]),
    ({"assignee": "tasks.finder", "sort": "name"}, ["F Blue House", "F Blue Road", "F Red Road"]),
    ({"sort": "-name", "page_size": "1"}, ["F Red Road"]),
    ({"filter": '{"in":["ROAD",{"var":"name"}]}'}, ["F Red Road", "F Blue Road"]),
    ({"filter": '{"!":{"in":["ROAD",{"var":"name"}]}}'}, ["F Blue House"]),
    (
        {"filter": '{"and":[{"==":[{"var":"subset"},"test"]},{">=":[{"var":"updated_date"},"2020-01-01"]}]}'},
        ["F Red Road"],
    ),
    ({"filter": '{"<":[{"var":"updated_date"},"2020-01-01T00:00:00"]}'}, []),
    ({"dimension": "3d"}, []),
    ({"mode": "interpolation"}, []),
    ({"owner": "somebody"}, []),
)


async def test_tasks_are_found(people: People) -> None:
    finder = await people.make("tasks.finder")
    id_ = (await finder.get("/api/users/self")).json()["id"]
    await make(people.admin, "F Blue House", assignee_id=id_, bug_tracker="https://t.example/1")
    await make(people.admin, "F Blue Road", assignee_id=id_)
    await make(people.admin, "F Red Road", assignee_id=id_, subset="test")
    for query, names in FOUND:
        page = (await finder.get("/api/tasks", params=query)).raise_for_status().json()
        assert [task["name"] for task in page["results"]] == names, query


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"filter": '{"==":[{"var":"colour"},1]}'}, "filter"),
        ({"filter": '{"xor":[]}'}, "filter"),
        ({"sort": "colour"}, "sort"),
        ({"status": "done"}, "status"),
    ],
)
async def test_what_no_list_knows_is_refused(
    admin: httpx.AsyncClient, query: dict[str, str], field: str
) -> None:
    answer = await admin.get("/api/tasks", params=query)
    assert (answer.status_code, list(answer.json())) == (400, [field])
