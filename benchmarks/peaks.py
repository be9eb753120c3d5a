"""The most memory that a service takes while something is measured."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Literal

import psutil

_SAMPLE_S: Final = 0.05


@contextmanager
def peak_mib(pid: int, of: Literal["uss", "pss"] = "uss") -> Iterator[list[float]]:
    """MiB of a process and its children together at the worst moment of the block, as the only item.

    `uss` is what each of them has for itself, `pss` counts also what they share, once.
    """
    peak, is_over = [0.0], threading.Event()

    def watch() -> None:
        while not is_over.wait(_SAMPLE_S):
            peak[0] = max(peak[0], _mib(pid, of))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield peak
    finally:
        is_over.set()
        watcher.join()


def _mib(pid: int, of: str) -> float:
    total = 0
    process = psutil.Process(pid)
    for each in [process, *process.children(recursive=True)]:
        try:
            total += getattr(each.memory_full_info(), of)
        except psutil.NoSuchProcess:
            continue
    return float(total) / (1 << 20)
