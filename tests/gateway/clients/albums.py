"""Uploads that take a while: archives of noise, and what must be made of them."""

import asyncio
import zipfile
from pathlib import Path

import httpx

from tests.gateway.sending import ended, original, picture

PICTURES = 8
"""Of more than three MiB each."""


def noise(folder: Path) -> tuple[Path, list[bytes]]:
    """An archive, and the pictures that are in it."""
    contents = [picture(number, noise=True) for number in range(PICTURES)]
    path = folder / "noise.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for number, content in enumerate(contents):
            archive.writestr(f"{number}.png", content)
    return path, contents


async def finish(http: httpx.AsyncClient, task_id: int, contents: list[bytes]) -> None:
    """Ends the sending of files; the task must have what was sent."""
    answer = await http.post(f"/api/tasks/{task_id}/data/", headers={"Upload-Finish": ""}, json={})
    request = await ended(http, answer)
    assert request["status"] == "finished", request
    frames = await asyncio.gather(*(original(http, task_id, number) for number in range(len(contents))))
    assert frames == contents
