"""The main job, and bad input, by the installed command."""

import dataclasses
import io
import json
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from frameyard.media.v1 import upload_service_pb2 as uploads_pb2
from PIL import Image
from yard.client import Client
from yard.media import synthetic
from yard.testkit.platform import Platform

from tests.e2e.command_line import CommandLine

FRAMES = 40
LABEL = "car:rectangle:colour=select[red,blue]"


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("media") / "street.mp4"
    return synthetic.make_demo_video(path, seconds=4, size=(320, 240), fps=10)


def new_task(command: CommandLine, video: Path, name: str = "street") -> dict[str, Any]:
    options = ("--label", LABEL, "--segment-size", 20, "--overlap", 5, "--chunk-size", 10)
    task: dict[str, Any] = command.json("task", "create", name, video, *options, "--wait")
    return task


def number_in(picture: bytes) -> int:
    with Image.open(io.BytesIO(picture)) as image:
        return synthetic.read(np.asarray(image.convert("RGB")))


def numbers_in(archive: Path) -> list[int]:
    with zipfile.ZipFile(archive) as members:
        return [number_in(members.read(name)) for name in sorted(members.namelist())]


def ids(listed: Iterable[dict[str, Any]]) -> list[int]:
    return [int(entry["id"]) for entry in listed]


def test_login_is_kept_for_its_owner_alone(command: CommandLine) -> None:
    assert command.good("whoami").out == "admin (admin)\n"
    [session] = (command.folder / "home").rglob("default.json")
    assert session.stat().st_mode & 0o777 == 0o600
    command.good("logout")
    assert not session.exists()


def test_projects_own_labels_of_tasks(command: CommandLine, video: Path) -> None:
    project = command.json("project", "create", "Streets", "--label", LABEL, "--label", "person")
    assert [label["name"] for label in project["labels"]] == ["car", "person"]
    task = command.json("task", "create", "in a project", video, "--project", project["id"], "--wait")
    assert [label["name"] for label in task["labels"]] == ["car", "person"]
    command.good("project", "update", project["id"], "--name", "Streets of rain")
    command.good("project", "labels", project["id"], "--label", "tree:polygon")
    assert "tree (polygon)" in command.good("project", "show", project["id"]).out
    assert ids(command.json("task", "list", "--project", project["id"])) == [int(task["id"])]
    wanted = ("--where", f"id={task['id']}", "--where", "name!=x", "--sort", "-update_time")
    assert ids(command.json("task", "list", *wanted)) == [int(task["id"])]
    before = ("--where", f"task_id<{task['id']}", "--where", f"project_id={project['id']}")
    assert command.good("job", "list", *before, "--count").out == "0\n"
    assert "comparison.field" in command.fails("project", "list", "--where", "password~x")
    command.good("project", "delete", project["id"], "--yes")
    assert command.json("project", "list", "--name", "Streets of rain") == []
    assert "not found" in command.fails("task", "show", task["id"]).lower()


def test_the_main_job(command: CommandLine, video: Path) -> None:
    task = new_task(command, video)
    assert (int(task["size"]), task["data"]["chunk_size"]) == (FRAMES, 10)
    jobs = command.json("job", "list", "--task", task["id"])
    frames = [(int(job["frames"]["first"]), int(job["frames"]["last"])) for job in jobs]
    assert frames == [(0, 19), (15, 34), (30, 39)]
    assert f"task {task['id']}: street" in command.good("task", "show", task["id"]).out
    _fetch_pixels(command, task, jobs)
    _annotate(command, task, jobs)
    _export(command, task)
    command.good("task", "delete", task["id"], "--yes")
    assert "not found" in command.fails("task", "show", task["id"]).lower()


def _fetch_pixels(command: CommandLine, task: dict[str, Any], jobs: list[dict[str, Any]]) -> None:
    command.good("chunk", "get", "--task", task["id"], 1, "-o", "one.zip")
    assert numbers_in(command.folder / "one.zip") == list(range(10, 20))
    command.good("chunk", "get", "--task", task["id"], 0, "--format", "mp4", "-o", "zero.mp4")
    assert (command.folder / "zero.mp4").read_bytes()[4:8] == b"ftyp"
    saved = command.json("frame", "get", "--job", jobs[1]["id"], 15, 34)
    assert [entry["file"] for entry in saved] == [f"job-{jobs[1]['id']}-frame-{n}.jpg" for n in (15, 34)]
    assert [number_in((command.folder / entry["file"]).read_bytes()) for entry in saved] == [15, 34]
    command.good("preview", "get", "--task", task["id"], 7, "-o", "seven.jpg")
    with Image.open(command.folder / "seven.jpg") as picture:
        assert max(picture.size) <= 256
    assert "is there already" in command.fails("preview", "get", "--task", task["id"], 7, "-o", "seven.jpg")
    command.good("preview", "get", "--task", task["id"], 7, "-o", "seven.jpg", "--force")
    listed = command.json("frame", "list", "--job", jobs[1]["id"])
    assert [int(entry["frame"]) for entry in listed] == list(range(15, 35))
    status = command.json("chunk", "status", "--task", task["id"])
    assert int(status["chunk_count"]) == 4
    assert command.fails("frame", "get", "--job", jobs[1]["id"], 5)
    assert not list(command.folder.glob(".frameyard-*"))


def _annotate(command: CommandLine, task: dict[str, Any], jobs: list[dict[str, Any]]) -> None:
    box = {"frame": 3, "label_id": task["labels"][0]["id"], "kind": "SHAPE_KIND_RECTANGLE"}
    text = json.dumps({"shapes": [{**box, "points": [10, 20, 60, 80]}]})
    said = command.good("annotations", "put", "--job", jobs[0]["id"], "-", text=text)
    assert said.out == "0 tags, 1 shapes, 0 tracks; revision 1\n"
    command.good("annotations", "get", "--task", task["id"], "-o", "all.json")
    [shape] = json.loads((command.folder / "all.json").read_text())["shapes"]
    assert shape["points"] == [10, 20, 60, 80]
    command.good("annotations", "put", "--job", jobs[0]["id"], "all.json", "--base-revision", 1)
    conflict = command.fails("annotations", "put", "--job", jobs[0]["id"], "all.json", "--base-revision", 0)
    assert "1" in conflict
    wrong = json.dumps({"shapes": [{**box, "frame": 39, "points": [1, 2]}]})
    assert "shapes[0]" in command.fails("annotations", "put", "--job", jobs[0]["id"], "-", text=wrong)
    assert len(command.json("annotations", "get", "--job", jobs[0]["id"])["annotations"]["shapes"]) == 1


def _export(command: CommandLine, task: dict[str, Any]) -> None:
    formats = [entry["name"] for entry in command.json("export", "formats")]
    assert {"CVAT for video 1.1", "CVAT for images 1.1", "COCO 1.0"} <= set(formats)
    listed = [line.split()[:6] for line in command.good("export", "formats").out.splitlines()]
    assert ["CVAT", "for", "video", "1.1", ".zip", "videos"] in listed
    assert ["CVAT", "for", "images", "1.1", ".zip", "images"] in listed
    made = command.json("export", "create", "COCO 1.0", "--task", task["id"])
    archive = command.folder / made["file"]
    with zipfile.ZipFile(archive) as members:
        assert members.testzip() is None
    assert "is there already" in command.fails("export", "create", "COCO 1.0", "--task", task["id"])
    again = command.json("export", "download", made["operation"], "-o", "again.zip")
    assert (command.folder / again["file"]).read_bytes() == archive.read_bytes()
    assert "COCO 9" in command.fails("export", "create", "COCO 9", "--task", task["id"])


def test_workers_see_their_jobs_alone(command: CommandLine, video: Path) -> None:
    task = new_task(command, video, "assigned")
    first, second, _ = command.json("job", "list", "--task", task["id"])
    for name in ("carla", "dario"):
        command.good("user", "create", name, "--role", "worker", "--password", "a-long-password")
    assert {"carla", "dario"} <= {user["username"] for user in command.json("user", "list")}
    command.good("job", "update", first["id"], "--assignee", "carla")
    command.good("job", "update", second["id"], "--stage", "validation", "--reviewer", "dario")
    assert "nobody" in command.fails("job", "update", first["id"], "--assignee", "nobody-is-called-so")
    carla = dataclasses.replace(command, profile="carla")
    assert carla.login("carla", "a-long-password").code == 0
    assert ids(carla.json("job", "list")) == [int(first["id"])]
    assert "not found" in carla.fails("job", "show", second["id"]).lower()
    started = carla.json("job", "update", first["id"], "--state", "in-progress")
    assert started["state"] == "JOB_STATE_IN_PROGRESS"
    command.good("job", "update", first["id"], "--assignee", "")
    assert carla.json("job", "list") == []
    command.good("user", "update", "carla", "--inactive")
    assert carla.login("carla", "a-long-password").code == 1


async def test_an_upload_that_was_cut_goes_on(command: CommandLine, client: Client, video: Path) -> None:
    content = video.read_bytes()
    new = uploads_pb2.NewUploadFile(name=video.name, size_bytes=len(content))
    opened = await client.call(client.uploads.CreateUpload, uploads_pb2.CreateUploadRequest(files=[new]))
    upload_id = opened.upload.id
    header = uploads_pb2.UploadFileHeader(upload_id=upload_id)
    parts = [
        uploads_pb2.UploadFileRequest(header=header),
        uploads_pb2.UploadFileRequest(content=content[: len(content) // 2]),
    ]
    await client.uploads.UploadFile(iter(parts), metadata=await client.session.metadata())
    [half] = command.json("upload", "show", upload_id)
    assert 0 < int(half["received_bytes"]) < len(content)
    task = command.json("task", "create", "later", "--label", "car")
    early = command.fails("task", "attach", task["id"], "--upload", upload_id, "--wait")
    assert f"upload {upload_id} was not finished" in early
    attached = command.json("task", "attach", task["id"], "--upload", upload_id, video, "--wait")
    assert int(attached["size"]) == FRAMES


def test_wrong_password(platform: Platform, tmp_path: Path) -> None:
    ended = CommandLine(platform=platform, folder=tmp_path).login("admin", "not the password")
    assert ended.code == 1
    assert "password" in ended.err
    assert not list(tmp_path.rglob("default.json"))


def test_without_login(platform: Platform, tmp_path: Path) -> None:
    command = CommandLine(platform=platform, folder=tmp_path)
    said = command.fails("--endpoints", platform.data / "endpoints.json", "task", "list")
    assert "frameyard login" in said


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--label", "car:blob"], "'blob' is no kind of label"),
        (["--label", "car", "--segment-size", "10", "--overlap", "-1"], "overlap: "),
        (["--label", "car", "--start", "5", "--stop", "2"], "data.stop_frame: "),
        (["--label", "car", "--start", "500", "--wait"], "data.start_frame: "),
        (["--label", "car", "--quality", "101", "--step", "0"], "data.frame_step: "),
        (["--label", "car", "--label", "car"], "labels[1].name: "),
        (["--label", "car", "--issue-tracker", "not a URL"], "issue_tracker: "),
        (["--project", "999999"], "not found"),
    ],
)
def test_a_refused_task_leaves_nothing(
    command: CommandLine, video: Path, options: list[str], told: str
) -> None:
    assert told in command.fails("task", "create", "refused", video, *options)
    assert command.json("task", "list", "--name", "refused") == []


def broken(folder: Path, video: Path) -> dict[str, Path]:
    files = {name: folder / name for name in ("notes.mp4", "cut.mp4", "empty.mp4")}
    files["notes.mp4"].write_text("this is not a video\n" * 100)
    files["cut.mp4"].write_bytes(video.read_bytes()[:600])
    files["empty.mp4"].touch()
    return files


@pytest.mark.parametrize("name", ["notes.mp4", "cut.mp4", "empty.mp4"])
def test_a_file_that_is_no_media_is_named_and_leaves_nothing(
    command: CommandLine, video: Path, tmp_path: Path, name: str
) -> None:
    file = broken(tmp_path, video)[name]
    assert name in command.fails("task", "create", "broken", file, "--label", "car", "--wait")
    assert command.json("task", "list", "--name", "broken") == []


def test_a_video_whose_end_is_missing_says_so(command: CommandLine, tmp_path: Path) -> None:
    whole = synthetic.make_demo_video(tmp_path / "whole.mp4", seconds=4, size=(320, 240), fps=10)
    half = tmp_path / "half.mp4"
    half.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    said = command.good("task", "create", "half", half, "--label", "car", "--wait").out
    assert "warning: " in said


def test_text_of_others_does_not_act_on_the_terminal(command: CommandLine) -> None:
    # Refused or shown in escapes: CommandLine.run checks what is printed.
    command.run("project", "create", "\x1b]0;owned\x07[bold]name")
    assert (
        "\\x1b" in command.good("project", "list").out or "owned" not in command.good("project", "list").out
    )


def test_dead_letters_of_a_healthy_platform(command: CommandLine) -> None:
    assert command.good("admin", "dead-letters", "list", "task").out == ""
    assert command.good("admin", "dead-letters", "redrive", "task").out == ""
    assert command.run("admin", "dead-letters", "list", "nothing").code == 1
