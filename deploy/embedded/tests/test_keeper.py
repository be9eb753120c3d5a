import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from yard.embedded.child import Command
from yard.embedded.keeper import Keeper
from yard.embedded.servers.server import Server, ServerError
from yard.testkit.eventually import eventually


class Shell(Server):
    """A shell script that is ready once it has written the file `ready`."""

    name = "shell"

    def __init__(self, directory: Path, script: str) -> None:
        super().__init__(directory)
        self.script = script

    @property
    def address(self) -> str:
        return "127.0.0.1:1"

    def prepare(self) -> Iterator[None]:
        yield from super().prepare()
        (self.directory / "ready").unlink(missing_ok=True)

    def command(self) -> Command:
        return Command(argv=["/bin/sh", "-c", self.script], environment={}, directory=self.directory)

    def is_ready(self) -> bool:
        return (self.directory / "ready").exists()


class Kept:
    """A keeper with what it said and the states it went through."""

    def __init__(self, folder: Path, script: str) -> None:
        self.said: list[str] = []
        self.states: list[str] = []
        self.shell = Shell(folder / "shell", script)
        self.keeper = Keeper(self.shell, self.said.append, lambda: self.states.append(self.keeper.state))


async def test_a_killed_process_is_started_again(tmp_path: Path) -> None:
    kept = Kept(tmp_path, "touch ready; exec sleep 600")
    await kept.keeper.start()
    killed = kept.shell.child.pid
    kept.shell.child.send(signal.SIGKILL)
    await eventually(lambda: kept.keeper.restarts == 1 and kept.keeper.state == "ready")
    assert kept.shell.child.pid != killed
    assert kept.said[1:] == [
        "shell was ended by SIGKILL: starting it again in 1 s",
        "shell is ready again on 127.0.0.1:1",
    ]
    await kept.keeper.stop()
    assert kept.states == ["starting", "ready", "restarting", "restarting", "ready", "stopping", "stopped"]
    assert not kept.shell.is_running


async def test_the_pauses_between_restarts_grow(tmp_path: Path) -> None:
    kept = Kept(tmp_path, "touch ready; sleep 0.2; exit 3")
    await kept.keeper.start()
    await eventually(lambda: kept.keeper.restarts == 3, timeout_s=20)
    await kept.keeper.stop()
    assert [line for line in kept.said if "again in" in line] == [
        f"shell ended with exit status 3: starting it again in {pause} s" for pause in (1, 2, 4)
    ]
    assert kept.keeper.state == "stopped"


async def test_a_first_start_that_fails_shows_the_end_of_the_log(tmp_path: Path) -> None:
    kept = Kept(tmp_path, "echo no room left; exit 1")
    with pytest.raises(ServerError, match=r"shell ended while starting; \S+ ends with:\nno room left"):
        await kept.keeper.start()


def test_a_start_that_never_gets_ready_is_given_up(tmp_path: Path) -> None:
    shell = Shell(tmp_path / "shell", "exec sleep 600")
    with pytest.raises(ServerError, match="not ready within 0 s"):
        list(shell.starting(timeout_s=0.1))
    assert not shell.is_running
