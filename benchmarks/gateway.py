"""The gateway beside what lies behind it, on one platform with all servers and services as processes.

Names of measurements as arguments run these alone.
"""

import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from yard.runtime import telemetry
from yard.testkit.platform import Platform, running_platform

from benchmarks.gateway_annotations import measure_annotations
from benchmarks.gateway_lists import measure_lists
from benchmarks.gateway_transfers import measure_chunks, measure_tus
from benchmarks.report import Row, publish

MEASUREMENTS: Final[Mapping[str, Callable[[Platform], list[Row]]]] = {
    "chunks": measure_chunks,
    "tus": measure_tus,
    "annotations": measure_annotations,
    "lists": measure_lists,
}


def main(names: Sequence[str]) -> None:
    """Prints and writes the rows of all measurements, or of those that are named."""
    if unknown := set(names) - MEASUREMENTS.keys():
        raise SystemExit(f"expected names out of {', '.join(MEASUREMENTS)}, got {', '.join(sorted(unknown))}")
    telemetry.configure("bench", level="error", log_format="json")
    with (
        tempfile.TemporaryDirectory(prefix="frameyard-bench-") as folder,
        running_platform(Path(folder), {"FRAMEYARD_REQUESTS_PER_MINUTE": "0"}) as platform,
    ):
        rows = [found for name in names or MEASUREMENTS for found in MEASUREMENTS[name](platform)]
    publish("-".join(["gateway", *names]), rows)


if __name__ == "__main__":
    main(sys.argv[1:])
