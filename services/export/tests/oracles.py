"""Readers of exchange formats that nobody here wrote, in an environment and a process of their own.

The environment is made by `make .venv-oracles/.installed` if it is not there; the process is started when it
is first asked and answers until the tests are over, so that imports are paid once.
"""

import atexit
import fcntl
import io
import json
import subprocess
import zipfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
INSTALLED = ".venv-oracles/.installed"
MODULE = "services.export.tests.oracle_readers.serve"


class OracleError(AssertionError):
    """The oracle could not read what it was given; holds its traceback."""


def read(oracle_script: str, path: Path, **options: Any) -> Any:
    """What the function `reader` of a file of `oracle_readers`, named `file.reader`, gives for the path."""
    process = _process()
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps({"reader": oracle_script, "path": str(path), "options": options}) + "\n")
    process.stdin.flush()
    line = process.stdout.readline()
    if not line:
        raise OracleError(f"the oracle ended with {process.wait()} while it read {path}")
    answer = json.loads(line)
    if "fault" in answer:
        raise OracleError(answer["fault"])
    return answer["result"]


def unpacked(files: Mapping[str, bytes], folder: Path) -> Path:
    """The folder, with the files in it."""
    for name, content in files.items():
        path = folder / name
        assert path.resolve().is_relative_to(folder.resolve())
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def packed(folder: Path) -> dict[str, bytes]:
    """The files of a folder by their names in an archive."""
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def unzipped(content: bytes) -> dict[str, bytes]:
    """The files of an archive."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@cache
def _process() -> "subprocess.Popen[str]":
    _install()
    process = subprocess.Popen(
        [ROOT / ".venv-oracles/bin/python", "-m", MODULE],
        cwd=ROOT,
        text=True,
        encoding="utf-8",
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    atexit.register(_end, process)
    return process


def _install() -> None:
    if (ROOT / INSTALLED).exists():
        return
    with (ROOT / "requirements-oracles.lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        subprocess.run(["make", "--no-print-directory", INSTALLED], check=True, cwd=ROOT, capture_output=True)


def _end(process: "subprocess.Popen[str]") -> None:
    process.communicate()
