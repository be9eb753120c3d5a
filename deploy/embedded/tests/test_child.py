import os
import signal
import sys
from pathlib import Path

import psutil
import pytest
from yard.embedded.child import Child, Command, last_lines, rotate, user_namespaces_work
from yard.embedded.privileges import NOBODY, Dress, hand_over
from yard.testkit.eventually import eventually
from yard.testkit.process import Program

PARENT = """
import signal, sys
from pathlib import Path
from yard.embedded.child import Child, Command
child = Child.spawn(
    Command(argv=["/bin/sleep", "600"], environment={}, dress=sys.argv[1]), Path(sys.argv[2])
)
print("child", child.pid, flush=True)
signal.pause()
"""
TELL = "import os; print(os.geteuid(), sorted(os.environ), flush=True)"


def dresses() -> list[Dress]:
    """Those that this machine and user allow."""
    found: list[Dress] = ["self"]
    if user_namespaces_work():
        found.append("namespace")
    if os.geteuid() == 0:
        found.append("nobody")
    return found


@pytest.mark.parametrize("dress", dresses())
async def test_a_child_dies_with_its_parent(tmp_path: Path, dress: Dress) -> None:
    parent = Program(["-c", PARENT, dress, str(tmp_path / "child.log")], log=tmp_path / "parent.log")
    await eventually(lambda: "child" in parent.output())
    child = psutil.Process(int(parent.output().split()[1]))
    assert child.is_running()
    parent.interrupt(signal.SIGKILL)
    parent.wait()
    await eventually(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)


@pytest.mark.parametrize("dress", dresses())
def test_a_child_sees_the_given_environment_only(tmp_path: Path, dress: Dress) -> None:
    log = tmp_path / "told.log"
    argv = [str(Path(sys.executable).resolve()), "-c", TELL]
    environment = {"LC_CTYPE": "C.UTF-8", "PATH": "/usr/bin"}
    child = Child.spawn(Command(argv=argv, environment=environment, dress=dress), log)
    assert child.wait(30)
    user = os.geteuid() if dress == "self" else NOBODY
    assert log.read_text() == f"{user} ['LC_CTYPE', 'PATH']\n"


async def test_kill_ends_the_whole_group(tmp_path: Path) -> None:
    log = tmp_path / "group.log"
    child = Child.spawn(Command(argv=["/bin/sh", "-c", "sleep 600 & echo $!; wait"], environment={}), log)
    await eventually(log.read_text)
    grandchild = psutil.Process(int(log.read_text()))
    child.kill()
    assert child.exit_status == -signal.SIGKILL
    await eventually(lambda: not grandchild.is_running() or grandchild.status() == psutil.STATUS_ZOMBIE)


def test_a_folder_changes_hands_with_all_that_is_in_it(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "file").touch()
    hand_over(tmp_path, "namespace")
    paths = (tmp_path, tmp_path / "folder", tmp_path / "folder" / "file")
    assert {path.stat().st_uid for path in paths} == {os.geteuid()}
    if os.geteuid() == 0:
        hand_over(tmp_path, "nobody")
        assert {path.stat().st_uid for path in paths} == {NOBODY}


def test_a_log_is_rotated_once_it_is_large(tmp_path: Path) -> None:
    log = tmp_path / "task.log"
    rotate(log)
    log.write_text("x\n" * 10)
    rotate(log, limit_bytes=20)
    assert log.exists()
    rotate(log, limit_bytes=19)
    assert not log.exists()
    assert (tmp_path / "task.log.1").read_text() == "x\n" * 10


def test_the_end_of_a_log_is_told(tmp_path: Path) -> None:
    log = tmp_path / "task.log"
    assert last_lines(log) == ""
    log.write_text("".join(f"line {number}\n" for number in range(5000)))
    assert last_lines(log, 2) == "line 4998\nline 4999"
