"""CVAT's command line, from the making of tasks to their backups."""

import json
import re
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

from tests.gateway.clients.conftest import Drive
from tests.gateway.clients.running import CommandLine
from tests.gateway.clients.test_media import write_pictures

FUNCTION = Path(__file__).parent / "flows/function.py"
LABELS = json.dumps([{"name": "person", "type": "rectangle", "attributes": []}])
SOON = ("--completion_verification_period", "0.2")


def pixels(path: Path) -> "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]":
    return np.asarray(Image.open(path).convert("RGB"))


def new_task(command: CommandLine, sources: list[Path], *more: object) -> int:
    return int(command.good("task", "create", "by hand", "local", *sources, "--labels", LABELS, *SOON, *more))


def test_a_task_from_its_making_to_its_end(command: CommandLine, drive: Drive) -> None:
    sources = write_pictures(command.folder / "in", 3)
    task = new_task(command, sources, "--image_quality", 80, "--bug", "https://example.com/1")
    assert str(task) in command.good("task", "ls").split()
    described = {item["id"]: item for item in json.loads(command.good("task", "ls", "--json"))}
    assert (described[task]["size"], described[task]["bug_tracker"]) == (3, "https://example.com/1")
    command.good("task", "frames", task, 0, 2, "--outdir", "frames")
    for number in (0, 2):
        saved = command.folder / "frames" / f"task_{task}_frame_{number:06}.png"
        assert (pixels(saved) == pixels(sources[number])).all()
    command.good("task", "auto-annotate", task, "--function-file", FUNCTION)
    found = {"frames": [0, 1, 2], "sources": ["auto"], "types": ["rectangle"]}
    assert drive("automatic.boxes", task_id=task) == found
    command.good("task", "auto-annotate", task, "--function-file", FUNCTION, "--clear-existing")
    assert drive("automatic.boxes", task_id=task) == found
    command.good("task", "delete", task, 10**9)
    assert str(task) not in command.good("task", "ls").split()


def test_data_sets_and_backups_are_files(command: CommandLine, drive: Drive) -> None:
    sources = write_pictures(command.folder / "in", 2)
    task = new_task(command, sources)
    command.good("task", "auto-annotate", task, "--function-file", FUNCTION)
    before = drive("automatic.boxes", task_id=task)
    # The name of the file is the server's.
    command.good("task", "export-dataset", task, "sets/", *SOON, "--with-images", "yes")
    (exported,) = (command.folder / "sets").iterdir()
    assert re.fullmatch(r"[A-Za-z0-9_\-. ]+\.zip", exported.name)
    with zipfile.ZipFile(exported) as archive:
        assert archive.read("images/1.png") == sources[1].read_bytes()
    other = new_task(command, sources, "--annotation_path", exported)
    assert drive("automatic.boxes", task_id=other)["frames"] == before["frames"]
    command.good("task", "export-dataset", task, "coco.zip", *SOON, "--format", "COCO 1.0")
    command.good("task", "import-dataset", other, "coco.zip", "--format", "COCO 1.0")
    assert drive("automatic.boxes", task_id=other)["frames"] == before["frames"]
    command.good("task", "backup", task, "kept.zip", *SOON)
    again = int(command.good("task", "create-from-backup", "kept.zip", *SOON))
    assert drive("automatic.boxes", task_id=again) == before


def test_projects(command: CommandLine, drive: Drive) -> None:
    project = int(command.good("project", "create", "by hand", "--labels", LABELS))
    sources = write_pictures(command.folder / "in", 2)
    made = ("task", "create", "inside", "local", *sources, "--project_id", project, *SOON)
    command.good(*made, "--subset", "Train")
    command.good("project", "export-dataset", project, "p.zip", *SOON, "--with-images", "yes")
    with zipfile.ZipFile(command.folder / "p.zip") as archive:
        assert "images/Train/0.png" in archive.namelist()
    command.good("project", "backup", project, "kept.zip", *SOON)
    again = command.good("project", "create-from-backup", "kept.zip", *SOON)
    assert {str(project), again} <= set(command.good("project", "ls").split())
    given = ("--dataset_path", "p.zip", *SOON)
    new = int(command.good("project", "create", "of a data set", *given))
    assert drive("projects.names", project_id=new) == {"Train": ["0.png", "1.png"]}
    exact = command.run("project", "create", "none", *given, "--dataset_format", "COCO 1.0")
    assert (exact.returncode, "holds no" in exact.stderr) == (1, False)
    command.good("project", "delete", project, again, new)
    assert str(project) not in command.good("project", "ls").split()


def test_what_is_refused_ends_with_one_and_the_reason(command: CommandLine, drive: Drive) -> None:
    missing = command.run("task", "export-dataset", 10**9)
    assert missing.returncode == 1
    assert "404" in missing.stderr
    assert command.run("task", "ls", token="none").returncode == 1
    (command.folder / "a.png").write_bytes(b"no picture")
    broken = command.run("task", "create", "broken", "local", "a.png", "--labels", LABELS, *SOON)
    assert broken.returncode == 1
    assert "a.png is neither an image nor a video" in broken.stderr


def test_tokens_do_instead_of_passwords(command: CommandLine, drive: Drive) -> None:
    token = drive("people.make_token")
    assert command.good("task", "ls", token=token) == command.good("task", "ls")
