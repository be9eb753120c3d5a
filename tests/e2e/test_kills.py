"""Killed services go on where they were, without help and without doing finished parts again."""

from collections import defaultdict
from pathlib import Path

from frameyard.chunk.v1 import chunk_service_pb2 as chunks
from frameyard.media.v1 import media_pb2
from frameyard.task.v1 import task_pb2, task_service_pb2
from minio import Minio
from yard.client import Client, uploads
from yard.client.media import ready_task, upload_and_attach
from yard.client.pixels import Pixels
from yard.embedded.servers.s3 import REGION
from yard.media import synthetic
from yard.testkit import eventually
from yard.testkit.platform import Platform

LONG_S = 180.0
PICTURES = 12_000
CHUNK = 30


class Objects:
    """When each object below a prefix was written: one that is written again has more than one time."""

    def __init__(self, platform: Platform) -> None:
        self._client = Minio(
            endpoint=f"127.0.0.1:{platform.port('s3')}",
            access_key=platform.secret("s3_access_key"),
            secret_key=platform.secret("s3_secret_key"),
            secure=False,
            region=REGION,
        )
        self.seen: dict[str, set[str]] = defaultdict(set)

    def look(self, prefix: str) -> int:
        """Adds what is there now; returns the number of objects that were ever seen."""
        for found in self._client.list_objects(bucket_name="frameyard", prefix=prefix, recursive=True):
            self.seen[str(found.object_name)].add(str(found.last_modified))
        return len(self.seen)

    def written_again(self) -> list[str]:
        """Objects that were written more than once."""
        return [name for name, times in self.seen.items() if len(times) > 1]


async def new_task(client: Client, name: str) -> task_pb2.Task:
    request = task_service_pb2.CreateTaskRequest(name=name)
    return (await client.call(client.tasks.CreateTask, request)).task


async def test_a_killed_ingest_goes_on(platform: Platform, client: Client, tmp_path: Path) -> None:
    [picture] = synthetic.make_demo_images(tmp_path / "picture", 1, size=(160, 120))
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(PICTURES):
        (folder / f"{number:05}.jpg").hardlink_to(picture)
    task = await new_task(client, "killed ingest")
    operation = await upload_and_attach(client, task.id, uploads.local_files([folder]))
    attached = (await client.call(client.tasks.GetTask, task_service_pb2.GetTaskRequest(id=task.id))).task
    objects = Objects(platform)
    prefix = f"media/{attached.media_id}/index/"
    await eventually(lambda: objects.look(prefix), timeout_s=LONG_S)
    assert not (await client.operation(operation.name)).HasField("finish_time")
    stored = {int(name.rpartition("/")[2]) for name in objects.seen}
    killed = platform.kill("media_ingest")
    await platform.is_back("media_ingest", killed)

    async def has_ended() -> bool:
        objects.look(prefix)
        return bool((await client.operation(operation.name)).HasField("finish_time"))

    await eventually(has_ended, timeout_s=LONG_S)
    assert (await ready_task(client, operation)).size == PICTURES
    # One may have been in the bucket just before its row said so; the others are never made again.
    again = [int(name.rpartition("/")[2]) for name in objects.written_again()]
    assert len(again) <= 1
    assert all(number >= max(stored) for number in again)


async def test_a_killed_build_goes_on(platform: Platform, client: Client, tmp_path: Path) -> None:
    video = synthetic.make_demo_video(tmp_path / "long.mp4", seconds=60, size=(640, 360), fps=30)
    task = await new_task(client, "killed build")
    spec = media_pb2.DataSpec(use_cache=False, chunk_size=CHUNK)
    operation = await upload_and_attach(client, task.id, uploads.local_files([video]), spec)
    ready = await ready_task(client, operation)
    grant = await Pixels(client, task_id=task.id).grant()
    request = chunks.GetBuildStatusRequest(media_id=grant.media_id, grant=grant.grant)
    objects = Objects(platform)
    prefix = f"chunks/{grant.media_id}/"

    async def built() -> int:
        objects.look(prefix)
        return int((await client.call(client.chunks.GetBuildStatus, request)).built_count)

    async def has_some() -> bool:
        return await built() >= 3

    await eventually(has_some, timeout_s=LONG_S)
    told = await built()
    killed = platform.kill("chunking")
    await platform.is_back("chunking", killed)
    assert await built() < ready.size // CHUNK

    async def has_all() -> bool:
        return await built() == ready.size // CHUNK

    await eventually(has_all, timeout_s=LONG_S)
    # Two of a run may have been in the bucket before their rows said so; what was told as built is kept.
    again = [int(name.rpartition("/")[2].partition("-")[0]) // CHUNK for name in objects.written_again()]
    assert len(again) <= 2
    assert all(number >= told for number in again)
