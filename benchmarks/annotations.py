"""How fast annotations are saved, streamed and merged, and tasks and jobs listed, each beside a baseline.

Names of measurements as arguments run these alone: saves, streams, merge, memory, interpolation, lists,
history.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from yard.runtime import telemetry

from benchmarks.annotations_history import measure_history
from benchmarks.annotations_lists import measure_lists
from benchmarks.annotations_merge import (
    measure_interpolation,
    measure_long_merge,
    measure_merge,
    measure_merge_memory,
)
from benchmarks.annotations_saves import measure_saves
from benchmarks.annotations_streams import measure_streams
from benchmarks.report import Row, publish

MEASUREMENTS: Final[Mapping[str, Callable[[], list[Row]]]] = {
    "saves": measure_saves,
    "streams": measure_streams,
    "merge": lambda: [*measure_merge(), *measure_long_merge()],
    "memory": measure_merge_memory,
    "interpolation": measure_interpolation,
    "lists": measure_lists,
    "history": measure_history,
}


def main(names: Sequence[str]) -> None:
    """Prints and writes the rows of all measurements, or of those that are named."""
    if unknown := set(names) - MEASUREMENTS.keys():
        raise SystemExit(f"expected names out of {', '.join(MEASUREMENTS)}, got {', '.join(sorted(unknown))}")
    telemetry.configure("bench", level="error", log_format="json")
    rows = [row for name in names or MEASUREMENTS for row in MEASUREMENTS[name]()]
    publish("-".join(["annotations", *names]), rows)


if __name__ == "__main__":
    main(sys.argv[1:])
