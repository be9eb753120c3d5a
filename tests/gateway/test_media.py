"""Frames, chunks and previews, and what is known of the frames, as CVAT's clients ask for them."""

import io
import zipfile
from pathlib import Path
from typing import Any, Final

import httpx
import numpy as np
import pytest
from minio import Minio
from PIL import Image
from yard.embedded.servers.s3 import REGION
from yard.media import synthetic
from yard.testkit import eventually
from yard.testkit.platform import Platform

from tests.gateway.people import People
from tests.gateway.sending import ended, form, new_task, picture

FRAMES = 10
BUCKET: Final = "frameyard"
Query = dict[str, Any]


async def album(http: httpx.AsyncClient, **more: Any) -> tuple[int, list[bytes]]:
    """Ten numbered pictures in chunks of three, and jobs of four."""
    task_id = await new_task(http, segment_size=4, overlap=0)
    files = [(f"{number}.png", picture(number)) for number in range(FRAMES)]
    fields = {"image_quality": 90, "chunk_size": 3, "use_cache": "True", **more}
    request = await ended(http, await http.post(f"/api/tasks/{task_id}/data", data=fields, files=form(files)))
    assert request["status"] == "finished", request
    return task_id, [content for _, content in files]


async def film(http: httpx.AsyncClient, tmp_path: Path, **more: Any) -> int:
    path = synthetic.make_demo_video(tmp_path / "film.mp4", seconds=1, size=(320, 240), fps=FRAMES)
    task_id = await new_task(http)
    fields = {"image_quality": 90, "chunk_size": 4, **more}
    files = [("client_files[0]", ("film.mp4", path.read_bytes(), "video/mp4"))]
    request = await ended(http, await http.post(f"/api/tasks/{task_id}/data", data=fields, files=files))
    assert request["status"] == "finished", request
    return task_id


async def built(http: httpx.AsyncClient, url: str, query: Query) -> httpx.Response:
    """A chunk from the store: at first it is sent while it is built, and kept a moment later."""
    found: list[httpx.Response] = []

    async def is_stored() -> bool:
        found.append(await http.get(url, params=query))
        return not found[-1].headers["ETag"].startswith("W/")

    await eventually(is_stored)
    return found[-1]


def shown(content: bytes) -> int:
    """What a numbered picture shows."""
    return synthetic.read(np.asarray(Image.open(io.BytesIO(content)).convert("RGB")))


def all_shown(archive: bytes) -> list[int]:
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        return [shown(opened.read(name)) for name in opened.namelist()]


async def jobs(http: httpx.AsyncClient, task_id: int) -> list[int]:
    answer = (await http.get("/api/jobs", params={"task_id": task_id})).raise_for_status().json()
    return sorted(job["id"] for job in answer["results"])


async def test_frames_of_images_are_the_uploaded_bytes_or_jpegs(admin: httpx.AsyncClient) -> None:
    task_id, contents = await album(admin)
    url = f"/api/tasks/{task_id}/data"
    accept = {"Accept": "application/vnd.cvat+json"}
    for number in (0, 7):
        query: Query = {"type": "frame", "number": number}
        original = await admin.get(url, params=query | {"quality": "original"}, headers=accept)
        assert (original.content, original.headers["Content-Type"]) == (contents[number], "image/png")
        assert original.headers["X-Content-Type-Options"] == "nosniff"
        # Opened as a page it has an origin of its own, and runs nothing.
        assert {"sandbox", "default-src 'none'"} <= {*original.headers["Content-Security-Policy"].split("; ")}
        smaller = await admin.get(url + "/", params=query)
        assert (shown(smaller.content), smaller.headers["Content-Type"]) == (number, "image/jpeg")
        again = {"If-None-Match": smaller.headers["ETag"]}
        assert (await admin.get(url, params=query, headers=again)).status_code == 304
    wrong: list[Query] = [
        {"type": "frame", "number": FRAMES},
        {"type": "chunk", "number": 4},
        {"type": "chunk", "number": 2**53},
        {"type": "frame", "number": 2**53},
        {"type": "frame"},
        {"type": "frame", "number": -1},
        {"type": "movie", "number": 0},
        {"number": 0},
    ]
    for query in wrong:
        assert (await admin.get(url, params=query)).status_code == 400
    assert (await admin.get(url, params={"type": "context_image", "number": 0})).status_code == 404


async def test_chunks_hold_the_frames_of_their_number(admin: httpx.AsyncClient) -> None:
    task_id, contents = await album(admin)
    url = f"/api/tasks/{task_id}/data"
    chunk = await admin.get(url, params={"type": "chunk", "number": 3, "quality": "compressed"})
    assert chunk.headers["Content-Type"] == "application/zip"
    assert all_shown(chunk.content) == [9]
    chunk = await admin.get(url, params={"type": "chunk", "number": 1, "quality": "original"})
    with zipfile.ZipFile(io.BytesIO(chunk.content)) as archive:
        assert [archive.read(name) for name in archive.namelist()] == contents[3:6]


async def test_a_built_chunk_is_an_object_with_ranges(admin: httpx.AsyncClient) -> None:
    task_id, _ = await album(admin)
    url = f"/api/tasks/{task_id}/data"
    query: Query = {"type": "chunk", "number": 0}
    first = await admin.get(url, params=query)
    whole = await built(admin, url, query)
    tag = whole.headers["ETag"]
    assert whole.content == first.content
    assert whole.headers["Content-Length"] == str(len(whole.content))
    assert whole.headers["Cache-Control"] == "private, max-age=31536000, immutable"

    async def ranged(value: str, **more: str) -> httpx.Response:
        return await admin.get(url, params=query, headers={"Range": value, **more})

    size = len(whole.content)
    for value, start, stop in (("bytes=5-9", 5, 10), ("bytes=10-", 10, size), ("bytes=-7", size - 7, size)):
        part = await ranged(value)
        assert (part.status_code, part.content) == (206, whole.content[start:stop])
        assert part.headers["Content-Range"] == f"bytes {start}-{stop - 1}/{size}"
    beyond = await ranged(f"bytes={size}-")
    assert (beyond.status_code, beyond.headers["Content-Range"]) == (416, f"bytes */{size}")
    assert (await ranged("bytes=0-3", **{"If-Range": tag})).status_code == 206
    assert (await ranged("bytes=0-3", **{"If-Range": '"other"'})).status_code == 200
    for value in ("bytes=9-5", "bytes=0-1,4-5", "lines=1-2"):
        assert (await ranged(value)).status_code == 200
    known = await admin.get(url, params=query, headers={"If-None-Match": f'"x", {tag}'})
    assert (known.status_code, known.content) == (304, b"")


async def test_a_chunk_that_left_the_store_is_made_again(
    admin: httpx.AsyncClient, platform: Platform
) -> None:
    task_id, _ = await album(admin)
    url = f"/api/tasks/{task_id}/data"
    query: Query = {"type": "chunk", "number": 1}
    before = _chunks(platform, "3-5")
    whole = await built(admin, url, query)
    [new] = _chunks(platform, "3-5") - before
    for _ in range(2):
        _store(platform).remove_object(BUCKET, new)
        again = await admin.get(url, params=query)
        assert (again.status_code, all_shown(again.content)) == (200, [3, 4, 5])
        assert (await built(admin, url, query)).content == whole.content


def _store(platform: Platform) -> Minio:
    return Minio(
        f"127.0.0.1:{platform.port('s3')}",
        access_key=platform.secret("s3_access_key"),
        secret_key=platform.secret("s3_secret_key"),
        secure=False,
        region=REGION,
    )


def _chunks(platform: Platform, frames: str) -> set[str]:
    found = _store(platform).list_objects(BUCKET, prefix="chunks/", recursive=True)
    return {name for item in found if (name := str(item.object_name)).endswith(f"/{frames}")}


async def test_jobs_see_their_frames_by_numbers_of_the_task(admin: httpx.AsyncClient, people: People) -> None:
    task_id, contents = await album(admin)
    job_id = (await jobs(admin, task_id))[1]  # frames 4 to 7
    worker = await people.make(f"media.worker{task_id}")
    user_id = (await worker.get("/api/users/self")).json()["id"]
    changed = await admin.patch(f"/api/jobs/{job_id}", json={"assignee": user_id})
    assert changed.status_code == 200, changed.text
    url = f"/api/jobs/{job_id}/data"
    frame = await worker.get(url, params={"type": "frame", "number": 4, "quality": "original"})
    assert frame.content == contents[4]
    for number in (3, 8):
        assert (await worker.get(url, params={"type": "frame", "number": number})).status_code == 400
    chunks: list[Query] = [{"number": 1}, {"number": 2}, {"index": 0}, {"index": 1}]
    seen = [all_shown((await worker.get(url, params={"type": "chunk", **chunk})).content) for chunk in chunks]
    assert seen == [[4, 5], [6, 7], [4, 5, 6], [7]]
    absent: list[Query] = [{"number": 0}, {"number": 3}, {"index": 2}]
    for chunk in absent:
        assert (await worker.get(url, params={"type": "chunk", **chunk})).status_code == 400
    assert shown((await worker.get(f"/api/jobs/{job_id}/preview")).content) == 4
    frame4: Query = {"type": "frame", "number": 4}
    whole = await worker.get(f"/api/tasks/{task_id}/data", params=frame4)
    assert whole.status_code in (403, 404)
    other = (await jobs(admin, task_id))[0]
    assert (await worker.get(f"/api/jobs/{other}/data", params=frame4)).status_code == 404


async def test_frames_of_a_video_are_png_or_jpeg_and_its_chunks_mp4(
    admin: httpx.AsyncClient, tmp_path: Path
) -> None:
    task_id = await film(admin, tmp_path)
    url = f"/api/tasks/{task_id}/data"
    frame = await admin.get(url, params={"type": "frame", "number": 5, "quality": "original"})
    assert (shown(frame.content), frame.headers["Content-Type"]) == (5, "image/png")
    for quality in ("original", "compressed"):
        chunk = await admin.get(url, params={"type": "chunk", "number": 0, "quality": quality})
        assert (chunk.status_code, chunk.headers["Content-Type"]) == (200, "video/mp4")
        assert chunk.content[4:8] == b"ftyp"
    meta = (await admin.get(url + "/meta")).json()
    assert [(frame["name"], frame["width"] > 0) for frame in meta["frames"]] == [("film.mp4", True)]
    assert (meta["size"], meta["start_frame"], meta["stop_frame"], meta["frame_filter"]) == (FRAMES, 0, 9, "")
    zipped = await film(admin, tmp_path, use_zip_chunks="True", start_frame=1, frame_filter="step=2")
    url = f"/api/tasks/{zipped}/data"
    meta = (await admin.get(url + "/meta")).json()
    assert len(meta["frames"]) == meta["size"] == 5
    assert (meta["start_frame"], meta["stop_frame"], meta["frame_filter"]) == (1, 9, "step=2")
    for quality in ("original", "compressed"):
        chunk = await admin.get(url, params={"type": "chunk", "number": 0, "quality": quality})
        assert all_shown(chunk.content) == [1, 3, 5, 7]


async def test_deleted_frames_are_replaced_in_the_range_of_the_target(admin: httpx.AsyncClient) -> None:
    task_id, _ = await album(admin)
    job_id = (await jobs(admin, task_id))[1]
    task, job = f"/api/tasks/{task_id}/data/meta", f"/api/jobs/{job_id}/data/meta"
    changed = await admin.patch(task, json={"deleted_frames": [1, 4, 5, 9]})
    assert (changed.status_code, changed.json()["deleted_frames"]) == (200, [1, 4, 5, 9])
    seen = (await admin.get(job)).json()
    assert seen["deleted_frames"] == [4, 5]
    assert [frame["name"] for frame in seen["frames"]] == ["4.png", "5.png", "6.png", "7.png"]
    assert (seen["size"], seen["start_frame"], seen["stop_frame"], seen["chunk_size"]) == (4, 4, 7, 3)
    changed = await admin.patch(job, json={"deleted_frames": [0, 5, 6]})
    assert changed.json()["deleted_frames"] == [5, 6]
    assert (await admin.get(task)).json()["deleted_frames"] == [1, 5, 6, 9]
    assert (await admin.patch(task, json={})).json()["deleted_frames"] == [1, 5, 6, 9]
    refused = await admin.patch(task, json={"deleted_frames": [0, FRAMES]})
    assert (refused.status_code, [*refused.json()]) == (400, ["deleted_frames.1"])
    assert (await admin.patch(task, json={"deleted_frames": []})).json()["deleted_frames"] == []


@pytest.mark.parametrize("path", ["data?type=frame&number=0", "data/meta", "preview"])
async def test_who_may_not_see_a_task_sees_no_pixels(
    admin: httpx.AsyncClient, people: People, path: str
) -> None:
    task_id = await new_task(admin)
    assert (await admin.get(f"/api/tasks/{task_id}/{path}")).status_code == 404
    full, _ = await album(admin)
    assert (await admin.get(f"/api/tasks/{full}/{path}")).status_code == 200
    stranger = await people.make(f"media.stranger{full}")
    for target in (full, 10**12):
        assert (await stranger.get(f"/api/tasks/{target}/{path}")).status_code == 404
    nobody = await people.nobody()
    assert (await nobody.get(f"/api/tasks/{full}/{path}")).status_code == 401
