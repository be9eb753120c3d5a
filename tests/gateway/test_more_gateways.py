"""More gateways than one, and clients that are sent to the store where the operator allows it."""

import httpx
from yard.testkit.platform import Platform

from tests.gateway.beside import another_gateway
from tests.gateway.sending import BYTES, create, ended, new_task, original, picture
from tests.gateway.test_media import Query, album, built


async def test_a_built_chunk_is_read_from_the_store_itself(
    platform: Platform, admin: httpx.AsyncClient
) -> None:
    task_id, _ = await album(admin)
    url = f"/api/tasks/{task_id}/data"
    query: Query = {"type": "chunk", "number": 2}
    whole = await built(admin, url, query)
    store = f"http://127.0.0.1:{platform.port('s3')}/"
    async with another_gateway(platform, admin, redirect_to_store="true") as http:
        sent = await http.get(url, params=query)
        assert sent.status_code == 307
        assert sent.headers["Location"].startswith(store)
        assert "private" in sent.headers["Cache-Control"]
        followed = await http.get(url, params=query, follow_redirects=True, headers={"Range": "bytes=1-4"})
        assert (followed.status_code, followed.content) == (206, whole.content[1:5])
        assert followed.headers["Content-Type"] == whole.headers["Content-Type"] == "application/zip"
        known = await http.get(url, params=query, headers={"If-None-Match": whole.headers["ETag"]})
        assert known.status_code == 304
    public = "http://store.example:9000"
    async with another_gateway(platform, admin, redirect_to_store="true", store_public_url=public) as http:
        sent = await http.get(url, params=query)
        assert sent.headers["Location"].startswith(f"{public}/frameyard/")


async def test_any_gateway_goes_on_with_an_upload(platform: Platform, admin: httpx.AsyncClient) -> None:
    task_id = await new_task(admin)
    content = picture(6, noise=True)
    url = f"/api/tasks/{task_id}/data"
    path = httpx.URL((await create(admin, url, "g.png", len(content))).headers["Location"]).path
    half = len(content) // 2
    async with another_gateway(platform, admin) as http:
        first = await http.patch(path, headers=BYTES | {"Upload-Offset": "0"}, content=content[:half])
        assert first.status_code == 204, first.text
    told = await admin.head(path)
    assert told.headers["Upload-Offset"] == str(half)
    rest = await admin.patch(path, headers=BYTES | {"Upload-Offset": str(half)}, content=content[half:])
    assert rest.status_code == 204
    async with another_gateway(platform, admin) as http:
        request = await ended(http, await http.post(url, headers={"Upload-Finish": ""}, json={}))
    assert request["status"] == "finished", request
    assert await original(admin, task_id, 0) == content
