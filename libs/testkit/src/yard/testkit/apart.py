"""Programs that nobody here wrote, in environments of their own and asked from tests.

An environment is made by `make .venv-<name>/.installed` if it is not there. Its process is started when it is
first asked and answers until the tests are over, so that imports and logins are paid once.
"""

import atexit
import fcntl
import json
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

from yard.testkit import answering

ROOT = Path(__file__).resolve().parents[5]


class ApartError(AssertionError):
    """What was asked for failed there; holds its traceback."""


def environment(name: str) -> Path:
    """Folder of the programs of `.venv-<name>`, which is there afterwards."""
    mark = ROOT / f".venv-{name}/.installed"
    if not mark.exists():
        with (ROOT / f"requirements-{name}.lock").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            make = ["make", "--no-print-directory", str(mark.relative_to(ROOT))]
            subprocess.run(make, check=True, cwd=ROOT, capture_output=True)
    return mark.parent / "bin"


def ask(name: str, package: str, function: str, subject: dict[str, str], /, **options: Any) -> Any:
    """What `file.function` of the package gives in that environment, as `answering` says."""
    process = _process(name, package)
    assert process.stdin is not None
    assert process.stdout is not None
    request = {"function": function, "subject": subject, "options": options}
    process.stdin.write(json.dumps(request) + "\n")
    process.stdin.flush()
    line = process.stdout.readline()
    if not line:
        raise ApartError(f"the process of {package} ended with {process.wait()} in {function} {options}")
    answer = json.loads(line)
    if "fault" in answer:
        raise ApartError(answer["fault"])
    return answer["result"]


@cache
def _process(name: str, package: str) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        # -P: files beside that one are named as standard modules.
        [environment(name) / "python", "-P", answering.__file__, package],
        cwd=ROOT,
        text=True,
        encoding="utf-8",
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    atexit.register(_end, process)
    return process


def _end(process: "subprocess.Popen[str]") -> None:
    process.communicate()
