"""What CVAT has no word for: operations, revisions, merge reports."""

import asyncio
import json
from typing import Any

import httpx
from yard.testkit.eventually import eventually

from tests.gateway.listening import listen
from tests.gateway.people import People
from tests.gateway.sending import form, new_task, picture


async def with_media(http: httpx.AsyncClient) -> tuple[int, str]:
    """A task and the name of the operation that gives it frames."""
    task_id = await new_task(http)
    answer = await http.post(f"/api/tasks/{task_id}/data", files=form([("a.png", picture(1))]))
    return task_id, str(answer.raise_for_status().json()["rq_id"])


async def events(http: httpx.AsyncClient, path: str) -> list[dict[str, Any]]:
    """All events of a stream that ends."""
    async with http.stream("GET", path, headers={"Accept-Encoding": "gzip"}) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = [line async for line in answer.aiter_lines()]
    return [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: ")]


async def test_an_operation_is_watched_to_its_end(people: People) -> None:
    person = await people.make("own.watcher")
    task_id, name = await with_media(person)
    states = await events(person, f"/v1/operations/{name}/watch")
    assert states[-1]["state"] == "succeeded"
    assert all(one["name"] == name for one in states)
    read = (await person.get(f"/v1/operations/{name}")).json()
    assert read == states[-1]
    assert (read["target"], read["progress"], read["error"]) == (f"tasks/{task_id}", 1.0, None)
    again = await events(person, f"/v1/operations/{name}/watch")
    assert again == [read]
    listed = (await person.get("/v1/operations", params={"service": "task", "state": "succeeded"})).json()
    assert [one["name"] for one in listed["operations"]] == [name]
    assert (await person.post(f"/v1/operations/{name}/cancel")).json() == read
    stranger = await people.make("own.stranger")
    for path in (f"/v1/operations/{name}", f"/v1/operations/{name}/watch", "/v1/operations/nobody/x"):
        assert (await stranger.get(path)).status_code == 404, path
    assert (await stranger.get("/v1/operations")).json() == {"operations": [], "next_page_token": ""}


async def test_lists_of_operations_have_pages(people: People) -> None:
    person = await people.make("own.lister")
    names = []
    for _ in range(3):
        _, name = await with_media(person)
        names.append(name)
    found, token = [], ""
    while True:
        query: dict[str, str | int] = {"page_size": 2, "page_token": token}
        page = (await person.get("/v1/operations", params=query)).json()
        found += [one["name"] for one in page["operations"]]
        token = page["next_page_token"]
        if not token:
            break
    assert found == names[::-1]


async def test_saves_are_kept_compared_and_brought_back(people: People) -> None:
    person = await people.make("own.annotator")
    task_id, name = await with_media(person)
    await events(person, f"/v1/operations/{name}/watch")
    job = (await person.get("/api/jobs", params={"task_id": task_id})).json()["results"][0]["id"]
    label = (await person.get("/api/labels", params={"task_id": task_id})).json()["results"][0]["id"]
    tag = {"frame": 0, "label_id": label, "attributes": []}
    for tags in ([tag], []):
        body = {"version": 0, "tags": tags, "shapes": [], "tracks": []}
        saved = await person.put(f"/api/jobs/{job}/annotations", json=body)
        assert saved.status_code == 200, saved.text
    listed = (await person.get(f"/v1/jobs/{job}/revisions")).json()["revisions"]
    assert [(one["revision"], one["kind"], one["created"], one["deleted"]) for one in listed] == [
        (2, "put", 0, 1),
        (1, "put", 1, 0),
    ]
    assert listed[0]["user"]["username"] == "own.annotator"
    assert (await person.get(f"/v1/tasks/{task_id}/revisions")).json()["revisions"] == listed
    before = (await person.get(f"/v1/jobs/{job}/revisions/1")).json()
    assert [one["label_id"] for one in before["tags"]] == [label]
    difference = (await person.get(f"/v1/jobs/{job}/revisions/1/diff")).json()
    assert (difference["deleted"]["tags"], difference["created"]["tags"]) == (before["tags"], [])
    stale = await person.post(f"/v1/jobs/{job}/revisions/1/restore", json={"base_revision": 1})
    assert stale.status_code == 409
    restored = await person.post(f"/v1/jobs/{job}/revisions/1/restore")
    assert restored.json() == {"revision": 3, "left_out": 0, "misfits": 0}
    assert len((await person.get(f"/api/jobs/{job}/annotations")).json()["tags"]) == 1
    assert (await person.get(f"/v1/jobs/{job}/revisions/99")).status_code == 404
    report = (await person.get(f"/v1/tasks/{task_id}/merge-report")).json()
    assert report == {
        "revision": 3,
        "merged_shapes": 0,
        "merged_tracks": 0,
        "merged_tags": 0,
        "joined_origins": 0,
    }
    stranger = await people.make("own.reader")
    for path in (f"jobs/{job}/revisions", f"jobs/{job}/revisions/1", f"tasks/{task_id}/merge-report"):
        assert (await stranger.get(f"/v1/{path}")).status_code == 404, path


async def test_changes_of_a_task_are_told(people: People) -> None:
    person = await people.make("own.listener")
    task_id, name = await with_media(person)
    await events(person, f"/v1/operations/{name}/watch")
    job = (await person.get("/api/jobs", params={"task_id": task_id})).json()["results"][0]["id"]
    came: list[dict[str, Any]] = []
    listening = asyncio.create_task(listen(person, task_id, came.append))
    await eventually(lambda: [one["kind"] for one in came] == ["connected"], timeout_s=30)
    await person.patch(f"/api/jobs/{job}", json={"state": "in progress"})
    await person.delete(f"/api/jobs/{job}/annotations")
    label = (await person.get("/api/labels", params={"task_id": task_id})).json()["results"][0]["id"]
    tags = [{"frame": 0, "label_id": label, "attributes": []}]
    await person.put(f"/api/jobs/{job}/annotations", json={"tags": tags, "shapes": [], "tracks": []})
    await eventually(lambda: "annotations_changed" in {one["kind"] for one in came}, timeout_s=30)
    await person.patch(f"/api/tasks/{task_id}", json={"name": "renamed"})
    await eventually(lambda: "task_updated" in {one["kind"] for one in came}, timeout_s=30)
    await person.delete(f"/api/tasks/{task_id}")
    await asyncio.wait_for(listening, 30)
    assert came[-1]["kind"] == "task_deleted"
    assert {one["job_id"] for one in came if one["kind"] == "job_updated"} == {job}
    assert {one["task_id"] for one in came} == {task_id}
    stranger = await people.make("own.eavesdropper")
    other, _ = await with_media(person)
    assert (await stranger.get(f"/v1/tasks/{other}/changes")).status_code == 404
