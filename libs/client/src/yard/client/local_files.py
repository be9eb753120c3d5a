"""Files of this machine that are to be uploaded."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from yard.client.failures import ClientError


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalFile:
    """A file on this machine; `name` is what the platform calls it, with folders."""

    path: Path
    name: str
    size_bytes: int


def local_files(paths: Sequence[Path]) -> list[LocalFile]:
    """The files themselves and all files below directories, by name; ClientError names what does not fit."""
    found: list[LocalFile] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(entry for entry in path.rglob("*") if entry.is_file())
            root = path.resolve().name or "files"
            found += [_local_file(entry, f"{root}/{entry.relative_to(path).as_posix()}") for entry in inside]
        elif path.is_file():
            found.append(_local_file(path, path.name))
        else:
            what = "is not a file" if path.exists() else "no such file"
            raise ClientError(f"{path}: {what}", code="NOT_FOUND")
    if not found:
        raise ClientError("there is no file to upload", code="INVALID_ARGUMENT")
    _refuse_repeated(found)
    return found


def sha256_of(file: LocalFile) -> str:
    """Of the content, hexadecimal; ClientError if the file cannot be read."""
    try:
        with file.path.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest()
    except OSError as fault:
        message = f"{file.path}: cannot be read: {fault.strerror}"
        raise ClientError(message, code="FAILED_PRECONDITION") from fault


def _local_file(path: Path, name: str) -> LocalFile:
    try:
        name.encode()
    except UnicodeEncodeError:
        raise ClientError(f"{path}: its name is not UTF-8", code="INVALID_ARGUMENT") from None
    return LocalFile(path=path, name=name, size_bytes=path.stat().st_size)


def _refuse_repeated(files: Sequence[LocalFile]) -> None:
    first: dict[str, LocalFile] = {}
    for file in files:
        known = first.setdefault(file.name, file)
        if known is not file:
            message = f"{file.path} and {known.path} are both {file.name}: give their folder"
            raise ClientError(message, code="INVALID_ARGUMENT")
