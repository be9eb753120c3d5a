"""Jobs, their issues and what is said about them, over HTTP."""

from typing import Any

import httpx

from tests.gateway.people import People
from tests.gateway.test_media import album

INTS = ("task_id", "start_frame", "stop_frame", "frame_count", "replicas_count", "id")
TEXTS = ("url", "dimension", "mode", "media_type", "created_date", "updated_date", "status", "stage", "state")
NULL = ("organization", "target_storage", "source_storage", "parent_job_id", "guide_id", "assignee")


async def jobs_of(http: httpx.AsyncClient, task_id: int) -> list[dict[str, Any]]:
    """In the order of their frames."""
    page = (await http.get("/api/jobs", params={"task_id": task_id, "sort": "id"})).raise_for_status().json()
    found: list[dict[str, Any]] = page["results"]
    return found


async def test_jobs_are_listed_read_and_changed(admin: httpx.AsyncClient, people: People) -> None:
    task_id, _ = await album(admin)
    jobs = await jobs_of(admin, task_id)
    assert [(job["start_frame"], job["stop_frame"], job["frame_count"]) for job in jobs] == [
        (0, 3, 4),
        (4, 7, 4),
        (8, 9, 2),
    ]
    newest_first = (await admin.get("/api/jobs", params={"task_id": task_id})).json()
    assert [job["id"] for job in newest_first["results"]] == [job["id"] for job in reversed(jobs)]
    for job in (jobs[0], (await admin.get(f"/api/jobs/{jobs[0]['id']}")).json()):
        assert {type(job[name]) for name in INTS} == {int}
        assert {type(job[name]) for name in TEXTS} == {str}
        assert [job[name] for name in NULL] == [None] * len(NULL)
        assert job["issues"]["count"] == 0
        assert (job["data_chunk_size"], job["task_name"], job["type"]) == (3, "t", "annotation")
    annotator = await people.make("jobs.annotator")
    annotator_id = (await annotator.get("/api/users/self")).json()["id"]
    url = f"/api/jobs/{jobs[1]['id']}"
    assert (await annotator.get(url)).status_code == (await annotator.get("/api/jobs/987654321")).status_code
    assert (await admin.patch(url, json={"assignee": annotator_id})).json()["assignee"]["id"] == annotator_id
    mine = (await annotator.get("/api/jobs")).json()
    assert [job["id"] for job in mine["results"]] == [jobs[1]["id"]]
    begun = (await annotator.patch(url, json={"state": "in progress"})).json()
    assert (begun["state"], begun["stage"], begun["assignee"]["id"]) == (
        "in progress",
        "annotation",
        annotator_id,
    )
    assert (await annotator.patch(url, json={"stage": "validation"})).status_code == 403
    done = (
        await admin.patch(url, json={"stage": "acceptance", "state": "completed", "assignee": None})
    ).json()
    assert (done["status"], done["assignee"]) == ("completed", None)
    task = (await admin.get(f"/api/tasks/{task_id}")).json()
    assert (task["jobs"]["count"], task["jobs"]["completed"], task["jobs"]["validation"]) == (3, 1, 0)
    assert (await admin.patch(url, json={})).json() == (await admin.get(url)).json()


async def test_a_task_with_frames_tells_what_is_in_force(admin: httpx.AsyncClient) -> None:
    task_id, _ = await album(admin)
    task = (await admin.get(f"/api/tasks/{task_id}")).json()
    in_force = {
        "size": 10,
        "mode": "annotation",
        "media_type": "image",
        "segment_size": 4,
        "overlap": 0,
        "image_quality": 90,
        "data": task_id,
        "data_chunk_size": 3,
        "data_original_chunk_type": "imageset",
        "data_compressed_chunk_type": "imageset",
        "status": "annotation",
        "jobs": {
            "url": f"{str(admin.base_url).rstrip('/')}/api/jobs?task_id={task_id}",
            "count": 3,
            "completed": 0,
            "validation": 0,
        },
    }
    assert {name: task[name] for name in in_force} == in_force
    jobs = (await admin.get(task["jobs"]["url"])).json()
    assert jobs["count"] == 3


async def test_jobs_are_found(admin: httpx.AsyncClient) -> None:
    task_id, _ = await album(admin)
    first, second, third = await jobs_of(admin, task_id)
    await admin.patch(f"/api/jobs/{first['id']}", json={"state": "in progress"})
    await admin.patch(f"/api/jobs/{second['id']}", json={"stage": "validation"})
    cases: list[tuple[dict[str, str], list[dict[str, Any]]]] = [
        ({"state": "in progress"}, [first]),
        ({"stage": "validation"}, [second]),
        ({"search": "progress"}, [first]),
        ({"type": "ground_truth"}, []),
        ({"type": "annotation", "mode": "annotation", "dimension": "2d"}, [third, second, first]),
        ({"filter": '{"!":{"var":"assignee"}}', "sort": "id"}, [first, second, third]),
        ({"filter": f'{{"<":[{{"var":"id"}},{third["id"]}]}}', "state": "new"}, [second]),
        ({"filter": '{"==":[{"var":"state"},"in progress"]}'}, [first]),
    ]
    for query, wanted in cases:
        page = (await admin.get("/api/jobs", params={"task_id": str(task_id), **query})).json()
        assert [job["id"] for job in page["results"]] == [job["id"] for job in wanted], query


async def test_what_jobs_cannot_be_is_refused(admin: httpx.AsyncClient) -> None:
    task_id, _ = await album(admin)
    [job, *_] = await jobs_of(admin, task_id)
    url = f"/api/jobs/{job['id']}"
    wrong = await admin.patch(url, json={"stage": "done", "state": "in_progress"})
    assert (wrong.status_code, sorted(wrong.json())) == (400, ["stage", "state"])
    made = await admin.post("/api/jobs", json={"type": "ground_truth", "task_id": task_id})
    assert (made.status_code, "ground_truth" in made.json()["detail"]) == (501, True)
    assert (await admin.delete(url)).status_code == 501
    assert (await admin.delete("/api/jobs/987654321")).status_code == 404


async def test_issues_are_opened_discussed_and_resolved(admin: httpx.AsyncClient, people: People) -> None:
    task_id, _ = await album(admin)
    [job, other, *_] = await jobs_of(admin, task_id)
    body = {"frame": 2, "position": [1.5, 2, 30, 40], "job": job["id"], "message": "too wide"}
    answer = await admin.post("/api/issues", json=body | {"assignee": None})
    assert answer.status_code == 201, answer.text
    issue = answer.json()
    url = f"/api/issues/{issue['id']}"
    assert (issue["frame"], issue["position"], issue["job"]) == (2, [1.5, 2, 30, 40], job["id"])
    assert (issue["resolved"], issue["assignee"], issue["owner"]["username"]) == (False, None, "admin")
    assert (await admin.get(f"/api/jobs/{job['id']}")).json()["issues"]["count"] == 1
    counts = {each["id"]: each["issues"]["count"] for each in await jobs_of(admin, task_id)}
    assert (counts[job["id"]], counts[other["id"]]) == (1, 0)
    said = await admin.post("/api/comments", json={"issue": issue["id"], "message": "now better"})
    assert (said.status_code, said.json()["issue"]) == (201, issue["id"])
    page = (await admin.get(issue["comments"]["url"])).json()
    assert [comment["message"] for comment in page["results"]] == ["now better", "too wide"]
    comment_url = f"/api/comments/{said.json()['id']}"
    reworded = (await admin.patch(comment_url, json={"message": "still not"})).json()
    assert (await admin.get(comment_url)).json() == reworded
    changed = (await admin.patch(url, json={"resolved": True, "position": [3, 4]})).json()
    assert (changed["resolved"], changed["position"], changed["comments"]["count"]) == (True, [3, 4], 2)
    assert (await admin.get(url)).json() == changed
    resolved = (await admin.post("/api/issues", json=body | {"resolved": True})).json()
    assert resolved["resolved"] is True
    await _are_found(admin, job["id"], issue["id"], resolved["id"])
    stranger = await people.make("issues.stranger")
    for path in (url, comment_url):
        for method in ("GET", "PATCH", "DELETE"):
            assert (await stranger.request(method, path, json={"message": "x"})).status_code == 404
    assert (await stranger.get("/api/comments")).json()["count"] == 0
    assert (await admin.delete(comment_url)).status_code == 204
    assert (await admin.delete(url)).status_code == 204
    assert (await admin.get(url)).status_code == 404


async def _are_found(admin: httpx.AsyncClient, job_id: int, first: int, second: int) -> None:
    cases: list[tuple[dict[str, str], list[int]]] = [
        ({}, [second, first]),
        ({"sort": "id"}, [first, second]),
        ({"frame_id": "2", "owner": "admin", "resolved": "true"}, [second, first]),
        ({"resolved": "false"}, []),
        ({"filter": f'{{"==":[{{"var":"id"}},{first}]}}'}, [first]),
    ]
    for query, wanted in cases:
        page = (await admin.get("/api/issues", params={"job_id": str(job_id), **query})).json()
        assert [issue["id"] for issue in page["results"]] == wanted, query
    comments = (await admin.get("/api/comments", params={"job_id": job_id, "sort": "id"})).json()
    assert [comment["issue"] for comment in comments["results"]] == [first, first, second]


async def test_bad_issues_are_refused_by_field(admin: httpx.AsyncClient) -> None:
    answer = await admin.post("/api/issues", json={"frame": -1, "position": "x", "message": ""})
    assert (answer.status_code, sorted(answer.json())) == (400, ["frame", "job", "message", "position"])
    task_id, _ = await album(admin)
    [job, *_] = await jobs_of(admin, task_id)
    body = {"frame": 9, "position": [1, 2, 3], "job": job["id"], "message": "m"}
    answer = await admin.post("/api/issues", json=body)
    assert (answer.status_code, sorted(answer.json())) == (400, ["frame", "position"])
