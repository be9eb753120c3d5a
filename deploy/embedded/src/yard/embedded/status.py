"""What runs: a file that the supervisor keeps, joined with a look at the processes themselves."""

import json
import os
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil
from yard.embedded.keeper import Keeper
from yard.embedded.lock import holder

_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One process as the supervisor last knew it."""

    name: str
    pid: int
    state: str
    restarts: int
    address: str


def write_status(data: Path, keepers: Iterable[Keeper]) -> None:
    """Replaces `<data>/status.json` at once."""
    rows = [
        Row(
            name=keeper.server.name,
            pid=keeper.server.child.pid if keeper.server.is_running else 0,
            state=keeper.state,
            restarts=keeper.restarts,
            address=keeper.server.address,
        )
        for keeper in keepers
    ]
    fresh = data / "status.json.new"
    fresh.write_text(json.dumps({"supervisor": os.getpid(), "processes": [asdict(row) for row in rows]}))
    fresh.replace(data / "status.json")


def read_status(data: Path) -> list[Row]:
    """The rows of a running supervisor; none when it does not run."""
    file = data / "status.json"
    if holder(data) is None or not file.exists():
        return []
    return [Row(**row) for row in json.loads(file.read_text())["processes"]]


def table(data: Path) -> str:
    """service, pid, state, restarts, address, memory (PSS of the process and its children), uptime."""
    supervisor = holder(data)
    if supervisor is None:
        return f"nothing runs in {data}"
    lines = [["service", "pid", "state", "restarts", "address", "memory", "uptime"]]
    total = _memory_mib(psutil.Process(supervisor), alone=True)
    lines.append(["supervisor", str(supervisor), "ready", "", "", f"{total:.0f} MiB", _uptime(supervisor)])
    for row in read_status(data):
        memory = _row_memory_mib(row)
        total += memory
        live = row.state if row.pid and psutil.pid_exists(row.pid) else f"{row.state} (no process)"
        numbers = [str(row.pid or "-"), live, str(row.restarts), row.address]
        lines.append([row.name, *numbers, f"{memory:.0f} MiB", _uptime(row.pid)])
    lines.append(["total", "", "", "", "", f"{total:.0f} MiB", ""])
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def _row_memory_mib(row: Row) -> float:
    try:
        return _memory_mib(psutil.Process(row.pid)) if row.pid else 0.0
    except psutil.NoSuchProcess:
        return 0.0


def _memory_mib(process: psutil.Process, *, alone: bool = False) -> float:
    """Shared pages are counted in parts (PSS) where the system tells, else resident memory."""
    total = 0
    for one in [process] if alone else [process, *process.children(recursive=True)]:
        try:
            full = one.memory_full_info()
        except psutil.Error:
            continue
        total += getattr(full, "pss", full.rss)
    return total / _MIB


def _uptime(pid: int) -> str:
    try:
        seconds = int(time.time() - psutil.Process(pid).create_time()) if pid else 0
    except psutil.NoSuchProcess:
        seconds = 0
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
