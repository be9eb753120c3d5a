"""Readers of exchange formats that nobody here wrote, and the files that they are given."""

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from yard.testkit import apart

READERS = "services.export.tests.oracle_readers"


def read(oracle_script: str, path: Path, **options: Any) -> Any:
    """What the function `reader` of a file of `oracle_readers`, named `file.reader`, gives for the path."""
    return apart.ask("oracles", READERS, oracle_script, {"path": str(path)}, **options)


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
