import os
import signal
from pathlib import Path

import pytest
from yard.embedded.lock import AlreadyRunningError, holder, locked
from yard.testkit.eventually import eventually
from yard.testkit.process import Program

HOLD = """
import signal, sys
from pathlib import Path
from yard.embedded.lock import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    signal.pause()
"""


def test_one_supervisor_a_data_directory(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with locked(data):
        assert holder(data) == os.getpid()
        refused = f"already runs in {data} as process {os.getpid()}"
        with pytest.raises(AlreadyRunningError, match=refused), locked(data):
            pass
        assert holder(data) == os.getpid()
    assert holder(data) is None


async def test_the_kernel_gives_the_directory_back(tmp_path: Path) -> None:
    data = tmp_path / "data"
    program = Program(["-c", HOLD, str(data)], log=tmp_path / "held.log")
    await eventually(lambda: "held" in program.output())
    assert holder(data) == program.pid
    program.interrupt(signal.SIGKILL)
    program.wait()
    assert holder(data) is None
    with locked(data):
        assert holder(data) == os.getpid()
