"""Child processes that never outlive their parent."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from yard.embedded.privileges import Dress, changing

_PR_SET_PDEATHSIG = 1
_LOG_LIMIT_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What to run: the full environment (nothing is inherited) and how it is to die with its parent."""

    argv: Sequence[str]
    environment: Mapping[str, str]
    directory: Path = Path("/")
    death_signal: signal.Signals = signal.SIGKILL
    dress: Dress = "self"


class Child:
    """One process in a group of its own; its output goes to a file: its children would hold a pipe open."""

    def __init__(self, process: "subprocess.Popen[bytes]", log: Path) -> None:
        self._process = process
        self.log = log

    @classmethod
    def spawn(cls, command: Command, log: Path) -> Self:
        """Starts it; call from the main thread: the kernel ties the death signal to the thread that forks."""
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            process = subprocess.Popen(
                list(command.argv),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=command.directory,
                env=dict(command.environment),
                process_group=0,
                preexec_fn=_before_exec(command),
            )
        return cls(process, log)

    @property
    def pid(self) -> int:
        """The process id, also after its end."""
        return self._process.pid

    @property
    def exit_status(self) -> int | None:
        """None while it runs; negative: the number of the signal that ended it."""
        return self._process.poll()

    @property
    def is_running(self) -> bool:
        """False once it has ended; it is reaped then."""
        return self._process.poll() is None

    def send(self, number: signal.Signals) -> None:
        """Signals the process alone; nothing happens if it has ended."""
        self._process.send_signal(number)

    def kill(self) -> None:
        """Ends its whole group at once and reaps it."""
        if self.is_running:
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()

    def wait(self, timeout_s: float) -> bool:
        """Waits for the end; False when it still runs after the timeout."""
        try:
            self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return False
        return True


def rotate(log: Path, limit_bytes: int = _LOG_LIMIT_BYTES) -> None:
    """Moves a log that has grown over the limit to `<name>.1`; called before the process starts."""
    if log.exists() and log.stat().st_size > limit_bytes:
        log.replace(log.with_name(log.name + ".1"))


def last_lines(log: Path, count: int = 8) -> str:
    """The end of a log, for a message about what went wrong."""
    if not log.exists():
        return ""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 8192))
        lines = file.read().decode(errors="replace").splitlines()
    return "\n".join(lines[-count:])


def user_namespaces_work() -> bool:
    """Whether this process may enter a user namespace; containers often forbid it."""
    probe = Command(argv=["/bin/true"], environment={}, dress="namespace")
    try:
        child = Child.spawn(probe, Path(os.devnull))
    except subprocess.SubprocessError:
        return False
    return child.wait(10) and child.exit_status == 0


def _before_exec(command: Command) -> Callable[[], None] | None:
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None, use_errno=True)
    parent, change = os.getpid(), changing(command.dress)

    def prepare() -> None:
        change(libc)
        # After the change of identity, which takes the death signal back.
        libc.prctl(_PR_SET_PDEATHSIG, int(command.death_signal))
        if os.getppid() != parent:
            os._exit(1)

    return prepare
