"""Whole tasks and projects in one archive and back, through the installed command on the whole platform."""

from __future__ import annotations

import dataclasses
import json
import threading
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from frameyard.annotation.v1 import annotation_pb2 as objects
from frameyard.annotation.v1 import annotation_service_pb2 as service
from frameyard.common.v1.common_pb2 import FrameRange
from frameyard.task.v1 import issue_pb2, issue_service_pb2, job_pb2, job_service_pb2, task_service_pb2
from frameyard.task.v1.task_pb2 import Task
from google.protobuf.field_mask_pb2 import FieldMask
from PIL import Image
from yard.client import Client
from yard.media import synthetic

from tests.e2e.backup_scene import archive_of, lines, restored
from tests.e2e.command_line import CommandLine

FRAMES = 40
LABELS = [
    {
        "name": "car",
        "color": "#102030",
        "attributes": [
            {"name": "make", "mutable": False, "input_type": "select", "values": ["any", "other"]},
            {"name": "speed", "mutable": True, "input_type": "number", "values": ["0", "90", "1"]},
        ],
    },
    {"name": "tree", "attributes": []},
]


@pytest.fixture
def labels(command: CommandLine) -> Path:
    file = command.folder / "labels.json"
    file.write_text(json.dumps(LABELS))
    return file


@pytest.fixture
def video(command: CommandLine, labels: Path) -> int:
    """A task of a video in three jobs that overlap."""
    film = synthetic.make_demo_video(command.folder / "street.mp4", seconds=4, size=(320, 240), fps=10)
    options = ("--labels", labels, "--segment-size", 16, "--overlap", 4, "--start", 2, "--wait")
    return int(command.json("task", "create", "street", film, *options)["id"])


async def task_of(client: Client, task_id: int) -> Task:
    request = task_service_pb2.GetTaskRequest(id=task_id)
    return (await client.call(client.tasks.GetTask, request)).task


async def draw(client: Client, task: Task) -> None:
    """Objects of many kinds, some of which several jobs see."""
    car, tree = task.labels
    make, speed = car.attributes

    def value(attribute: Any, text: str) -> objects.AttributeValue:
        return objects.AttributeValue(attribute_id=attribute.id, value=text)

    def key(frame: int, **more: Any) -> objects.Keyframe:
        points = [10 + frame, 10, 60 + frame, 50.25]
        return objects.Keyframe(frame=frame, kind=objects.SHAPE_KIND_RECTANGLE, points=points, **more)

    made = objects.AnnotationSet(
        tags=[objects.Tag(frame=13, label_id=tree.id, group=3)],
        shapes=[
            objects.Shape(
                frame=14,
                label_id=car.id,
                kind=objects.SHAPE_KIND_RECTANGLE,
                points=[1.1, 2.2, 30.3, 40.4],
                rotation=12.5,
                occluded=True,
                z_order=-2,
                group=3,
                source=objects.SOURCE_AUTO,
                attributes=[value(make, "other"), value(speed, "7")],
            ),
            objects.Shape(
                frame=1,
                label_id=tree.id,
                kind=objects.SHAPE_KIND_POLYGON,
                points=[1, 1, 20.5, 3, 17, 30],
            ),
        ],
        tracks=[
            objects.Track(
                label_id=car.id,
                attributes=[value(make, "any")],
                keyframes=[
                    key(3, attributes=[value(speed, "1")]),
                    key(20, occluded=True, attributes=[value(speed, "55")]),
                    key(35, outside=True),
                ],
            )
        ],
    )
    request = service.PutAnnotationsRequest(
        target=service.AnnotationTarget(task_id=task.id), annotations=made
    )
    await client.call(client.annotations.PutAnnotations, request)


async def review(client: Client, task: Task) -> None:
    """Deleted frames, an issue with an answer, and a job that is done."""
    target = service.AnnotationTarget(task_id=task.id)
    deleted = [FrameRange(first=5, last=6), FrameRange(first=30, last=30)]
    request = service.UpdateDeletedFramesRequest(target=target, delete=deleted)
    await client.call(client.annotations.UpdateDeletedFrames, request)
    listed = job_service_pb2.ListJobsRequest(task_id=task.id)
    jobs = (await client.call(client.jobs.ListJobs, listed)).jobs
    for number, text in enumerate(("is this a car?", "and this?")):
        opened = issue_service_pb2.CreateIssueRequest(
            job_id=jobs[1].id, frame=14, position=[1.5, 2, 30, 40], message=text
        )
        issue = (await client.call(client.issues.CreateIssue, opened)).issue
        if number == 0:
            said = issue_service_pb2.CreateCommentRequest(issue_id=issue.id, message="yes\nit is")
            await client.call(client.issues.CreateComment, said)
            done = issue_service_pb2.UpdateIssueRequest(
                issue=issue_pb2.Issue(id=issue.id, resolved=True), update_mask=FieldMask(paths=["resolved"])
            )
            await client.call(client.issues.UpdateIssue, done)
    job = job_pb2.Job(id=jobs[0].id, stage=job_pb2.JOB_STAGE_VALIDATION, state=job_pb2.JOB_STATE_COMPLETED)
    change = job_service_pb2.UpdateJobRequest(job=job, update_mask=FieldMask(paths=["stage", "state"]))
    await client.call(client.jobs.UpdateJob, change)


async def test_a_task_of_a_video_comes_back_as_it_was(
    command: CommandLine, client: Client, video: int
) -> None:
    task = await task_of(client, video)
    await draw(client, task)
    await review(client, task)
    first = archive_of(command, "task", video, "first.zip")
    assert json.loads(first["frameyard.json"]) == {
        "format": "frameyard-backup",
        "kind": "task",
        "task_count": 1,
        "version": 1,
    }
    [file] = lines(first["media/manifest.jsonl"])
    assert first[file["path"]] == (command.folder / "street.mp4").read_bytes()
    assert len(lines(first["jobs.jsonl"])) == 3
    assert {name for name in first if name.startswith("annotations/")} == {
        f"annotations/{number}.columns" for number in range(3)
    }
    again = restored(command, "task", "first.zip")
    assert again != video
    made = await task_of(client, again)
    assert (made.name, made.size, made.data.start_frame) == ("street", 38, 2)
    assert made.owner.username == "admin"
    assert archive_of(command, "task", again, "second.zip") == first
    assert (command.folder / "second.zip").read_bytes() == (command.folder / "first.zip").read_bytes()
    for number in (0, 37):
        for id_ in (video, again):
            command.good("frame", "get", "--task", id_, number, "-o", f"{id_}-{number}.png")
        pictures = [(command.folder / f"{id_}-{number}.png").read_bytes() for id_ in (video, again)]
        assert pictures[0] == pictures[1]
    merged = [command.json("annotations", "get", "--task", id_)["annotations"] for id_ in (video, again)]
    assert [len(each["tracks"]) for each in merged] == [1, 1]


def pictures(folder: Path, *names: str) -> list[Path]:
    """Pictures that show their place in the order given."""
    made = []
    for number, name in enumerate(names):
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(synthetic.numbered_scene(number, (320, 240))).save(file)
        made.append(file)
    return made


def originals(command: CommandLine, task_id: int) -> list[bytes]:
    """The files of all frames, as they were given."""
    size = int(command.json("task", "show", task_id)["size"])
    found = []
    for number in range(size):
        command.good("frame", "get", "--task", task_id, number, "--original", "-o", "frame.png", "--force")
        found.append((command.folder / "frame.png").read_bytes())
    return found


def test_images_come_back_in_their_order(command: CommandLine) -> None:
    files = pictures(command.folder / "album", "b.png", "a.png", "deep/Ü ~.png", "~c.png", "9.png")
    options = ("--sorting", "random", "--seed", 7, "--start", 1, "--step", 2, "--label", "car", "--wait")
    task = int(command.json("task", "create", "album", command.folder / "album", *options)["id"])
    first = archive_of(command, "task", task, "album.zip")
    assert len(lines(first["media/manifest.jsonl"])) == len(files)
    assert "media/0/~4" not in first or first["media/0/~4"]
    again = restored(command, "task", "album.zip")
    assert originals(command, again) == originals(command, task)
    assert archive_of(command, "task", again, "again.zip") == first


def test_members_of_an_archive_come_back(command: CommandLine) -> None:
    files = pictures(command.folder / "inside", "1.png", "10.png", "2.png")
    with zipfile.ZipFile(command.folder / "inside.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files:
            archive.write(file, file.name)
    options = ("--sorting", "natural", "--label", "car", "--wait")
    task = int(command.json("task", "create", "packed", command.folder / "inside.zip", *options)["id"])
    first = archive_of(command, "task", task, "packed.zip")
    [line] = lines(first["media/manifest.jsonl"])
    assert first[line["path"]] == (command.folder / "inside.zip").read_bytes()
    assert originals(command, restored(command, "task", "packed.zip")) == originals(command, task)


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """A web server of a folder `web`."""

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in the base
            pass

    (tmp_path / "web").mkdir()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=tmp_path / "web")) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_media_of_a_share_and_of_addresses_comes_with_the_archive_or_stays_where_it_is(
    command: CommandLine, nas: Path, address: str
) -> None:
    pictures(nas / "kept", "1.png", "3.png")
    pictures(command.folder / "web", "2.png")
    where = ("--share", "nas:kept", "--url", f"{address}/2.png?secret=1")
    made = command.json("task", "create", "far", *where, "--label", "car", "--wait")
    task = int(made["id"])
    whole = archive_of(command, "task", task, "whole.zip")
    named = archive_of(command, "task", task, "named.zip", "--without-remote-media")
    assert sorted(name for name in whole if name.endswith(".png")) == [
        "media/0/kept/1.png",
        "media/0/kept/3.png",
        "media/1/2.png",
    ]
    assert not [name for name in named if name.endswith(".png")]
    assert b"secret" not in b"".join(named.values())
    wanted = originals(command, task)
    assert len(wanted) == 3
    assert originals(command, restored(command, "task", "named.zip")) == wanted
    for file in (*(nas / "kept").iterdir(), command.folder / "web" / "2.png"):
        file.unlink()
    again = restored(command, "task", "whole.zip")
    assert originals(command, again) == wanted
    tasks = command.json("task", "list")
    said = command.fails("task", "restore", command.folder / "named.zip")
    assert "2.png answers 404" in said
    assert command.json("task", "list") == tasks


def test_a_folder_of_a_share_that_its_manifest_describes_comes_back(command: CommandLine, nas: Path) -> None:
    pictures(nas / "described", "1.png", "2.png", "3.png")
    command.good("manifest", "create", nas / "described", "-o", nas / "described")
    options = ("--sorting", "predefined", "--label", "car", "--wait")
    task = int(command.json("task", "create", "tree", "--share", "nas:described", *options)["id"])
    archive_of(command, "task", task, "tree.zip")
    assert originals(command, restored(command, "task", "tree.zip")) == originals(command, task)


async def test_a_project_comes_back_with_its_tasks(
    command: CommandLine, client: Client, labels: Path
) -> None:
    project = int(command.json("project", "create", "city", "--labels", labels)["id"])
    film = synthetic.make_demo_video(command.folder / "film.mp4", seconds=4, size=(320, 240), fps=10)
    pictures(command.folder / "album", "a.png", "b.png")
    options = ("--project", project, "--wait")
    cut = ("--segment-size", 16, "--overlap", 4, "--start", 2)
    video = int(command.json("task", "create", "film", film, *cut, *options, "--subset", "train")["id"])
    command.good("task", "create", "album", command.folder / "album", *options)
    command.good("task", "create", "empty", "--project", project)
    task = await task_of(client, video)
    await draw(client, task)
    await review(client, task)
    first = archive_of(command, "project", project, "city.zip")
    assert json.loads(first["frameyard.json"])["task_count"] == 3
    assert json.loads(first["tasks/0/task.json"])["subset"] == "train"
    again = restored(command, "project", "city.zip")
    assert archive_of(command, "project", again, "again.zip") == first
    made = command.json("project", "show", again)
    assert (made["name"], int(made["task_count"])) == ("city", 3)
    assert "not of a task" in command.fails("task", "restore", command.folder / "city.zip")
    alone = archive_of(command, "task", video, "film.zip")
    assert archive_of(command, "task", restored(command, "task", "film.zip"), "film-again.zip") == alone


def test_what_is_not_theirs_is_not_there(command: CommandLine, video: int) -> None:
    command.good("user", "create", "eve-of-backups", "--role", "user", "--password", "a-long-password")
    eve = dataclasses.replace(command, profile="eve")
    assert eve.login("eve-of-backups", "a-long-password").code == 0
    absent = eve.fails("task", "backup", 999_999)
    assert eve.fails("task", "backup", video) == absent.replace("999999", str(video))
    command.good("task", "backup", video, "-o", "hers.zip")
    made = eve.json("task", "restore", command.folder / "hers.zip")["id"]
    assert command.json("task", "show", made)["owner"]["username"] == "eve-of-backups"
    command.good("user", "create", "wil-of-backups", "--role", "worker", "--password", "a-long-password")
    worker = dataclasses.replace(command, profile="wil")
    assert worker.login("wil-of-backups", "a-long-password").code == 0
    worker.fails("task", "restore", command.folder / "hers.zip")


def test_a_damaged_archive_makes_nothing(command: CommandLine, video: int) -> None:
    command.good("task", "backup", video, "-o", "good.zip")
    content = bytearray((command.folder / "good.zip").read_bytes())
    place = content.index((command.folder / "street.mp4").read_bytes()[1000:1100])
    content[place] ^= 0xFF
    (command.folder / "bad.zip").write_bytes(content)
    tasks = command.json("task", "list")
    said = command.fails("task", "restore", command.folder / "bad.zip")
    assert "street.mp4" in said
    assert command.json("task", "list") == tasks
