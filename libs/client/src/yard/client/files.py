"""Files on their way in: under another name until they are complete, and never where a server wants them."""

import hashlib
import os
import re
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from yard.client.failures import ClientError

LONGEST_NAME_BYTES = 200
_BLOCK_BYTES = 1 << 20
_NOT_IN_NAMES = re.compile(r'[<>:"|?*]')


class Sink(Protocol):
    """Takes bytes in order."""

    def write(self, content: bytes, /) -> object:
        """Takes the next bytes."""


class PartialFile:
    """Bytes that arrive in `folder`; a later run with the same key goes on with what is there.

    Leaving the block without `place` keeps them if `is_resumable`.
    """

    def __init__(self, folder: Path, key: str, *, is_resumable: bool = False) -> None:
        if not folder.is_dir():
            raise ClientError(f"{folder}: no such folder", code="NOT_FOUND")
        self.path = folder / f".frameyard-{key}.part"
        self._is_kept = is_resumable
        # A link of that name, laid by somebody else in a shared folder, is not followed.
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | (0 if is_resumable else os.O_TRUNC)
        self._file = os.fdopen(os.open(self.path, flags, 0o666), "r+b")
        self._digest = hashlib.sha256()
        self.size_bytes = 0
        while block := self._file.read(_BLOCK_BYTES):
            self._take(block)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        if not (self._is_kept and self.size_bytes):
            self.path.unlink(missing_ok=True)

    @property
    def sha256(self) -> str:
        """Of what has arrived, hexadecimal."""
        return self._digest.hexdigest()

    def write(self, content: bytes, /) -> None:
        """Takes the next bytes."""
        self._file.write(content)
        self._take(content)

    def restart(self) -> None:
        """Forgets what has arrived."""
        self._file.seek(0)
        self._file.truncate()
        self._digest = hashlib.sha256()
        self.size_bytes = 0

    def place(self, target: Path, *, replace: bool) -> Path:
        """Gives the complete file its name; ClientError if there is one already and it is not to go."""
        check_free(target, replace=replace)
        self._file.flush()
        os.fsync(self._file.fileno())
        return self.path.replace(target)

    def _take(self, content: bytes) -> None:
        self._digest.update(content)
        self.size_bytes += len(content)


def folder_of(target: Path) -> Path:
    """Where partial files of a target lie: in it, or beside it."""
    return target if target.is_dir() else target.parent


def place_of(target: Path, name: str) -> Path:
    """A file of that name in a folder, or the target itself."""
    return target / name if target.is_dir() else target


def check_target(target: Path, *, replace: bool) -> None:
    """Before any work: ClientError if no file can be placed there."""
    if not folder_of(target).is_dir():
        raise ClientError(f"{folder_of(target)}: no such folder", code="NOT_FOUND")
    if not target.is_dir():
        check_free(target, replace=replace)


def check_free(target: Path, *, replace: bool) -> None:
    """ClientError if a file of that name would be lost."""
    if target.is_dir():
        raise ClientError(f"{target}: is a folder", code="ALREADY_EXISTS")
    if target.exists() and not replace:
        raise ClientError(f"{target}: is there already", code="ALREADY_EXISTS", hint="--force replaces it")


def safe_file_name(offered: str, default: str) -> str:
    """The last part of a name from the other side: visible characters, no folders, not hidden."""
    last = re.split(r"[/\\]", offered)[-1]
    visible = "".join(character for character in last if character.isprintable())
    name = _NOT_IN_NAMES.sub("_", visible).strip().lstrip(".")
    return name if name and len(name.encode()) <= LONGEST_NAME_BYTES else default
