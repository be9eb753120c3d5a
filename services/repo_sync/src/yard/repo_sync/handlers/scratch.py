"""Folders for what git needs meanwhile: what a killed process left in them, secrets too, the next removes."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_LOCK: Final = "lock"


class Scratch:
    """The folder of one process, in one of all processes of this user; a lock says that somebody uses it."""

    def __init__(self, root: Path | None = None) -> None:
        self._root = root or Path(tempfile.gettempdir()) / f"frameyard-repo-sync-{os.getuid()}"
        self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self._root.is_symlink() or self._root.stat().st_uid != os.getuid():
            raise PermissionError(f"{self._root} belongs to somebody else")
        # Sweeping looks at finished folders only, so that a new one is not taken for one that was left.
        with _locked(self._root / _LOCK, fcntl.LOCK_EX):
            self._sweep()
            self.folder = Path(tempfile.mkdtemp(dir=self._root))
            self._held = _open(self.folder / _LOCK)
            fcntl.flock(self._held, fcntl.LOCK_EX)

    @contextmanager
    def fresh(self) -> Iterator[Path]:
        """An empty folder that goes at the end of the block."""
        with tempfile.TemporaryDirectory(dir=self.folder, ignore_cleanup_errors=True) as name:
            yield Path(name)

    async def close(self) -> None:
        """Removes everything."""
        shutil.rmtree(self.folder, ignore_errors=True)
        os.close(self._held)

    def _sweep(self) -> None:
        for left in self._root.iterdir():
            if left.is_dir() and not left.is_symlink() and _is_free(left / _LOCK):
                shutil.rmtree(left, ignore_errors=True)


def _is_free(lock: Path) -> bool:
    if not lock.exists():
        return True
    held = _open(lock)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(held)
    return True


@contextmanager
def _locked(path: Path, kind: int) -> Iterator[None]:
    held = _open(path)
    try:
        fcntl.flock(held, kind)
        yield
    finally:
        os.close(held)


def _open(path: Path) -> int:
    """Not inherited by programs that are started: a lock ends with its process."""
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
