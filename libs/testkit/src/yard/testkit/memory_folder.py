"""Folders for the servers of tests, in memory: what they hold is gone with the test process anyway."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psutil

SHARED_MEMORY: Final = Path("/dev/shm")
ROOM_BYTES: Final = 4 << 30
"""Free bytes that are wanted: containers have 64 MiB there unless they are given more."""
_PREFIX: Final = "frameyard-tests-"


@contextmanager
def memory_folder(otherwise: Path) -> Iterator[Path]:
    """A new folder in memory, removed at the end; `otherwise` where there is no room for one."""
    if not _is_roomy():
        yield otherwise
        return
    _remove_left_over()
    folder = Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=SHARED_MEMORY))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def _is_roomy() -> bool:
    return SHARED_MEMORY.is_dir() and os.access(SHARED_MEMORY, os.W_OK) and _free_bytes() >= ROOM_BYTES


def _free_bytes() -> int:
    return shutil.disk_usage(SHARED_MEMORY).free


def _remove_left_over() -> None:
    """Folders of test processes that were killed: they would hold memory until the machine ends."""
    for folder in SHARED_MEMORY.glob(f"{_PREFIX}*"):
        process = int(folder.name.removeprefix(_PREFIX).partition("-")[0])
        if not psutil.pid_exists(process):
            shutil.rmtree(folder, ignore_errors=True)
