"""Files in pieces, and on from where they were cut."""

from typing import Any

import httpx
import pytest
from frameyard.media.v1 import upload_service_pb2
from yard.client import Client
from yard.testkit import eventually

from tests.gateway.people import People
from tests.gateway.sending import BYTES, TUS, by_tus, create, ended, names, new_task, original, picture


async def test_tus_goes_on_from_where_it_was_cut(admin: httpx.AsyncClient, people: People) -> None:
    task_id = await new_task(admin)
    url = f"/api/tasks/{task_id}/data"
    content = picture(3, noise=True)
    location = (await create(admin, url, "c.png", len(content))).headers["Location"]
    assert location.startswith(f"{people.url}/api/tasks/{task_id}/data/")

    async def cut() -> Any:
        yield content[:1_000_000]
        raise RuntimeError("the line is cut")

    with pytest.raises(RuntimeError):
        await admin.patch(location, headers=BYTES | {"Upload-Offset": "0"}, content=cut())

    async def offset() -> int:
        told = await admin.head(location, headers=TUS)
        assert (told.status_code, told.headers["Cache-Control"]) == (200, "no-store")
        assert told.headers["Upload-Length"] == str(len(content))
        return int(told.headers["Upload-Offset"])

    async def has_come() -> bool:
        return await offset() == 1_000_000

    await eventually(has_come)
    unfinished = await admin.post(url, headers={"Upload-Finish": ""}, json={"image_quality": 70})
    assert unfinished.status_code == 400
    assert "c.png" in unfinished.text
    wrong = await admin.patch(location, headers=BYTES | {"Upload-Offset": "7"}, content=b"x")
    assert (wrong.status_code, wrong.headers["Upload-Offset"]) == (409, "1000000")
    rest = content[1_000_000:]
    at = {"Upload-Offset": "1000000"}
    assert (await admin.patch(location, headers=TUS | at, content=rest)).status_code == 415
    assert (await admin.patch(location, headers=BYTES | at, content=rest + b"x")).status_code == 413
    other = await admin.patch(location, headers=BYTES | at | {"Tus-Resumable": "0.2.2"}, content=rest)
    assert (other.status_code, other.headers["Tus-Version"]) == (412, "1.0.0")
    assert (await admin.patch(location, headers=BYTES, content=rest)).status_code == 400
    stranger = await people.make("tus.stranger")
    assert (await stranger.head(location)).status_code == 404
    assert (await stranger.patch(location, headers=BYTES | at, content=rest)).status_code == 404
    assert (await admin.patch(location, headers=BYTES | at, content=rest)).status_code == 204
    request = await ended(admin, await admin.post(url, headers={"Upload-Finish": ""}, json={}))
    assert request["status"] == "finished", request
    assert await original(admin, task_id, 0) == content


async def announced(people: People, slot: str) -> list[str]:
    """Names of the files in a slot of the administrator."""
    async with Client(people.platform.endpoints) as client:
        await client.login("admin", people.platform.admin_password)
        request = upload_service_pb2.GetUploadRequest(slot=slot)
        return [file.name for file in (await client.call(client.uploads.GetUpload, request)).upload.files]


async def test_tus_takes_files_back(admin: httpx.AsyncClient, people: People) -> None:
    task_id = await new_task(admin)
    url = f"/api/tasks/{task_id}/data"
    alone = await by_tus(admin, url, "a.png", picture(0))
    assert (await admin.delete(alone, headers=TUS)).status_code == 204
    assert (await admin.head(alone, headers=TUS)).status_code == 404
    gone = await by_tus(admin, url, "a.png", picture(0))
    await by_tus(admin, url, "b.png", picture(1))
    await by_tus(admin, url, "empty.png", b"")
    assert (await admin.delete(gone, headers=TUS)).status_code == 204
    assert (await admin.head(gone, headers=TUS)).status_code == 404
    back = await by_tus(admin, url, "a.png", picture(2))
    assert (await admin.delete(back, headers=TUS)).status_code == 204
    assert (await admin.head(back, headers=TUS)).status_code == 404
    assert await announced(people, f"tasks/{task_id}/data") == ["b.png", "empty.png"]
    request = await ended(admin, await admin.post(url, headers={"Upload-Finish": ""}, json={}))
    assert request["status"] == "finished", request
    assert await names(admin, task_id) == ["b.png"]
    able = await admin.options(url)
    assert (able.status_code, able.headers["Tus-Version"]) == (204, "1.0.0")
    assert set(able.headers["Tus-Extension"].split(",")) == {"creation", "termination"}
