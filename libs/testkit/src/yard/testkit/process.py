"""Real programs as children of a test, to be killed."""

import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from yard.embedded.child import Child, Command, last_lines


class Program:
    """A Python program that dies with the test run; it sees only the given environment and PATH."""

    def __init__(
        self, arguments: Sequence[str], *, log: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        self._command = Command(
            argv=[sys.executable, *arguments],
            environment={"PATH": str(Path(sys.executable).parent) + ":/usr/bin:/bin"}
            | dict(environment or {}),
            directory=log.parent,
        )
        self._log = log
        self._child = Child.spawn(self._command, log)

    @property
    def pid(self) -> int:
        """Id of the running or last process."""
        return self._child.pid

    @property
    def exit_status(self) -> int | None:
        """None while it runs; negative: the number of the signal that ended it."""
        return self._child.exit_status

    def output(self) -> str:
        """Everything that it has written so far."""
        return self._log.read_text(errors="replace")

    def interrupt(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Asks it to end."""
        self._child.send(number)

    def kill(self) -> None:
        """SIGKILL, and reaps it."""
        self._child.kill()

    def restart(self) -> None:
        """Kills it if it runs, and starts it again with the same command."""
        self.kill()
        self._child = Child.spawn(self._command, self._log)

    def wait(self, timeout_s: float = 30.0) -> int:
        """Waits for its end and gives the exit status; AssertionError with its last lines otherwise."""
        if not self._child.wait(timeout_s):
            raise AssertionError(f"{self._command.argv} still runs:\n{last_lines(self._log)}")
        status = self._child.exit_status
        assert status is not None
        return status
