"""From the last uploaded byte to the first frame that can be shown, through all services."""

import asyncio
import tempfile
from pathlib import Path
from typing import Final

import psutil
from frameyard.chunk.v1 import chunk_service_pb2 as chunks
from frameyard.media.v1 import media_pb2
from frameyard.task.v1 import task_service_pb2 as tasks
from yard.client import Client
from yard.client.client import request_id
from yard.client.media import ready_task, upload_and_attach
from yard.client.pixels import Pixels
from yard.client.uploads import local_files
from yard.runtime import clock
from yard.testkit.platform import Platform, running_platform

from benchmarks.chunking_demand import holds_a_frame
from benchmarks.chunking_media import FPS, FRAMES, video
from benchmarks.chunking_process import measured
from benchmarks.chunking_videos import QUALITY
from benchmarks.report import Aim, Row, row

TIMES: Final = 5
_LOOKED_S: Final = 0.5
_IDLE_PERCENT: Final = 15
"""Of all cores, which the servers use when nobody asks them for anything."""


def measure_first() -> list[Row]:
    """A task of 60 s of 1080p, beside indexing it by decoding and building all its chunks."""
    with tempfile.TemporaryDirectory(prefix="frameyard-bench-") as name:
        folder = Path(name)
        with running_platform(folder) as platform:
            ours = asyncio.run(_ours(platform))
        baseline = _baseline(folder)
    aim = Aim(of="ours", relation="<", value=1)
    return [row("last byte of 60 s of 1080p to its first frame", "s", ours, [baseline], aim)]


async def _ours(platform: Platform) -> list[float]:
    async with Client(platform.endpoints) as client:
        await client.login("admin", platform.admin_password)
        times = []
        for _ in range(TIMES + 1):
            # The chunks behind the first one are made ahead of a reader, which the next task would wait for.
            await asyncio.to_thread(_until_idle)
            times.append(await _first_frame(client))
        return times[1:]


def _until_idle() -> None:
    while psutil.cpu_percent(_LOOKED_S) > _IDLE_PERCENT:
        pass


async def _first_frame(client: Client) -> float:
    """Seconds for a new task; its first chunk is read to its end."""
    request = tasks.CreateTaskRequest(name="bench", request_id=request_id())
    task = (await client.call(client.tasks.CreateTask, request)).task
    files = await asyncio.to_thread(local_files, [video(FPS)])
    sent = [clock.monotonic()]
    data = media_pb2.DataSpec(image_quality=QUALITY, use_cache=True)
    operation = await upload_and_attach(
        client, task.id, files, data, lambda _: sent.append(clock.monotonic())
    )
    await ready_task(client, operation)
    grant = await Pixels(client, task_id=task.id).grant()
    wanted = chunks.GetChunkRequest(media_id=grant.media_id, grant=grant.grant, number=0)
    received, first_at = bytearray(), 0.0
    async for part in client.stream(client.chunks.GetChunk, wanted):
        received += part.content
        if not first_at and holds_a_frame(received):
            first_at = clock.monotonic()
    if not first_at:
        raise RuntimeError(f"no frame in {len(received)} bytes")
    return first_at - sent[-1]


def _baseline(folder: Path) -> float:
    source = str(video(FPS))
    indexed = measured("benchmarks.chunking_baseline:index_video", {"video": source})
    wanted = {"video": source, "frames": FRAMES, "quality": QUALITY, "folder": str(folder)}
    return indexed.wall_s + measured("benchmarks.chunking_baseline:zip_video", wanted).wall_s
