"""Backups of tasks and projects, and what is made of them."""

from typing import Any

import httpx
import psutil
from yard.testkit import eventually
from yard.testkit.platform import Platform

from tests.gateway.people import People
from tests.gateway.sending import ended, names, original, picture
from tests.gateway.test_annotations import Scene, counts
from tests.gateway.test_annotations import scene as _scene
from tests.gateway.test_datasets import EMPTY, place_of, sent

scene = _scene


async def backup(http: httpx.AsyncClient, place: str) -> tuple[dict[str, Any], bytes]:
    query = {"lightweight": "False", "location": "local"}
    request = await ended(http, await http.post(f"{place}/backup/export", params=query, headers=EMPTY))
    assert (request["status"], request["operation"]["type"]) == ("finished", "export:backup"), request
    archive = await http.get(request["result_url"])
    assert archive.status_code == 200, archive.text
    assert archive.headers["Content-Type"] == "application/zip"
    return request, archive.content


async def test_a_task_comes_back_from_its_backup(
    admin: httpx.AsyncClient, scene: Scene, people: People
) -> None:
    await admin.put(scene.task, json={"shapes": [scene.shape()], "tracks": [scene.track(1)]})
    request, archive = await backup(admin, place_of(scene.task))
    url = "/api/tasks/backup/"
    begin = await admin.post(url, params={"filename": "b.zip"}, headers=EMPTY | {"Upload-Start": ""})
    assert begin.status_code == 202, begin.text
    told = await sent(admin, url, archive)
    finish = EMPTY | {"Upload-Finish": ""}
    restored = await ended(admin, await admin.post(url, params={"filename": told}, headers=finish))
    assert restored["status"] == "finished", restored
    task_id = restored["result_id"]
    assert place_of(scene.task) != f"/api/tasks/{task_id}"
    assert await names(admin, task_id) == [f"{number}.png" for number in range(6)]
    assert await original(admin, task_id, 5) == picture(5)
    assert counts((await admin.get(f"/api/tasks/{task_id}/annotations")).json()) == (0, 1, 1)
    stranger = await people.make(f"backups.stranger{task_id}")
    assert (await stranger.get(request["result_url"])).status_code == 404
    assert (await stranger.post(place_of(scene.task) + "/backup/export")).status_code == 404
    assert (await admin.get(request["result_url"].replace("/backup/", "/dataset/"))).status_code == 404
    as_project = {"project_file": ("b.zip", archive)}
    failed = await ended(admin, await admin.post("/api/projects/backup", files=as_project))
    assert failed["status"] == "failed"
    assert "frameyard.json: is of a task, not of a project" in failed["message"]


async def test_a_project_comes_back_with_its_tasks(admin: httpx.AsyncClient) -> None:
    made = await admin.post("/api/projects", json={"name": "whole", "labels": [{"name": "car"}]})
    project_id = made.json()["id"]
    await admin.post("/api/tasks", json={"name": "inside", "project_id": project_id})
    _, archive = await backup(admin, f"/api/projects/{project_id}")
    form = {"project_file": ("b.zip", archive)}
    restored = await ended(admin, await admin.post("/api/projects/backup", files=form))
    assert restored["status"] == "finished", restored
    tasks = await admin.get("/api/tasks", params={"project_id": restored["result_id"]})
    assert [task["name"] for task in tasks.json()["results"]] == ["inside"]


async def test_the_older_flow(admin: httpx.AsyncClient, scene: Scene) -> None:
    url = place_of(scene.task) + "/backup"
    assert (await admin.get(url)).status_code == 202

    async def is_there() -> bool:
        return (await admin.get(url)).status_code == 201

    await eventually(is_there, timeout_s=60)
    archive = await admin.get(url, params={"action": "download"})
    assert archive.status_code == 200
    begun = await admin.post("/api/tasks/backup", files={"task_file": ("b.zip", archive.content)})
    assert begun.status_code == 202
    found: dict[str, Any] = {}

    async def is_made() -> bool:
        answer = await admin.post("/api/tasks/backup", data=begun.json())
        assert answer.status_code in (201, 202), answer.text
        found.update(answer.json())
        return answer.status_code == 201

    await eventually(is_made, timeout_s=60)
    assert (await admin.get(f"/api/tasks/{found['id']}")).status_code == 200


async def test_the_older_flow_tells_of_a_cancel(
    admin: httpx.AsyncClient, scene: Scene, platform: Platform
) -> None:
    _, archive = await backup(admin, place_of(scene.task))
    task = psutil.Process(platform.pid("task"))
    # What makes the task waits for it: without this a restore of so little would have ended.
    task.suspend()
    try:
        begun = await admin.post("/api/tasks/backup", files={"task_file": ("b.zip", archive)})
        rq_id = begun.json()["rq_id"]
        cancelled = await admin.post(f"/api/requests/{rq_id}/cancel")
    finally:
        task.resume()
    assert cancelled.status_code == 200, cancelled.text

    async def answer() -> httpx.Response:
        found = await admin.post("/api/tasks/backup", data={"rq_id": rq_id})
        assert found.status_code != 202
        return found

    told = await eventually(answer)
    assert told.status_code == 400, told.text
    assert "cancelled" in told.text


async def test_what_is_no_backup_is_refused(admin: httpx.AsyncClient) -> None:
    nothing = await admin.post("/api/tasks/backup", headers=EMPTY)
    assert nothing.status_code == 400
    failed = await ended(admin, await admin.post("/api/tasks/backup", files={"task_file": ("b.zip", b"x")}))
    assert failed["status"] == "failed"
    assert failed["message"]
    cloud = await admin.post("/api/tasks/backup", params={"location": "cloud_storage"})
    assert cloud.status_code == 400
