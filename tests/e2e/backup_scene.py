"""A task with everything that a backup must keep, and what of it can be compared."""

import hashlib
import json
import zipfile
from pathlib import Path
from typing import Any

from tests.e2e.command_line import CommandLine


def archive_of(command: CommandLine, what: str, id_: object, name: str, *options: str) -> dict[str, bytes]:
    """The files of a new backup."""
    command.good(what, "backup", id_, "-o", name, *options)
    with zipfile.ZipFile(command.folder / name) as archive:
        assert archive.testzip() is None
        assert {info.compress_type for info in archive.infolist()} == {zipfile.ZIP_STORED}
        return {info.filename: archive.read(info) for info in archive.infolist()}


def restored(command: CommandLine, what: str, name: str) -> int:
    """The id of what was made of a backup."""
    return int(command.json(what, "restore", command.folder / name)["id"])


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def lines(content: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in content.splitlines()]
