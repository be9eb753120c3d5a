"""How fast media come in: videos, many images, manifests and uploads, and in how much memory.

Names of measurements as arguments run these alone: videos, zip, manifest, members, names, upload.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from yard.runtime import telemetry

from benchmarks.media_images import measure_manifest, measure_zip
from benchmarks.media_million import measure_million_members, measure_million_names
from benchmarks.media_service import Service, media_ingest
from benchmarks.media_upload import measure_upload
from benchmarks.media_videos import measure_videos
from benchmarks.report import Row, publish
from benchmarks.servers import Servers, servers

Measure = Callable[[Servers], Awaitable[Sequence[Row]]]


async def _videos(started: Servers) -> Sequence[Row]:
    return await asyncio.to_thread(measure_videos, _folder(started, "videos"))


def _in_service(name: str, measure: Callable[[Service, Path], Awaitable[list[Row]]]) -> Measure:
    """In a process of its own: memory that one measurement has needed would count for the next."""

    async def measured(started: Servers) -> Sequence[Row]:
        share = _folder(started, f"{name}-share")
        async with media_ingest(started, started.folder / name, share) as service:
            return await measure(service, share)

    return measured


def _folder(started: Servers, name: str) -> Path:
    folder = started.folder / name
    folder.mkdir()
    return folder


MEASUREMENTS: Final[Mapping[str, Measure]] = {
    "videos": _videos,
    "zip": _in_service("zip", measure_zip),
    "manifest": _in_service("manifest", measure_manifest),
    "members": _in_service("members", measure_million_members),
    "names": _in_service("names", measure_million_names),
    "upload": measure_upload,
}


async def measured(names: Sequence[str]) -> list[Row]:
    """The rows of these measurements, one after the other."""
    with servers() as started:
        return [row for name in names for row in await MEASUREMENTS[name](started)]


def main(names: Sequence[str]) -> None:
    """Prints and writes the rows of all measurements, or of those that are named."""
    if unknown := set(names) - MEASUREMENTS.keys():
        raise SystemExit(f"expected names out of {', '.join(MEASUREMENTS)}, got {', '.join(sorted(unknown))}")
    telemetry.configure("bench", level="error", log_format="json")
    publish("-".join(["media", *names]), asyncio.run(measured(names or [*MEASUREMENTS])))


if __name__ == "__main__":
    main(sys.argv[1:])
