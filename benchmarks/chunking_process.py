"""Work that is measured in a process of its own, from after its imports on: time, CPU and memory.

`python -m benchmarks.chunking_process` is that process: it reads what to do and writes what it took, as JSON.
"""

import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from yard.runtime import clock

from benchmarks import resident

ROOT: Final = Path(__file__).resolve().parents[1]
BOTH: Final = (0, 1)
"""The cores that work gets unless it is to get fewer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What the work took; `result` is what it says of itself."""

    wall_s: float
    cpu_s: float
    peak_mib: float
    result: Any = None


def measured(function: str, arguments: dict[str, Any], cores: tuple[int, ...] = BOTH) -> Taken:
    """Calls `module:function` with keyword arguments in a new process that has these cores."""
    work = {"function": function, "arguments": arguments, "cores": cores}
    done = subprocess.run(
        command(), input=json.dumps(work), capture_output=True, text=True, cwd=ROOT, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{function} ended with {done.returncode}:\n{done.stderr}")
    return Taken(**json.loads(done.stdout))


def command() -> list[str]:
    """Starts the process."""
    return [sys.executable, "-m", __name__ if __name__ != "__main__" else "benchmarks.chunking_process"]


def _main() -> None:
    work = json.load(sys.stdin)
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {sorted(allowed)[core % len(allowed)] for core in work["cores"]})
    module, _, name = work["function"].partition(":")
    function = getattr(import_module(module), name)
    sys.stdout.write(json.dumps(asdict(_taken(lambda: function(**work["arguments"])))))


def _taken(function: Callable[[], Any]) -> Taken:
    cpu, began = _cpu_s(), clock.monotonic()
    result = function()
    return Taken(
        wall_s=clock.monotonic() - began, cpu_s=_cpu_s() - cpu, peak_mib=resident.peak_mib(), result=result
    )


def _cpu_s() -> float:
    """Of the process and of its children that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


if __name__ == "__main__":
    _main()
