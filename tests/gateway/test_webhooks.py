"""Webhooks over HTTP, and what they send to a receiver."""

import hashlib
import hmac
from typing import Any

import httpx
import pytest
from yard.testkit.eventually import eventually

from services.webhook.tests.receiver import receiving
from tests.gateway.people import People

SECRET = "known to both"
HOOKS = "/api/webhooks"


@pytest.fixture
async def project(admin: httpx.AsyncClient) -> int:
    """A project of the administrator."""
    made = await admin.post("/api/projects", json={"name": "watched", "labels": [{"name": "car"}]})
    return int(made.raise_for_status().json()["id"])


def new_hook(project: int, url: str, **more: Any) -> dict[str, Any]:
    return {
        "target_url": url,
        "type": "project",
        "content_type": "application/json",
        "project_id": project,
        "events": ["create:task", "update:task"],
        "secret": SECRET,
        "enable_ssl": True,
        "is_active": True,
    } | more


async def test_events_come_signed_and_their_log_can_be_read(admin: httpx.AsyncClient, project: int) -> None:
    async with receiving() as receiver:
        made = await admin.post(HOOKS, json=new_hook(project, receiver.url))
        assert made.status_code == 201, made.text
        hook = made.json()
        assert "secret" not in hook
        assert "last_delivery_date" not in hook
        assert (hook["type"], hook["organization"], hook["owner"]["username"]) == ("project", None, "admin")
        one = f"{HOOKS}/{hook['id']}"
        ping = (await admin.post(f"{one}/ping")).json()
        assert (ping["event"], ping["status_code"], ping["attempt"]) == ("ping", 200, 1)
        task = (await admin.post("/api/tasks", json={"name": "seen", "project_id": project})).json()
        [got] = await eventually(lambda: receiver.named("create:task"), timeout_s=30)
        expected = hmac.new(SECRET.encode(), got.body, hashlib.sha256).hexdigest()
        assert got.headers["x-signature-256"] == f"sha256={expected}"
        assert got.json["task"]["id"] == task["id"]

        async def logged() -> list[dict[str, Any]]:
            page = (await admin.get(f"{one}/deliveries")).json()
            found: list[dict[str, Any]] = page["results"]
            return found if [each["status_code"] for each in found] == [200, 200] else []

        created, _ = await eventually(logged, timeout_s=30)
        assert created["event"] == "create:task"
        for name in (created["id"], created["uuid"]):
            read = (await admin.get(f"{one}/deliveries/{name}")).json()
            assert read["request"] == got.json
            assert read["id"] == created["id"]
        again = await admin.post(f"{one}/deliveries/{created['id']}/redelivery")
        assert (again.status_code, again.json()["redelivery"]) == (200, True)
        await eventually(lambda: len(receiver.named("create:task")) == 2, timeout_s=30)
        assert "last_delivery_date" in (await admin.get(one)).json()


async def test_hooks_are_listed_changed_and_deleted(
    people: People, admin: httpx.AsyncClient, project: int
) -> None:
    hook = (await admin.post(HOOKS, json=new_hook(project, "http://127.0.0.1:9999/a"))).json()
    one = f"{HOOKS}/{hook['id']}"
    listed = (await admin.get(HOOKS, params={"project_id": project})).json()
    assert (listed["count"], listed["results"][0]) == (1, hook)
    changed = (
        await admin.patch(one, json={"target_url": "http://127.0.0.1:9999/b", "enable_ssl": False})
    ).json()
    assert (changed["target_url"], changed["enable_ssl"]) == ("http://127.0.0.1:9999/b", False)
    whole = new_hook(project, "http://127.0.0.1:9999/c", events=["update:job"], is_active=False)
    replaced = (await admin.put(one, json=whole)).json()
    assert (replaced["events"], replaced["is_active"]) == (["update:job"], False)
    stranger = await people.make(f"webhook.stranger{project}")
    assert (await stranger.get(one)).status_code == 404
    assert (await stranger.get(HOOKS)).json()["count"] == 0
    assert (await stranger.post(HOOKS, json=whole)).status_code == 404
    assert (await admin.delete(one)).status_code == 204
    assert (await admin.get(one)).status_code == 404


async def test_faults_are_named_as_clients_name_them(admin: httpx.AsyncClient, project: int) -> None:
    bad = new_hook(project, "ftp://x", events=["create:job"])
    answer = await admin.post(HOOKS, json=bad)
    assert (answer.status_code, sorted(answer.json())) == (400, ["events.0", "target_url"])
    answer = await admin.post(HOOKS, json=new_hook(project, "http://127.0.0.1/", type="organization"))
    assert (answer.status_code, list(answer.json())) == (400, ["type"])
    hook = (await admin.post(HOOKS, json=new_hook(project, "http://127.0.0.1:9999/a"))).json()
    one = f"{HOOKS}/{hook['id']}"
    answer = await admin.patch(one, json={"project_id": project + 1})
    assert (answer.status_code, list(answer.json())) == (400, ["project_id"])
    for name in ("x", "0", str(2**200), "9" * 60):
        assert (await admin.get(f"{one}/deliveries/{name}")).status_code == 404


async def test_events_to_choose_are_those_that_are_sent(admin: httpx.AsyncClient) -> None:
    events = (await admin.get(f"{HOOKS}/events", params={"type": "project"})).json()
    assert events["webhook_type"] == "project"
    assert {"create:task", "update:job"} <= {event["key"] for event in events["events"]}
    assert (await admin.get(f"{HOOKS}/events", params={"type": "organization"})).json()["events"] == []


async def test_lists_are_narrowed_and_sorted(admin: httpx.AsyncClient, project: int) -> None:
    other = await admin.post("/api/projects", json={"name": "other", "labels": []})
    ids = []
    for at, target in ((project, "b"), (project, "a"), (int(other.json()["id"]), "c")):
        more = {"description": f"for {target}", "is_active": target != "a"}
        made = await admin.post(HOOKS, json=new_hook(at, f"http://127.0.0.1/{target}", **more))
        ids.append(made.raise_for_status().json()["id"])
    b, a, c = ids

    async def listed(**query: Any) -> list[int]:
        page = (await admin.get(HOOKS, params=query)).raise_for_status().json()
        assert page["count"] >= len(page["results"])
        return [hook["id"] for hook in page["results"] if hook["id"] in ids]

    assert await listed(project_id=project) == [a, b]
    assert await listed(project_id=project, sort="target_url") == [a, b]
    assert await listed(project_id=project, sort="id") == [b, a]
    assert await listed(project_id=project, search="127.0.0.1/b admin") == [b]
    assert await listed(target_url="http://127.0.0.1/c", type="project", owner="admin") == [c]
    assert await listed(type="organization") == []
    assert await listed(filter='{"in":["for c",{"var":"description"}]}') == [c]
    assert await listed(project_id=project, filter='{"==":[{"var":"is_active"},false]}') == [a]
    page = (await admin.get(HOOKS, params={"project_id": project, "sort": "id", "page_size": 1})).json()
    assert page["count"] == 2
    assert [hook["id"] for hook in (await admin.get(page["next"])).json()["results"]] == [a]
    for name, value in (("filter", "{"), ("sort", "secret")):
        refused = await admin.get(HOOKS, params={name: value})
        assert (refused.status_code, [*refused.json()]) == (400, [name])
