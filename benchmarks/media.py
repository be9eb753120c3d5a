"""How fast media come in: videos, many images, manifests and uploads, and in how much memory."""

import asyncio

from yard.runtime import telemetry

from benchmarks.media_images import measure_manifest, measure_zip
from benchmarks.media_service import media_ingest
from benchmarks.media_upload import measure_upload
from benchmarks.media_videos import measure_videos
from benchmarks.report import Row, publish
from benchmarks.servers import servers


async def measured() -> list[Row]:
    """All rows, one measurement after the other."""
    with servers() as started:
        videos, share = started.folder / "videos", started.folder / "share"
        videos.mkdir()
        share.mkdir()
        rows = await asyncio.to_thread(measure_videos, videos)
        # Each has a process of its own: memory that one has needed would count for the other.
        async with media_ingest(started, started.folder / "zips", share) as service:
            rows += await measure_zip(service, videos)
        async with media_ingest(started, started.folder / "manifests", share) as service:
            rows += await measure_manifest(service, share)
        rows += await measure_upload(started)
    return rows


def main() -> None:
    """Prints and writes all rows."""
    telemetry.configure("bench", level="error", log_format="json")
    publish("media", asyncio.run(measured()))


if __name__ == "__main__":
    main()
