"""The program of a child process: `python -m yard.runtime.workers.child <fd>`.

It imports nothing of the runtime that knows of networks, so that a child stays small and has nothing to leak.
"""

import importlib
import os
import queue
import sys
import threading
import traceback
from collections.abc import Callable, Mapping

from yard.runtime.workers import sandbox, wire
from yard.runtime.workers.host import Host

Job = Callable[[Mapping[str, object], Host], Mapping[str, object]]

_MAX_MESSAGE = 500
_MAX_TRACEBACK = 8000


class Child:
    """Runs calls one after another; a second thread takes the parent's frames meanwhile."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._calls: queue.SimpleQueue[wire.Header] = queue.SimpleQueue()
        self._host = self._new_host({})

    def run(self) -> None:
        """Serves until the parent is gone."""
        threading.Thread(target=self._receive, daemon=True).start()
        while True:
            _, function, arguments, _ = self._calls.get()
            self._host.end(_outcome(str(function), arguments, self._host))  # type: ignore[arg-type]

    def _receive(self) -> None:
        try:
            while True:
                self._take(*wire.receive(self._fd))
        except (EOFError, OSError):
            os._exit(0)

    def _take(self, header: wire.Header, body: bytearray) -> None:
        if header[0] == "call":
            self._host = self._new_host(header[3])  # type: ignore[arg-type]
            self._calls.put(header)
        elif header[0] == "data":
            self._host.answer(header[1], body)  # type: ignore[arg-type]
        elif header[0] == "ack":
            self._host.acknowledge(header[1])  # type: ignore[arg-type]

    def _new_host(self, sizes: Mapping[str, int]) -> Host:
        return Host(lambda header, body: wire.send(self._fd, header, body), sizes)


def _outcome(function: str, arguments: Mapping[str, object], host: Host) -> wire.Header:
    """Runs the job and returns the frame that ends the call."""
    try:
        result: wire.Header = ["done", dict(_resolve(function)(arguments, host))]
        wire.head(result, 0)
    except MemoryError:
        return ["failed", "memory", "", "", ""]
    except BaseException as exc:  # noqa: BLE001 - the boundary of the process: every failure becomes a frame
        return _failure(exc)
    else:
        return result


def _resolve(function: str) -> Job:
    module, _, name = function.partition(":")
    job: Job = getattr(importlib.import_module(module), name)
    return job


def _failure(exc: BaseException) -> wire.Header:
    code, message = getattr(exc, "code", None), getattr(exc, "message", None)
    if isinstance(code, str) and isinstance(message, str):
        return ["failed", "media", code, message[:_MAX_MESSAGE], str(getattr(exc, "name", "") or "")]
    return ["failed", "error", type(exc).__name__, "", traceback.format_exc()[-_MAX_TRACEBACK:]]


def main(fd: int) -> None:
    """Enters the sandbox, imports what was asked for, says hello and serves."""
    (_, parent, memory_mib, import_paths, preload), _ = wire.receive(fd)
    report = sandbox.enter(parent, memory_mib, import_paths)  # type: ignore[arg-type]
    sys.path.extend(import_paths)  # type: ignore[arg-type]
    for module in preload:  # type: ignore[attr-defined]
        importlib.import_module(module)
    wire.send(fd, ["hello", os.getpid(), report])
    Child(fd).run()


if __name__ == "__main__":
    main(int(sys.argv[1]))
