"""What clients are told of frames to compare others with."""

import httpx

from tests.gateway.people import People
from tests.gateway.sending import ended, form, new_task, picture


async def test_tasks_and_jobs_say_that_they_have_none(admin: httpx.AsyncClient, people: People) -> None:
    task_id = await new_task(admin)
    await ended(admin, await admin.post(f"/api/tasks/{task_id}/data", files=form([("a.png", picture(1))])))
    [job] = (await admin.get("/api/jobs", params={"task_id": task_id})).json()["results"]
    task_layout, job_layout = (
        f"/api/tasks/{task_id}/validation_layout",
        f"/api/jobs/{job['id']}/validation_layout",
    )
    none = {"honeypot_count": 0, "honeypot_frames": [], "honeypot_real_frames": []}
    more: dict[str, object] = {"mode": None, "validation_frames": [], "disabled_frames": []}
    assert (await admin.get(task_layout)).json() == none | more
    assert (await admin.get(job_layout)).json() == none
    stranger = await people.make("validation.stranger")
    for path in (task_layout, job_layout):
        refused = await admin.patch(path, json={"disabled_frames": [1]})
        assert (refused.status_code, "honeypots" in refused.json()["detail"]) == (501, True)
        for method in ("GET", "PATCH"):
            assert (await stranger.request(method, path, json={})).status_code == 404
