"""Annotations and images in exchange formats, out and in again."""

import io
import re
import zipfile
from typing import Any

import httpx
import pytest
from yard.testkit import eventually

from tests.gateway.beside import another_gateway
from tests.gateway.people import People
from tests.gateway.sending import create, ended, form, picture
from tests.gateway.test_annotations import Scene, counts
from tests.gateway.test_annotations import scene as _scene

scene = _scene
COCO, CVAT = "COCO 1.0", "CVAT for images 1.1"
EMPTY = {"Content-Type": "application/json"}


async def exported(http: httpx.AsyncClient, place: str, **query: str) -> tuple[dict[str, Any], bytes]:
    """The request object and the archive."""
    answer = await http.post(f"{place}/dataset/export", params=query, headers=EMPTY)
    request = await ended(http, answer)
    assert request["status"] == "finished", request
    archive = await http.get(request["result_url"])
    assert archive.status_code == 200, archive.text
    return request, archive.content


def names_in(archive: bytes) -> list[str]:
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        return opened.namelist()


def place_of(url: str) -> str:
    return url.removesuffix("/annotations")


async def test_what_is_exported_is_imported_again(admin: httpx.AsyncClient, scene: Scene) -> None:
    await admin.put(scene.task, json={"shapes": [scene.shape(), scene.shape("polygon", 5)]})
    task = place_of(scene.task)
    _, archive = await exported(admin, task, format=CVAT, save_images="False", location="local")
    assert not [name for name in names_in(archive) if name.endswith(".png")]
    _, archive = await exported(admin, task, format=CVAT, save_images="True")
    assert len([name for name in names_in(archive) if name.endswith(".png")]) == 6
    url = scene.task + "/"
    # A form, as scripts send it.
    query = {"format": "CVAT 1.1", "import_mode": "append"}
    files = {"annotation_file": ("a.zip", archive)}
    request = await ended(admin, await admin.post(url, params=query, files=files))
    assert (request["status"], request["operation"]["type"]) == ("finished", "import:annotations"), request
    assert counts((await admin.get(url)).json()) == (0, 4, 0)
    # tus, as the SDK does it.
    query = {"format": "CVAT 1.1", "filename": "a.zip"}
    begin = await admin.post(url, params=query, headers=EMPTY | {"Upload-Start": ""})
    assert begin.status_code == 202, begin.text
    told = await sent(admin, url, archive)
    finish = EMPTY | {"Upload-Finish": ""}
    request = await ended(admin, await admin.post(url, params=query | {"filename": told}, headers=finish))
    assert request["status"] == "finished", request
    assert counts((await admin.get(url)).json()) == (0, 2, 0)


async def sent(http: httpx.AsyncClient, url: str, content: bytes) -> str:
    """Sends a file by tus; its name there."""
    made = await create(http, url, "a.zip", len(content))
    headers = {
        "Tus-Resumable": "1.0.0",
        "Content-Type": "application/offset+octet-stream",
        "Upload-Offset": "0",
    }
    answer = await http.patch(made.headers["Location"], headers=headers, content=content)
    assert answer.status_code == 204, answer.text
    return made.headers["Upload-Filename"]


async def test_jobs_are_exported_and_imported_alone(admin: httpx.AsyncClient, scene: Scene) -> None:
    await admin.put(scene.task, json={"shapes": [scene.shape(), scene.shape(frame=5)]})
    request, archive = await exported(admin, place_of(scene.jobs[1]), format=CVAT)
    assert (request["operation"]["target"], len(names_in(archive))) == ("job", 1)
    await admin.delete(scene.task)
    files = {"annotation_file": ("a.zip", archive)}
    answer = await admin.post(scene.jobs[1], params={"format": "CVAT 1.1"}, files=files)
    assert (await ended(admin, answer))["status"] == "finished"
    found = (await admin.get(scene.task)).json()
    assert [shape["frame"] for shape in found["shapes"]] == [5]


async def test_masks_become_polygons_if_they_shall(admin: httpx.AsyncClient, scene: Scene) -> None:
    mask = {**scene.shape("mask"), "points": [0, 400, 10, 10, 29, 29]}
    await admin.put(scene.task, json={"shapes": [mask]})
    _, archive = await exported(admin, place_of(scene.task), format=CVAT)
    for wanted, kind in (("False", "mask"), ("True", "polygon")):
        query = {"format": "CVAT 1.1", "conv_mask_to_poly": wanted}
        files = {"annotation_file": ("a.zip", archive)}
        request = await ended(admin, await admin.post(scene.task, params=query, files=files))
        assert request["status"] == "finished", request
        found = (await admin.get(scene.task)).json()["shapes"]
        assert [shape["type"] for shape in found] == [kind]


async def test_a_download_is_an_object_with_ranges_and_a_plain_name(
    admin: httpx.AsyncClient, scene: Scene, people: People
) -> None:
    request, archive = await exported(admin, place_of(scene.task), format=COCO, save_images="true")
    url = request["result_url"]
    whole = await admin.get(url)
    match = re.fullmatch(r'attachment; filename="([A-Za-z0-9_\-. ]+)"', whole.headers["Content-Disposition"])
    assert match is not None
    assert match[1].endswith(".zip")
    assert whole.headers["Content-Type"] == "application/zip"
    part = await admin.get(url, headers={"Range": "bytes=2-5"})
    assert (part.status_code, part.content) == (206, archive[2:6])
    known = await admin.get(url, headers={"If-None-Match": whole.headers["ETag"]})
    assert known.status_code == 304
    named = await admin.get(url, params={"rq_id": request["id"], "filename": "mine.zip"})
    assert 'filename="mine.zip"' in named.headers["Content-Disposition"]
    stranger = await people.make(f"datasets.stranger{scene.label}")
    assert (await stranger.get(url)).status_code == 404
    for wrong in (
        url.replace("/dataset/", "/backup/"),
        url.replace("export/", "export/x"),
        url.replace("/tasks/", "/projects/"),
        url.replace("/tasks/", "/jobs/"),
    ):
        assert (await admin.get(wrong)).status_code == 404, wrong
    async with another_gateway(people.platform, admin, redirect_to_store=True) as other:
        path = url.removeprefix(people.url)
        sent_on = await other.get(path)
        assert sent_on.status_code == 307
        async with httpx.AsyncClient() as plain:
            there = await plain.get(sent_on.headers["Location"])
        assert there.content == archive
        # Clients that save into a folder have the name of the last answer only.
        for name in ("Content-Disposition", "Content-Type"):
            assert there.headers[name] == whole.headers[name]


async def test_rights_are_asked_for_at_each_download(
    admin: httpx.AsyncClient, scene: Scene, people: People
) -> None:
    helper = await people.make(f"datasets.helper{scene.label}")
    user_id = (await helper.get("/api/users/self")).json()["id"]
    task = place_of(scene.task)
    assert (await admin.patch(task, json={"assignee_id": user_id})).status_code == 200
    request, _ = await exported(helper, task, format=COCO)
    assert (await admin.get(request["result_url"])).status_code == 200
    assert (await admin.patch(task, json={"assignee_id": None})).status_code == 200
    assert (await helper.get(request["result_url"])).status_code == 404


async def test_a_project_is_exported_whole(admin: httpx.AsyncClient) -> None:
    made = await admin.post("/api/projects", json={"name": "p", "labels": [{"name": "car"}]})
    assert made.status_code == 201, made.text
    project_id = made.json()["id"]
    place = f"/api/projects/{project_id}"
    empty = await admin.post(f"{place}/dataset/export", params={"format": COCO})
    assert (empty.status_code, empty.json()["code"]) == (400, "PROJECT_NOT_READY")
    task = await admin.post("/api/tasks", json={"name": "inside", "project_id": project_id})
    data = f"/api/tasks/{task.json()['id']}/data"
    await ended(admin, await admin.post(data, files=form([("inside.png", picture(1))])))
    request, archive = await exported(admin, place, format=COCO, save_images="True")
    assert (request["operation"]["target"], request["operation"]["project_id"]) == ("project", project_id)
    assert [name for name in names_in(archive) if name.endswith("inside.png")]


async def test_what_cannot_be_done_is_refused(admin: httpx.AsyncClient, scene: Scene, people: People) -> None:
    export = place_of(scene.task) + "/dataset/export"
    for query in ({}, {"format": "Nothing 1.0"}, {"format": COCO, "save_images": "maybe"}):
        answer = await admin.post(export, params=query)
        assert answer.status_code == 400, answer.text
    cloud = await admin.post(export, params={"format": COCO, "location": "cloud_storage"})
    assert (cloud.status_code, [*cloud.json()]) == (400, ["location"])
    files = {"annotation_file": ("a.zip", b"no archive")}
    for query in ({}, {"format": "Nothing 1.0"}, {"format": COCO, "import_mode": "merge"}):
        answer = await admin.post(scene.task, params=query, files=files)
        assert answer.status_code == 400, answer.text
    nothing = await admin.post(scene.task, params={"format": COCO}, headers=EMPTY)
    assert nothing.status_code == 400
    broken = await ended(admin, await admin.post(scene.task, params={"format": COCO}, files=files))
    assert broken["status"] == "failed"
    assert broken["message"]
    stranger = await people.make(f"datasets.other{scene.label}")
    for answer in (
        await stranger.post(export, params={"format": COCO}),
        await stranger.post(scene.task, params={"format": COCO}, files=files),
        await stranger.post(scene.task, params={"format": COCO}, headers=EMPTY | {"Upload-Start": ""}),
        await stranger.get(place_of(scene.task) + "/dataset", params={"format": COCO}),
    ):
        assert answer.status_code == 404, answer.text


async def archived(http: httpx.AsyncClient, url: str) -> bytes:
    """The archive, by the older flow."""
    query = {"format": CVAT}
    assert (await http.get(url, params=query)).status_code == 202

    async def is_there() -> bool:
        return (await http.get(url, params=query)).status_code == 201

    await eventually(is_there, timeout_s=60)
    archive = await http.get(url, params=query | {"action": "download", "filename": "old.zip"})
    assert archive.status_code == 200, archive.text
    assert 'filename="old.zip"' in archive.headers["Content-Disposition"]
    return archive.content


@pytest.mark.parametrize("of_job", [False, True])
async def test_the_older_flow_has_one_address_for_all(
    admin: httpx.AsyncClient, scene: Scene, of_job: bool
) -> None:
    url, pictures = (scene.jobs[0], 4) if of_job else (scene.task, 6)
    await admin.put(url, json={"shapes": [scene.shape()]})
    assert names_in(await archived(admin, url)) == ["annotations.xml"]
    archive = await archived(admin, place_of(url) + "/dataset")
    assert len([name for name in names_in(archive) if name.endswith(".png")]) == pictures
    wrong = await admin.get(url, params={"format": CVAT, "action": "upload"})
    assert (wrong.status_code, [*wrong.json()]) == (400, ["action"])
    await admin.put(url, json={})
    # What has changed is written anew.
    assert (await admin.get(url, params={"format": CVAT, "action": "download"})).status_code == 202
    query = {"format": "CVAT 1.1"}
    begun = await admin.put(url, params=query, files={"annotation_file": ("a.zip", archive)})
    assert begun.status_code == 202, begun.text

    async def is_in() -> bool:
        answer = await admin.put(url, params=query | begun.json())
        assert answer.status_code in (201, 202), answer.text
        return answer.status_code == 201

    await eventually(is_in, timeout_s=60)
    assert counts((await admin.get(url)).json()) == (0, 1, 0)
