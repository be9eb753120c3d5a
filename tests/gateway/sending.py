"""Tasks, files for them, and the ways to send files."""

import base64
import io
from typing import Any

import httpx
import numpy as np
from PIL import Image
from yard.media import synthetic
from yard.testkit import eventually

TUS = {"Tus-Resumable": "1.0.0"}
BYTES = TUS | {"Content-Type": "application/offset+octet-stream"}


def picture(number: int, *, noise: bool = False) -> bytes:
    """A numbered picture; with noise around it, of more than three MiB."""
    scene = np.asarray(synthetic.numbered_scene(number, (320, 240)))
    if noise:
        wide = np.random.default_rng(number).integers(0, 256, (1000, 1100, 3), np.uint8)
        wide[: scene.shape[0], : scene.shape[1]] = scene
        scene = wide
    out = io.BytesIO()
    Image.fromarray(scene).save(out, "PNG", compress_level=1)
    return out.getvalue()


async def new_task(http: httpx.AsyncClient, **more: Any) -> int:
    answer = await http.post("/api/tasks", json={"name": "t", "labels": [{"name": "car"}], **more})
    assert answer.status_code == 201, answer.text
    return int(answer.json()["id"])


async def ended(http: httpx.AsyncClient, answer: httpx.Response) -> dict[str, Any]:
    """The request object once it has ended."""
    assert answer.status_code == 202, answer.text
    path = "/api/requests/" + answer.json()["rq_id"].replace("/", "%2F")
    found: dict[str, Any] = {}

    async def is_over() -> bool:
        found.update((await http.get(path)).raise_for_status().json())
        return found["status"] in ("finished", "failed")

    await eventually(is_over, timeout_s=60)
    return found


async def names(http: httpx.AsyncClient, task_id: int) -> list[str]:
    meta = (await http.get(f"/api/tasks/{task_id}/data/meta")).raise_for_status().json()
    return [frame["name"] for frame in meta["frames"]]


async def original(http: httpx.AsyncClient, task_id: int, frame: int) -> bytes:
    query: dict[str, Any] = {"type": "frame", "quality": "original", "number": frame}
    return (await http.get(f"/api/tasks/{task_id}/data", params=query)).raise_for_status().content


def form(files: list[tuple[str, bytes]]) -> list[tuple[str, tuple[str, bytes, str]]]:
    return [
        (f"client_files[{number}]", (name, content, "image/png"))
        for number, (name, content) in enumerate(files)
    ]


async def by_tus(http: httpx.AsyncClient, url: str, name: str, content: bytes, piece: int = 1 << 30) -> str:
    made = await create(http, url, name, len(content))
    assert made.headers["Upload-Filename"] == name
    location = made.headers["Location"]
    for start in range(0, max(len(content), 1), piece):
        body = content[start : start + piece]
        answer = await http.patch(location, headers=BYTES | {"Upload-Offset": str(start)}, content=body)
        assert answer.status_code == 204, answer.text
        assert int(answer.headers["Upload-Offset"]) == start + len(body)
    return location


async def create(http: httpx.AsyncClient, url: str, name: str, length: int) -> httpx.Response:
    metadata = "filename " + base64.b64encode(name.encode()).decode()
    headers = TUS | {"Upload-Length": str(length), "Upload-Metadata": metadata}
    made = await http.post(url, headers=headers)
    assert made.status_code == 201, made.text
    return made
