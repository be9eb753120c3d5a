"""Projects over HTTP."""

import httpx

from tests.gateway.people import People
from tests.gateway.test_media import album, shown
from tests.gateway.test_tasks import CAR, labels_of, make

NULL = ("organization", "organization_id", "target_storage", "source_storage", "assignee", "dimension")


async def test_a_project_is_made_read_changed_listed_and_deleted(
    admin: httpx.AsyncClient, people: People
) -> None:
    other = await people.make("projects.other")
    other_id = (await other.get("/api/users/self")).json()["id"]
    answer = await admin.post("/api/projects", json={"name": "city", "labels": [CAR], "bug_tracker": ""})
    assert answer.status_code == 201, answer.text
    project = answer.json()
    url = f"/api/projects/{project['id']}"
    assert project["url"] == f"{admin.base_url}{url}".replace("//api", "/api")
    assert [project[name] for name in NULL] == [None] * len(NULL)
    assert (project["status"], project["task_subsets"], project["tasks"]["count"]) == ("annotation", [], 0)
    assert (await other.get(url)).status_code == 404
    [car] = await labels_of(admin, project)
    assert (car["project_id"], car["task_id"]) == (project["id"], None)
    twice = await admin.patch(url, json={"name": "half", "labels": [{"name": car["name"]}]})
    assert (twice.status_code, (await admin.get(url)).json()["name"]) == (400, "city")
    body = {"name": "town", "assignee_id": other_id, "labels": [car | {"name": "van"}, {"name": "dog"}]}
    changed = (await admin.patch(url, json=body)).json()
    assert (changed["name"], changed["assignee"]["username"]) == ("town", "projects.other")
    assert [label["name"] for label in await labels_of(admin, project)] == ["van", "dog"]
    task = await make(admin, project_id=project["id"], subset="train")
    read = (await other.get(url)).json()
    assert (read["task_subsets"], read["tasks"]["count"], read["dimension"]) == (["train"], 1, "2d")
    tasks = (await other.get(read["tasks"]["url"])).json()
    assert [each["id"] for each in tasks["results"]] == [task["id"]]
    for query, count in (
        ({"search": "TOWN"}, 1),
        ({"assignee": "projects.other", "sort": "-updated_date"}, 1),
        ({"name": "city"}, 0),
        ({"filter": '{"in":["ow",{"var":"name"}]}', "status": "annotation"}, 1),
        ({"id": str(project["id"])}, 1),
    ):
        assert (await other.get("/api/projects", params=query)).raise_for_status().json()["count"] == count
    assert (await other.delete(url)).status_code == 403
    assert (await admin.delete(url)).status_code == 204
    assert [(await admin.get(path)).status_code for path in (url, f"/api/tasks/{task['id']}")] == [404, 404]


async def test_a_project_shows_the_first_frame_of_its_oldest_task(
    admin: httpx.AsyncClient, people: People
) -> None:
    project = (await admin.post("/api/projects", json={"name": "p", "labels": [{"name": "car"}]})).json()
    url = f"/api/projects/{project['id']}/preview"
    assert (await admin.get(url)).status_code == 404
    task_id, _ = await album(admin)
    moved = await admin.patch(f"/api/tasks/{task_id}", json={"project_id": project["id"]})
    assert moved.status_code == 200, moved.text
    answer = await admin.get(url)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/jpeg"), answer.text
    assert answer.content == (await admin.get(f"/api/tasks/{task_id}/preview")).content
    assert shown(answer.content) == 0
    stranger = await people.make("projects.stranger")
    assert (await stranger.get(url)).status_code == 404
