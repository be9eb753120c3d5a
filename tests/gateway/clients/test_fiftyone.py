"""FiftyOne's integration of CVAT: its requests one by one, and the program itself."""

import json
import subprocess
from pathlib import Path

import pytest
from yard.media import synthetic
from yard.testkit import apart

from tests.gateway.clients.conftest import Drive
from tests.gateway.clients.running import Account
from tests.gateway.clients.test_media import write_pictures

PROGRAM = Path(__file__).parent / "with_fiftyone.py"
DATA_PROGRAM = Path(__file__).parent / "with_fiftyone_data.py"
IDS = [f"64f0c0ffee64f0c0ffee64f{number}" for number in range(3)]


def test_its_requests_are_answered(drive: Drive, account: Account) -> None:
    found = drive("fiftyone.round_trip", username=account.username, password=account.password)
    assert found == {
        "stored": {"shapes": 3, "tags": 1, "tracks": 1},
        "loaded": [[1, 1, 1], [1, 0, 1], [1, 0, 0]],
        "assignee": "admin",
    }


# Its imports alone take 10 s and more.
@pytest.mark.timeout(300)
def test_it_uploads_and_loads(account: Account, tmp_path: Path) -> None:
    sources = write_pictures(tmp_path / "in", 4)
    video = synthetic.make_demo_video(tmp_path / "film.mp4", seconds=1, size=(320, 240), fps=12)
    options: dict[str, object] = {
        "url": account.url,
        "username": account.username,
        "password": account.password,
        "pictures": [str(sources[number]) for number in (2, 0, 3, 1)],
        "video": str(video),
    }
    assert driven(PROGRAM, options, tmp_path) == {
        "pictures": {
            "stored": {"shapes": IDS[:2], "tags": IDS[2:], "tracks": []},
            "jobs": [[1, 1, 1], [1, 0, 1]],
        },
        "video": {"jobs": 1, "size": 6, "filter": "step=2", "start": 1, "chunk": True},
    }


# Its database starts with it.
@pytest.mark.timeout(300)
def test_it_annotates_a_data_set(account: Account, tmp_path: Path) -> None:
    sources = write_pictures(tmp_path / "in", 3)
    options: dict[str, object] = {
        "url": account.url,
        "username": account.username,
        "password": account.password,
        "pictures": [str(path) for path in sources],
    }
    nothing: list[object] = []
    assert driven(DATA_PROGRAM, options, tmp_path) == {
        "sent": {"shapes": 4, "tags": 0, "tracks": 0},
        "jobs": 2,
        "left": False,
        "samples": [
            {"objects": [["cat", "sad", [5, 10, 45, 40]]], "outlines": nothing},
            {"objects": [["dog", "sad", [-10, 60, 30, 60]]], "outlines": nothing},
            {"objects": [["dog", "sad", [10, 10, 10, 10]]], "outlines": [["roof", True, 3]]},
        ],
    }


def driven(program: Path, options: dict[str, object], folder: Path) -> object:
    """What a program of FiftyOne has found; its home is the folder."""
    done = subprocess.run(
        [apart.environment("fiftyone") / "python", program, json.dumps(options)],
        env={
            "HOME": str(folder),
            "FIFTYONE_DO_NOT_TRACK": "true",
            "FIFTYONE_DATABASE_VALIDATION": "false",
            "PATH": "/usr/bin:/bin",
        },
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])
