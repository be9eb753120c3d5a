"""Uploads by clients that know tus and nothing of CVAT: in pieces, cut, and gone on with."""

import json
from pathlib import Path
from typing import Any

import httpx
from yard.testkit.platform import Platform

from tests.gateway.clients.albums import finish, noise
from tests.gateway.clients.conftest import Drive
from tests.gateway.clients.running import tus_js
from tests.gateway.sending import ended, new_task

PIECE = 1_000_000


async def place(http: httpx.AsyncClient) -> tuple[int, dict[str, Any]]:
    """A new task, and what clients need to send files for it."""
    task_id = await new_task(http)
    url = str(http.base_url.join(f"/api/tasks/{task_id}/data/"))
    return task_id, {"url": url, "headers": {"Authorization": http.headers["Authorization"]}}


def told(**options: Any) -> list[dict[str, Any]]:
    """Everything that tus-js-client tells of an upload."""
    with tus_js(**options) as sender:
        out, _ = sender.communicate(timeout=60)
    return [json.loads(line) for line in out.splitlines()]


async def test_tuspy_sends_and_goes_on(admin: httpx.AsyncClient, drive: Drive, tmp_path: Path) -> None:
    path, contents = noise(tmp_path)
    task_id, to = await place(admin)
    at = drive("tus.begun", file=str(path), until=3 * PIECE, **to)
    assert drive("tus.gone_on", file=str(path), at=at, **to) == [3 * PIECE, path.stat().st_size]
    await finish(admin, task_id, contents)


async def test_tus_js_sends_and_another_run_goes_on(admin: httpx.AsyncClient, tmp_path: Path) -> None:
    path, contents = noise(tmp_path)
    task_id, to = await place(admin)
    options = {"endpoint": to["url"], "headers": to["headers"], "file": str(path), "piece": PIECE}
    options["memory"] = str(tmp_path / "memory.json")
    cut = told(**options, until=4 * PIECE)
    assert cut[-1] == {"accepted": 4 * PIECE}
    rest = told(**options)
    assert rest[0] == {"accepted": 5 * PIECE}
    assert "url" in rest[-1]
    await finish(admin, task_id, contents)


async def test_a_killed_gateway_costs_an_upload_nothing(
    platform: Platform, admin: httpx.AsyncClient, tmp_path: Path
) -> None:
    path, contents = noise(tmp_path)
    task_id, to = await place(admin)
    options = {"endpoint": to["url"], "headers": to["headers"], "file": str(path), "piece": PIECE // 4}
    lines = []
    killed = 0
    with tus_js(**options, memory=str(tmp_path / "memory.json")) as sender:
        assert sender.stdout is not None
        for line in sender.stdout:
            lines.append(json.loads(line))
            if not killed and lines[-1].get("accepted", 0) > path.stat().st_size // 3:
                killed = platform.kill("gateway")
    assert killed
    assert any("retried" in line for line in lines)
    assert "url" in lines[-1], lines[-5:]
    await platform.is_back("gateway", killed)
    await finish(admin, task_id, contents)


async def test_a_killed_gateway_costs_a_download_its_rest_only(
    platform: Platform, admin: httpx.AsyncClient, tmp_path: Path
) -> None:
    path, contents = noise(tmp_path)
    task_id, _ = await place(admin)
    files = {"client_files[0]": (path.name, path.read_bytes())}
    sent = await admin.post(f"/api/tasks/{task_id}/data/", headers={"Upload-Multiple": ""}, files=files)
    assert sent.status_code == 200
    await finish(admin, task_id, contents)
    url = await exported(admin, task_id)
    whole = await admin.get(url)
    kept, killed = await broken_off(platform, admin, url)
    assert PIECE < len(kept) < len(whole.content)
    await platform.is_back("gateway", killed)
    again = {"Range": f"bytes={len(kept)}-", "If-Range": whole.headers["ETag"]}
    rest = await admin.get(url, headers=again)
    assert rest.status_code == 206
    assert kept + rest.content == whole.content


async def exported(http: httpx.AsyncClient, task_id: int) -> str:
    """Address of an archive with the pictures."""
    query = {"format": "CVAT for images 1.1", "save_images": "True"}
    request = await ended(http, await http.post(f"/api/tasks/{task_id}/dataset/export", params=query))
    assert request["status"] == "finished", request
    return str(request["result_url"])


async def broken_off(platform: Platform, http: httpx.AsyncClient, url: str) -> tuple[bytes, int]:
    """What comes of an answer whose gateway is killed, and which process that was."""
    kept = bytearray()
    killed = 0
    try:
        async with http.stream("GET", url) as answer:
            async for piece in answer.aiter_raw():
                kept += piece
                if not killed and len(kept) > PIECE:
                    killed = platform.kill("gateway")
    except httpx.TransportError:
        return bytes(kept), killed
    raise AssertionError("a killed gateway has sent everything")
