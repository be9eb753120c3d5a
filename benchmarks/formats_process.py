"""One export or import in a process of its own, maybe of another environment: standard library only.

`python -m benchmarks.formats_process` is that process: it reads what to do and writes what it took, as JSON.
"""

import json
import subprocess
import sys
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from benchmarks import resident

ROOT: Final = Path(__file__).resolve().parents[1]
OURS: Final = Path(sys.executable)
ORACLES: Final = ROOT / ".venv-oracles/bin/python"
TENSORFLOW: Final = ROOT / ".venv-tensorflow/bin/python"


@dataclass(frozen=True, slots=True, kw_only=True)
class Took:
    """Seconds of the work itself, without imports and preparation, and the most memory of the process."""

    seconds: float
    peak_mib: float
    boxes: int
    """How many boxes were written or read, where that was counted."""


def took(python: Path, function: str, **arguments: Any) -> Took:
    """Calls `module:function`, which gives its seconds and number of boxes, in a new process."""
    work = json.dumps({"function": function, "arguments": arguments})
    command = [str(python), "-m", "benchmarks.formats_process"]
    done = subprocess.run(command, input=work, capture_output=True, text=True, cwd=ROOT, check=False)
    if done.returncode:
        raise RuntimeError(f"{function} {arguments} ended with {done.returncode}:\n{done.stderr[-4000:]}")
    return Took(**json.loads(done.stdout.splitlines()[-1]))


def _main() -> None:
    work = json.load(sys.stdin)
    module, _, name = work["function"].partition(":")
    seconds, boxes = getattr(import_module(module), name)(**work["arguments"])
    found = {"seconds": seconds, "peak_mib": resident.peak_mib(), "boxes": boxes}
    sys.stdout.write("\n" + json.dumps(found) + "\n")


if __name__ == "__main__":
    _main()
