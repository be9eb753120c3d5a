"""Files for tasks, in all the ways that clients send them."""

import base64
import io
import json
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from frameyard.media.v1 import upload_service_pb2 as uploads
from yard.client import Client
from yard.testkit import eventually

from tests.gateway.people import People
from tests.gateway.sending import BYTES, TUS, by_tus, create, ended, form, names, new_task, original, picture


async def test_everything_comes_in_one_request_and_its_numbers_give_the_order(
    admin: httpx.AsyncClient,
) -> None:
    task_id = await new_task(admin)
    given = [("/home/u/b.png", picture(0)), ("a ü.png", picture(1, noise=True)), ("c.png", picture(2))]
    fields = {
        "image_quality": "75",
        "use_cache": "True",
        "use_zip_chunks": "True",
        "sorting_method": "predefined",
    }
    files = form(given)
    answer = await admin.post(f"/api/tasks/{task_id}/data", data=fields, files=[files[1], files[2], files[0]])
    request = await ended(admin, answer)
    assert request["status"] == "finished", request
    assert await names(admin, task_id) == ["b.png", "a ü.png", "c.png"]
    assert [await original(admin, task_id, n) for n in range(3)] == [content for _, content in given]
    more = await admin.post(f"/api/tasks/{task_id}/data", files=files)
    assert (more.status_code, more.json()["detail"]) == (400, "Adding more data is not supported")


async def test_files_come_in_steps(admin: httpx.AsyncClient) -> None:
    task_id = await new_task(admin)
    url = f"/api/tasks/{task_id}/data/"
    given = {"x.png": picture(0), "y.png": picture(1, noise=True), "z.png": picture(2)}
    empty = {"Content-Type": "application/json"}
    assert (await admin.post(url, headers=empty | {"Upload-Start": ""})).status_code == 202
    assert (
        await admin.post(url, headers={"Upload-Multiple": ""}, files=form([("old.png", given["x.png"])]))
    ).status_code == 200
    again = await admin.post(url, headers=empty | {"Upload-Start": ""})
    assert again.status_code == 202
    sent = await admin.post(
        url, headers={"Upload-Multiple": ""}, data={"image_quality": 70}, files=form([*given.items()][:1])
    )
    assert sent.status_code == 200
    twice = await admin.post(url, headers={"Upload-Multiple": ""}, files=form([*given.items()][:1]))
    assert twice.status_code == 409
    assert "x.png" in twice.text
    await by_tus(admin, url, "z.png", given["z.png"])
    await by_tus(admin, url, "y.png", given["y.png"], piece=1_000_000)
    lost = {"sorting_method": "predefined", "upload_file_order": ["z.png", "lost.png"]}
    refused = await admin.post(url, headers={"Upload-Finish": ""}, json=lost)
    assert (refused.status_code, [*refused.json()]) == (400, ["upload_file_order[1]"])
    order = {
        "image_quality": 70,
        "sorting_method": "predefined",
        "upload_file_order": ["z.png", "x.png", "y.png"],
    }
    request = await ended(admin, await admin.post(url, headers={"Upload-Finish": ""}, json=order))
    assert request["status"] == "finished", request
    assert await names(admin, task_id) == ["z.png", "x.png", "y.png"]
    assert await original(admin, task_id, 2) == given["y.png"]


async def test_nothing_is_made_of_nothing(admin: httpx.AsyncClient) -> None:
    task_id = await new_task(admin)
    url = f"/api/tasks/{task_id}/data/"
    for headers in ({"Upload-Finish": ""}, {}):
        answer = await admin.post(url, headers=headers, json={"image_quality": 70})
        assert answer.status_code == 400
        assert "No media data found" in answer.text


async def test_faults_of_parameters_are_told_all_at_once(admin: httpx.AsyncClient) -> None:
    task_id = await new_task(admin)
    url = f"/api/tasks/{task_id}/data"
    wrong = {
        "image_quality": "x",
        "job_file_mapping": [["a.png"]],
        "cloud_storage_id": 3,
        "sorting_method": "y",
    }
    answer = await admin.post(url, json=wrong)
    assert answer.status_code == 400
    assert set(answer.json()) == set(wrong)
    wrong = {"frame_filter": "every 3", "validation_params": {"mode": "gt"}}
    assert set((await admin.post(url, json=wrong)).json()) == set(wrong)
    wrong = {"remote_files": ["http://127.0.0.1/a.png"], "chunk_size": 10_001, "image_quality": 3}
    answer = await admin.post(url, json=wrong)
    assert (answer.status_code, set(answer.json())) == (400, {"chunk_size", "image_quality"})
    answer = await admin.post(url, content=b"{", headers={"Content-Type": "application/json"})
    assert answer.status_code == 400


@pytest.mark.parametrize("name", ["..", "a/..", ".", "a\x01.png", "x" * 1025])
async def test_hostile_names_are_refused(admin: httpx.AsyncClient, name: str) -> None:
    task_id = await new_task(admin)
    url = f"/api/tasks/{task_id}/data"
    metadata = "filename " + base64.b64encode(name.encode()).decode()
    made = await admin.post(url, headers=TUS | {"Upload-Length": "3", "Upload-Metadata": metadata})
    assert (made.status_code, [*made.json()]) == (400, ["filename"])
    if name.isprintable():
        sent = await admin.post(url, files=form([(name, b"abc")]))
        assert (sent.status_code, [*sent.json()]) == (400, ["client_files[0]"])


async def in_slot(people: People, slot: str) -> uploads.Upload:
    """The administrator's upload there."""
    async with Client(people.platform.endpoints) as client:
        await client.login("admin", people.platform.admin_password)
        request = uploads.GetUploadRequest(slot=slot)
        return (await client.call(client.uploads.GetUpload, request)).upload


async def test_large_files_are_never_whole_in_memory(admin: httpx.AsyncClient, people: People) -> None:
    url = f"/api/tasks/{await new_task(admin)}/data"
    piece, pieces = bytes(1 << 20), 96

    async def zeros(head: bytes = b"", tail: bytes = b"") -> AsyncIterator[bytes]:
        yield head
        for _ in range(pieces):
            yield piece
        yield tail

    head = b'--x\r\nContent-Disposition: form-data; name="client_files[0]"; filename="a.bin"\r\n\r\n'
    in_form = {"Upload-Multiple": "", "Content-Type": "multipart/form-data; boundary=x"}
    location = (await create(admin, url, "b.bin", pieces << 20)).headers["Location"]
    process = Path(f"/proc/{people.platform.pid('gateway')}")
    (process / "clear_refs").write_text("5")  # the most is counted from now on
    before_kib = _kib(process, "VmHWM")
    form = await admin.post(url, headers=in_form, content=zeros(head, b"\r\n--x--\r\n"))
    assert form.status_code == 200, form.text
    file = await admin.patch(location, headers=BYTES | {"Upload-Offset": "0"}, content=zeros())
    assert (file.status_code, file.headers["Upload-Offset"]) == (204, str(pieces << 20))
    assert _kib(process, "VmHWM") - before_kib < 48 * 1024


def _kib(process: Path, name: str) -> int:
    """A number of what the system tells of a process."""
    lines = (process / "status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))


async def test_a_body_that_breaks_off_completes_nothing(admin: httpx.AsyncClient, people: People) -> None:
    task_id = await new_task(admin)
    url = f"/api/tasks/{task_id}/data/"
    content = picture(4, noise=True)
    request = admin.build_request(
        "POST", url, headers={"Upload-Multiple": ""}, files=form([("l.png", content)])
    )
    body = request.read()

    async def cut() -> Any:
        yield body[: len(body) - 1000]
        raise RuntimeError("the line is cut")

    headers = {"Upload-Multiple": "", "Content-Type": request.headers["Content-Type"]}
    with pytest.raises(RuntimeError):
        await admin.post(url, headers=headers, content=cut())

    async def is_at_rest() -> bool:
        files = (await in_slot(people, f"tasks/{task_id}/data")).files
        return any(file.received_bytes for file in files)

    # Whoever announces the file last is its writer: not the one that was cut.
    await eventually(is_at_rest)
    short = await admin.post(url, headers=headers, content=body[: len(body) - 1000])
    assert (short.status_code, [*short.json()]) == (400, ["body"])
    refused = await admin.post(url, headers={"Upload-Finish": ""}, json={})
    assert refused.status_code == 400
    assert "l.png" in refused.text
    assert (await admin.post(url, headers=headers, content=body)).status_code == 200
    ready = await ended(admin, await admin.post(url, headers={"Upload-Finish": ""}, json={}))
    assert ready["status"] == "finished", ready
    assert await original(admin, task_id, 0) == content


async def test_a_kill_of_ingest_costs_no_file_of_a_form(admin: httpx.AsyncClient, people: People) -> None:
    task_id = await new_task(admin)
    url = f"/api/tasks/{task_id}/data/"
    # More than are kept in memory, so that some are on their way at the kill.
    files = [(f"{number:04}.png", picture(number)) for number in range(1_500)]
    request = admin.build_request("POST", url, headers={"Upload-Multiple": ""}, files=form(files))
    body = request.read()
    third = len(body) // 3

    async def killing() -> Any:
        yield body[:third]
        killed = people.platform.kill("media_ingest")
        yield body[third : 2 * third]
        yield body[2 * third :]
        await people.platform.is_back("media_ingest", killed)

    headers = {"Upload-Multiple": "", "Content-Type": request.headers["Content-Type"]}
    length = {"Content-Length": str(len(body))}
    sent = await admin.post(url, headers=headers | length, content=killing())
    assert sent.status_code == 200, sent.text
    ready = await ended(admin, await admin.post(url, headers={"Upload-Finish": ""}, json={"use_cache": True}))
    assert ready["status"] == "finished", ready
    assert await names(admin, task_id) == [name for name, _ in files]


async def test_what_was_finished_and_not_attached_is_finished_again(
    admin: httpx.AsyncClient, people: People
) -> None:
    task_id = await new_task(admin)
    url = f"/api/tasks/{task_id}/data/"
    given = form([("a.png", picture(1)), ("b.png", picture(2))])
    assert (await admin.post(url, headers={"Upload-Multiple": ""}, files=given)).status_code == 200
    # As far as a gateway comes that is killed in between.
    async with Client(people.platform.endpoints) as client:
        await client.login("admin", people.platform.admin_password)
        upload = await in_slot(people, f"tasks/{task_id}/data")
        finish = uploads.FinishUploadRequest(id=upload.id, order=["a.png"])
        await client.call(client.uploads.FinishUpload, finish)
    stranger = await people.make("data.finisher")
    finishing = {"Upload-Finish": ""}
    assert (await stranger.post(url, headers=finishing, json={})).status_code == 404
    order = {"sorting_method": "predefined", "upload_file_order": ["b.png", "a.png"]}
    answer = await admin.post(url, headers=finishing, json=order)
    request = await ended(admin, answer)
    assert request["status"] == "finished", request
    assert await names(admin, task_id) == ["b.png", "a.png"]
    # Nor does it matter where the answer was lost.
    again = await admin.post(url, headers=finishing, json=order)
    assert (again.status_code, again.json()) == (202, answer.json())
    more = await admin.post(url, headers={"Upload-Start": ""})
    assert (more.status_code, more.json()["detail"]) == (400, "Adding more data is not supported")


async def test_data_of_another_way_is_not_finished_again(admin: httpx.AsyncClient) -> None:
    task_id = await new_task(admin)
    url = f"/api/tasks/{task_id}/data/"
    await ended(admin, await admin.post(url, files=form([("a.png", picture(1))])))
    refused = await admin.post(url, headers={"Upload-Finish": ""}, json={})
    assert (refused.status_code, refused.json()["detail"]) == (400, "Adding more data is not supported")


async def test_who_may_not_see_a_task_sends_nothing(people: People, admin: httpx.AsyncClient) -> None:
    task_id = await new_task(admin)
    stranger = await people.make("data.stranger")
    for target in (task_id, 10**12):
        for headers in ({"Upload-Start": ""}, {"Upload-Length": "3"}, {"Upload-Finish": ""}):
            assert (await stranger.post(f"/api/tasks/{target}/data", headers=headers)).status_code == 404
        sent = await stranger.post(f"/api/tasks/{target}/data", files=form([("a.png", b"x")]))
        assert sent.status_code == 404


async def test_files_of_shares_keep_their_folders(admin: httpx.AsyncClient, nas: Path) -> None:
    folder = nas / "shared-data"
    (folder / "in").mkdir(parents=True)
    for number, name in enumerate(["a.png", "in/b.png", "in/c.png"]):
        (folder / name).write_bytes(picture(number))
    for paths in (["nas/shared-data/"], ["shared-data/a.png", "/shared-data/in/"]):
        task_id = await new_task(admin)
        body = {"server_files": paths, "server_files_exclude": ["shared-data/in/c.png"], "image_quality": 70}
        request = await ended(admin, await admin.post(f"/api/tasks/{task_id}/data/", json=body))
        assert request["status"] == "finished", request
        assert await names(admin, task_id) == ["shared-data/a.png", "shared-data/in/b.png"]


async def test_a_failure_is_told_with_its_reason(admin: httpx.AsyncClient) -> None:
    task_id = await new_task(admin)
    answer = await admin.post(f"/api/tasks/{task_id}/data", files=form([("a.png", b"no picture")]))
    request = await ended(admin, answer)
    assert request["status"] == "failed"
    assert "a.png" in request["message"]
    status = (await admin.get(f"/api/tasks/{task_id}/status")).json()
    assert status == {"state": "Failed", "message": request["message"], "progress": 0.0}
    again = io.BytesIO()
    with zipfile.ZipFile(again, "w") as archive:
        archive.writestr("in/p.png", picture(1))
    answer = await admin.post(f"/api/tasks/{task_id}/data", files=form([("a.zip", again.getvalue())]))
    request = await ended(admin, answer)
    assert request["status"] == "finished", json.dumps(request)
    assert await names(admin, task_id) == ["in/p.png"]
    status = (await admin.get(f"/api/tasks/{task_id}/status")).json()
    assert status == {"state": "Finished", "message": "", "progress": 1.0}
