"""Backups and restores whose process is killed go on, and what a cancelled restore has made goes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from frameyard.export.v1 import backup_service_pb2 as backups
from frameyard.operation.v1 import operation_pb2
from frameyard.task.v1 import task_service_pb2
from PIL import Image
from yard.client import Client, exports, uploads
from yard.client.media import ready_task, upload_and_attach
from yard.testkit import eventually
from yard.testkit.platform import Platform

from tests.e2e.backup_scene import digest

pytestmark = pytest.mark.timeout(400)
LONG_S = 180.0
LARGE_BYTES = 96 * 1024 * 1024
FINAL = {
    operation_pb2.OPERATION_STATE_SUCCEEDED,
    operation_pb2.OPERATION_STATE_FAILED,
    operation_pb2.OPERATION_STATE_CANCELLED,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A picture beside a file that takes its time."""
    made = tmp_path_factory.mktemp("large")
    Image.fromarray(np.zeros((40, 60, 3), np.uint8)).save(made / "a.png")
    with (made / "notes.bin").open("wb") as file:
        for number in range(LARGE_BYTES >> 20):
            file.write(np.random.default_rng(number).bytes(1 << 20))
    return made


async def new_task(client: Client, folder: Path) -> int:
    request = task_service_pb2.CreateTaskRequest(name="large")
    task = (await client.call(client.tasks.CreateTask, request)).task
    operation = await upload_and_attach(client, task.id, uploads.local_files([folder]))
    return (await ready_task(client, operation)).id


async def tasks_of(client: Client) -> set[int]:
    answer = await client.call(client.tasks.ListTasks, task_service_pb2.ListTasksRequest(page_size=1000))
    return {task.id for task in answer.tasks}


async def says(client: Client, operation: str, words: str) -> None:
    """Waits until the operation tells so, before it has ended."""

    async def told() -> bool:
        found = await client.operation(operation)
        assert found.state not in FINAL
        return words in found.message

    await eventually(told, timeout_s=LONG_S)


async def ended(client: Client, operation: str) -> operation_pb2.Operation:
    async def final() -> operation_pb2.Operation:
        found = await client.operation(operation)
        assert found.state in FINAL
        return found

    return await eventually(final, timeout_s=LONG_S)


async def restore(client: Client, archive: Path) -> str:
    upload = await uploads.upload(client, uploads.local_files([archive]))
    request = backups.RestoreBackupRequest(upload_id=upload, kind=backups.BACKUP_KIND_TASK)
    return (await client.call(client.backups.RestoreBackup, request)).operation.name


async def backed_up(client: Client, task_id: int, archive: Path) -> Path:
    request = backups.CreateBackupRequest(task_id=task_id)
    operation = (await client.call(client.backups.CreateBackup, request)).operation.name
    await ended(client, operation)
    return await exports.download(client, operation, archive)


async def test_killed_backups_and_restores_go_on(
    platform: Platform, client: Client, folder: Path, tmp_path: Path
) -> None:
    task = await new_task(client, folder)
    expected = digest(await backed_up(client, task, tmp_path / "expected.zip"))
    request = backups.CreateBackupRequest(task_id=task)
    operation = (await client.call(client.backups.CreateBackup, request)).operation.name
    await says(client, operation, "are written")
    await platform.is_back("export", platform.kill("export"))
    assert (await ended(client, operation)).state == operation_pb2.OPERATION_STATE_SUCCEEDED
    archive = await exports.download(client, operation, tmp_path / "killed.zip")
    assert digest(archive) == expected
    before = await tasks_of(client)
    operation = await restore(client, archive)
    await says(client, operation, "are sent")
    (begun,) = await tasks_of(client) - before
    await platform.is_back("export", platform.kill("export"))
    found = await ended(client, operation)
    assert found.state == operation_pb2.OPERATION_STATE_SUCCEEDED, found
    result = backups.RestoreResult()
    found.result.Unpack(result)
    assert (result.task_id, await tasks_of(client) - before) == (begun, {begun})
    assert digest(await backed_up(client, begun, tmp_path / "again.zip")) == expected


async def test_a_cancelled_restore_leaves_nothing(client: Client, folder: Path, tmp_path: Path) -> None:
    archive = await backed_up(client, await new_task(client, folder), tmp_path / "large.zip")
    before = await tasks_of(client)
    operation = await restore(client, archive)
    await says(client, operation, "are sent")
    (begun,) = await tasks_of(client) - before
    await client.cancel(operation)
    assert (await ended(client, operation)).state == operation_pb2.OPERATION_STATE_CANCELLED

    async def is_gone() -> bool:
        return begun not in await tasks_of(client)

    await eventually(is_gone, timeout_s=LONG_S)
    assert await tasks_of(client) == before


def peak_of(platform: Platform) -> int:
    """The most memory that the export service has had since it was started, bytes."""
    status = Path(f"/proc/{platform.pid('export')}/status").read_text()
    (line,) = [line for line in status.splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) * 1024


async def test_memory_does_not_grow_with_the_media(
    platform: Platform, client: Client, folder: Path, tmp_path: Path
) -> None:
    small = tmp_path / "small"
    small.mkdir()
    (small / "a.png").hardlink_to(folder / "a.png")
    peaks = []
    for given in (small, folder):
        archive = await backed_up(client, await new_task(client, given), tmp_path / f"{given.name}.zip")
        found = await ended(client, await restore(client, archive))
        assert found.state == operation_pb2.OPERATION_STATE_SUCCEEDED, found
        peaks.append(peak_of(platform))
    assert peaks[1] - peaks[0] < LARGE_BYTES // 2, peaks
