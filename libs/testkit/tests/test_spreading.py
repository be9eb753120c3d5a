"""Tests of a folder share a process, and what takes long begins first."""

import subprocess
import sys
from pathlib import Path

TESTS = """
import os

import pytest


@pytest.mark.parametrize("number", range(4))
def test_one(number, request):
    with open(os.environ["SEEN"], "a") as seen:
        print(request.path.parent.name, os.environ["PYTEST_XDIST_WORKER"], file=seen)
"""
FOLDERS = ("alone", "last", "platform")


def test_folders_stay_together_and_come_first(tmp_path: Path) -> None:
    for name in FOLDERS:
        (tmp_path / name).mkdir()
        (tmp_path / name / f"test_{name}.py").write_text(TESTS)
    (tmp_path / "pytest.ini").write_text("[pytest]\ntogether =\n    platform\n    last/test_last.py\n")
    seen = tmp_path / "seen"
    plugins = ["-p", "xdist", "-p", "yard.testkit.spreading"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *plugins, "-n", "2", "--dist", "loadgroup", *FOLDERS],
        cwd=tmp_path,
        env={"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "SEEN": str(seen)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    lines = [line.split() for line in seen.read_text().splitlines()]
    assert len(lines) == 12
    workers = {
        folder: {worker for name, worker in lines if name == folder} for folder in ("platform", "last")
    }
    assert [len(found) for found in workers.values()] == [1, 1]
    assert workers["platform"] != workers["last"]
    assert lines[0][0] in {"platform", "last"}
