"""How fast chunks are made and come, beside the straightforward way on the same machine.

Names of measurements as arguments run these alone: zip, memory, fidelity, images, original, mp4, cores,
demand, built, first.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from yard.runtime import telemetry

from benchmarks.chunking_demand import measure_built, measure_demand
from benchmarks.chunking_first import measure_first
from benchmarks.chunking_images import measure_fidelity, measure_images
from benchmarks.chunking_videos import (
    measure_cores,
    measure_memory,
    measure_mp4,
    measure_original,
    measure_zip,
)
from benchmarks.report import Row, publish

MEASUREMENTS: Final[Mapping[str, Callable[[], list[Row]]]] = {
    "zip": measure_zip,
    "memory": measure_memory,
    "fidelity": measure_fidelity,
    "images": measure_images,
    "original": measure_original,
    "mp4": measure_mp4,
    "cores": measure_cores,
    "demand": measure_demand,
    "built": measure_built,
    "first": measure_first,
}


def main(names: Sequence[str]) -> None:
    """Prints and writes the rows of all measurements, or of those that are named."""
    if unknown := set(names) - MEASUREMENTS.keys():
        raise SystemExit(f"expected names out of {', '.join(MEASUREMENTS)}, got {', '.join(sorted(unknown))}")
    telemetry.configure("bench", level="error", log_format="json")
    rows = [row for name in names or MEASUREMENTS for row in MEASUREMENTS[name]()]
    publish("-".join(["chunking", *names]), rows)


if __name__ == "__main__":
    main(sys.argv[1:])
