"""Long work as clients poll it."""

from itertools import count
from typing import Any

import httpx
import pytest
from frameyard.export.v1 import backup_service_pb2, export_service_pb2
from yard.client import Client
from yard.testkit import eventually

from tests.gateway.people import PASSWORD, People
from tests.gateway.sending import ended, form, new_task, picture

NUMBERS = count()


@pytest.fixture
def name() -> str:
    """Of somebody whose work is nobody else's."""
    return f"requests.person{next(NUMBERS)}"


@pytest.fixture
async def person(people: People, name: str) -> httpx.AsyncClient:
    """The same person's connection."""
    return await people.make(name)


async def with_media(http: httpx.AsyncClient) -> tuple[int, dict[str, Any]]:
    task_id = await new_task(http)
    answer = await http.post(f"/api/tasks/{task_id}/data", files=form([("a.png", picture(1))]))
    return task_id, await ended(http, answer)


async def test_making_media_is_a_request(person: httpx.AsyncClient, people: People, name: str) -> None:
    task_id, request = await with_media(person)
    assert request["status"] == "finished"
    assert (
        request["operation"] | {"type": "create:task", "target": "task", "task_id": task_id}
        == (request["operation"])
    )
    assert (request["progress"], request["result_url"], request["result_id"]) == (1.0, None, None)
    assert request["owner"]["username"] == name
    assert isinstance(request["message"], str)
    assert request["created_date"] <= request["finished_date"]
    rq_id = request["id"]
    assert (await person.get(f"/api/requests/{rq_id}")).json() == request
    nobody = await people.make(f"requests.stranger{task_id}")
    assert (await nobody.get(f"/api/requests/{rq_id}")).status_code == 404
    assert (await nobody.post(f"/api/requests/{rq_id}/cancel")).status_code == 404
    assert (await nobody.get("/api/requests")).json()["results"] == []
    for absent in (
        "task/0",
        "nothing",
        "action=create&target=task&id=1",
        f"export/{rq_id.partition('/')[2]}",
    ):
        assert (await person.get(f"/api/requests/{absent.replace('/', '%2F')}")).status_code == 404
    assert (await person.post(f"/api/requests/{rq_id}/cancel")).status_code == 200
    assert (await person.get(f"/api/requests/{rq_id}")).json()["status"] == "finished"


async def test_exports_and_restores_tell_what_has_come_of_them(
    person: httpx.AsyncClient, people: People, name: str
) -> None:
    task_id, _ = await with_media(person)
    async with Client(people.platform.endpoints) as client:
        await client.login(name, PASSWORD)
        export = export_service_pb2.CreateExportRequest(task_id=task_id, format="COCO 1.0")
        made = (await client.call(client.exports.CreateExport, export)).operation.name
        backup = backup_service_pb2.CreateBackupRequest(task_id=task_id)
        saved = (await client.call(client.backups.CreateBackup, backup)).operation.name
    for rq_id, kind in ((made, "dataset"), (saved, "backup")):
        request = await over(person, rq_id)
        assert request["status"] == "finished", request
        assert request["operation"]["task_id"] == task_id
        wanted = f"{people.url}/api/tasks/{task_id}/{kind}/download?rq_id={rq_id}"
        assert request["result_url"] == wanted
        assert request["expiry_date"] > request["finished_date"]


async def test_requests_tell_what_was_asked_for(person: httpx.AsyncClient) -> None:
    task_id, _ = await with_media(person)
    task, coco = f"/api/tasks/{task_id}", {"format": "COCO 1.0"}
    export = f"{task}/dataset/export"
    begun = [
        await person.post(export, params=coco | {"save_images": "False"}),
        await person.post(export, params=coco | {"save_images": "True"}),
        await person.post(f"{task}/backup/export", params={"lightweight": "True"}),
        await person.post(f"{task}/annotations", params={"format": "CVAT 1.1"}, files=annotations()),
    ]
    told = []
    for answer in begun:
        request = await ended(person, answer)
        assert request["status"] == "finished", request
        told.append({k: v for k, v in request["operation"].items() if v is not None})
    of_task = {"target": "task", "task_id": task_id}
    assert told == [
        of_task | {"type": "export:annotations", "format": "COCO 1.0"},
        of_task | {"type": "export:dataset", "format": "COCO 1.0"},
        of_task | {"type": "export:backup", "lightweight": True},
        of_task | {"type": "import:annotations", "format": "CVAT 1.1"},
    ]
    saved = await person.get((await ended(person, begun[2]))["result_url"])
    restored = await person.post("/api/tasks/backup", files={"task_file": ("b.zip", saved.content)})
    request = await ended(person, restored)
    assert request["operation"]["type"] == "import:backup"
    assert request["operation"]["target"] == "task"
    assert isinstance(request["result_id"], int)

    async def listed(**query: Any) -> list[str]:
        page = (await person.get("/api/requests", params=query)).raise_for_status().json()
        assert page["count"] == len(page["results"])
        return [one["operation"]["type"] for one in page["results"]]

    assert await listed(format="COCO 1.0") == ["export:dataset", "export:annotations"]
    assert await listed(subresource="annotations") == ["import:annotations", "export:annotations"]
    logic = '{"and":[{"==":[{"var":"action"},"import"]},{"!":{"==":[{"var":"subresource"},"backup"]}}]}'
    assert await listed(filter=logic) == ["import:annotations"]
    assert await listed(filter='{"var":"format"}', sort="created_date") == [
        "export:annotations",
        "export:dataset",
        "import:annotations",
    ]


def annotations() -> dict[str, tuple[str, bytes]]:
    return {"annotation_file": ("a.xml", b"<annotations><version>1.1</version></annotations>")}


async def test_archives_are_offered_under_the_wished_name(person: httpx.AsyncClient) -> None:
    task_id, _ = await with_media(person)
    for path, query in (
        (f"/api/tasks/{task_id}/dataset/export", {"format": "COCO 1.0"}),
        (f"/api/tasks/{task_id}/backup/export", {}),
    ):
        begun = await person.post(path, params=query | {"filename": "my set.zip"})
        got = await person.get((await ended(person, begun))["result_url"])
        assert got.headers["content-disposition"] == 'attachment; filename="my set.zip"'
        refused = await person.post(path, params=query | {"filename": "../a.zip"})
        assert (refused.status_code, [*refused.json()]) == (400, ["filename"])


async def over(http: httpx.AsyncClient, name: str) -> dict[str, Any]:
    found: dict[str, Any] = {}

    async def is_over() -> bool:
        found.update((await http.get(f"/api/requests/{name}")).raise_for_status().json())
        return found["status"] in ("finished", "failed")

    await eventually(is_over, timeout_s=60)
    return found


async def test_lists_are_of_all_services_newest_first(
    person: httpx.AsyncClient, people: People, name: str
) -> None:
    first, _ = await with_media(person)
    async with Client(people.platform.endpoints) as client:
        await client.login(name, PASSWORD)
        export = export_service_pb2.CreateExportRequest(task_id=first, format="COCO 1.0")
        rq_id = (await client.call(client.exports.CreateExport, export)).operation.name
    await over(person, rq_id)
    second, _ = await with_media(person)

    async def listed(**query: Any) -> list[tuple[str, int]]:
        answer = (await person.get("/api/requests", params=query)).raise_for_status().json()
        return [(one["operation"]["type"], one["operation"]["task_id"]) for one in answer["results"]]

    made, exported, again = ("create:task", first), ("export:annotations", first), ("create:task", second)
    assert await listed() == [again, exported, made]
    assert await listed(action="create") == [again, made]
    assert await listed(task_id=first) == [exported, made]
    assert await listed(subresource="annotations", target="task", status="finished") == [exported]
    assert await listed(status="failed") == []
    assert await listed(page_size=1, page=2) == [exported]
    page = (await person.get("/api/requests", params={"page_size": 2, "action": "create"})).json()
    assert page["next"] is None
    page = (await person.get("/api/requests", params={"page_size": 2})).json()
    assert page["count"] == 3
    following = (await person.get(page["next"])).json()
    assert [one["operation"]["task_id"] for one in following["results"]] == [first]
    assert following["next"] is None
    assert (await person.get("/api/requests", params={"page": 9})).status_code == 404
    for name, value in (("sort", "owner"), ("filter", "{}"), ("status", "canceled"), ("search", "x")):
        refused = await person.get("/api/requests", params={name: value})
        assert (refused.status_code, [*refused.json()]) == (400, [name])


async def test_administrators_list_their_own_work_too(
    admin: httpx.AsyncClient, person: httpx.AsyncClient
) -> None:
    _, theirs = await with_media(person)
    _, own = await with_media(admin)
    page = (await admin.get("/api/requests", params={"page_size": 1_000})).json()
    found = [one["id"] for one in page["results"]]
    assert own["id"] in found
    assert theirs["id"] not in found
    assert (await admin.get(f"/api/requests/{theirs['id']}")).status_code == 200
