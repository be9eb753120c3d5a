"""The git repository of a task, below /v1."""

import asyncio
from typing import Any

import httpx
import pytest
from yard.testkit.eventually import eventually

from tests.gateway.beside import another_gateway
from tests.gateway.listening import listen
from tests.gateway.people import People
from tests.gateway.sending import new_task

HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGPsQRMkFVQNdGWZWgiZfWpjBxlTQvFqfKYZpmDjIxuT"


@pytest.fixture
async def person(people: People, request: pytest.FixtureRequest) -> httpx.AsyncClient:
    """Somebody who owns tasks."""
    return await people.make(f"repository.{request.node.name.removeprefix('test_')}"[:100])


async def connected(person: httpx.AsyncClient, **body: Any) -> tuple[str, dict[str, Any]]:
    """The path of a new task's repository, and what is said of it."""
    path = f"/v1/tasks/{await new_task(person)}/repository"
    # Nobody listens there.
    answer = await person.put(path, json={"location": "https://127.0.0.1:9443/us/data", **body})
    assert answer.status_code == 200, answer.text
    return path, answer.json()


async def test_a_repository_is_tied_changed_and_untied(people: People, person: httpx.AsyncClient) -> None:
    path, made = await connected(person, use_lfs=True, automatic={"quiet_s": 600})
    assert (made["status"], made["use_lfs"], made["path"]) == ("not_synchronized", True, "annotation/t.zip")
    assert made["automatic"]["quiet_s"] == 600
    assert made["automatic_author"]["username"].startswith("repository.")
    assert (await person.get(path)).json() == made
    changed = await person.patch(path, json={"branch": "boxes", "automatic": None})
    assert changed.status_code == 200, changed.text
    assert (changed.json()["branch"], changed.json()["automatic"]) == ("boxes", None)
    assert changed.json()["use_lfs"]
    replaced = (await person.put(path, json={"location": "git@127.0.0.1:us/data.git [a/b.xml]"})).json()
    assert (replaced["path"], replaced["branch"], replaced["use_lfs"]) == ("a/b.xml", "", False)
    stranger = await people.make("repository.stranger")
    for method, body in (("GET", None), ("PUT", {"location": "https://127.0.0.1/a/b"}), ("DELETE", None)):
        assert (await stranger.request(method, path, json=body)).status_code == 404, method
    assert (await person.delete(path)).status_code == 204
    assert (await person.get(path)).status_code == 404


async def test_faults_are_named_by_the_fields_of_the_body(person: httpx.AsyncClient) -> None:
    path = f"/v1/tasks/{await new_task(person)}/repository"
    bad = {"location": "ftp://x [../y.txt]", "format": "no such", "branch": "a..b"}
    answer = await person.put(path, json=bad)
    assert answer.status_code == 400
    assert set(answer.json()) == {"location", "format", "branch"}
    for body in ({}, {"token": "t", "generate_key": True}):
        answer = await person.put(f"{path}/credential", json=body)
        assert (answer.status_code, list(answer.json())) == (400, ["token"])


async def test_credentials_and_host_keys_are_set_and_never_shown(person: httpx.AsyncClient) -> None:
    path, _ = await connected(person)
    answer = await person.put(f"{path}/credential", json={"token": "very secret", "username": "robot"})
    assert answer.status_code == 200, answer.text
    assert "very secret" not in answer.text
    credential = answer.json()["credential"]
    assert (credential["kind"], credential["username"], credential["public_key"]) == ("token", "robot", "")
    assert (await person.delete(f"{path}/credential")).json()["credential"] is None
    await person.patch(path, json={"location": "git@127.0.0.1:us/data.git"})
    made = (await person.put(f"{path}/credential", json={"generate_key": True})).json()["credential"]
    assert made["public_key"].startswith("ssh-ed25519 ")
    keyed = await person.put(f"{path}/host-keys", json={"host_keys": [HOST_KEY]})
    assert keyed.status_code == 200, keyed.text
    [key] = keyed.json()["host_keys"]
    assert (key["type"], key["is_given"]) == ("ssh-ed25519", True)
    assert (await person.put(f"{path}/host-keys", json={"host_keys": []})).json()["host_keys"] == []


async def test_pushes_are_operations_and_their_status_is_told(person: httpx.AsyncClient) -> None:
    path, made = await connected(person)
    came: list[dict[str, Any]] = []
    listening = asyncio.create_task(listen(person, made["task_id"], came.append))
    try:
        await eventually(lambda: [one["kind"] for one in came] == ["connected"], timeout_s=30)
        pushed = await person.post(f"{path}/push")
        assert pushed.status_code == 202, pushed.text
        operation = pushed.json()["name"]
        assert (await person.post(f"{path}/push")).json()["name"] == operation
        await eventually(lambda: "sync_status_changed" in {one["kind"] for one in came}, timeout_s=30)
    finally:
        listening.cancel()
    assert (await person.post(f"/v1/operations/{operation}/cancel")).status_code == 200

    async def is_over() -> bool:
        found = (await person.get(f"/v1/operations/{operation}")).json()
        return found["state"] in ("cancelled", "failed")

    await eventually(is_over, timeout_s=30)
    [push] = (await person.get(f"{path}/pushes")).json()["pushes"]
    assert (push["operation"], push["is_automatic"], push["commit"]) == (operation, False, "")
    checked = await person.post(f"{path}/check")
    assert checked.status_code == 202, checked.text
    await person.post(f"/v1/operations/{checked.json()['name']}/cancel")
    listed = (await person.get("/v1/operations", params={"service": "repo_sync"})).json()["operations"]
    assert {operation, checked.json()["name"]} <= {one["name"] for one in listed}


async def test_an_installation_without_repositories_says_so(
    people: People, person: httpx.AsyncClient
) -> None:
    async with another_gateway(people.platform, person, repo_sync_address="") as lacking:
        answer = await lacking.get("/v1/tasks/1/repository")
    assert (answer.status_code, answer.json()["detail"]) == (
        501,
        "this installation has no dataset repositories",
    )
