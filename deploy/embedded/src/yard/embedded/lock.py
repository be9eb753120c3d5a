"""One supervisor a data directory."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class AlreadyRunningError(RuntimeError):
    """Another supervisor holds the data directory; `pid` is its process."""

    def __init__(self, data: Path, pid: int) -> None:
        super().__init__(f"the platform already runs in {data} as process {pid}")
        self.pid = pid


@contextmanager
def locked(data: Path) -> Iterator[None]:
    """Holds the data directory; the kernel gives it back however the process ends."""
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    file = _file(data)
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyRunningError(data, int(file.read_text() or 0)) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(descriptor)


def holder(data: Path) -> int | None:
    """Process id of the running supervisor, if there is one."""
    file = _file(data)
    if not file.exists():
        return None
    with file.open("r") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return int(stream.read() or 0)
    return None


def _file(data: Path) -> Path:
    return data / "lock"
