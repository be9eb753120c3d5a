"""A restore that loses the answer of every call it makes, one after another, still makes everything once."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from frameyard.annotation.v1 import annotation_service_pb2 as annotation
from frameyard.annotation.v1 import annotation_service_pb2_grpc
from frameyard.export.v1 import backup_service_pb2 as backups
from frameyard.export.v1 import backup_service_pb2_grpc
from frameyard.media.v1 import upload_service_pb2 as uploads
from frameyard.media.v1 import upload_service_pb2_grpc
from frameyard.operation.v1 import operation_pb2, operation_service_pb2, operation_service_pb2_grpc
from frameyard.task.v1 import (
    issue_service_pb2,
    issue_service_pb2_grpc,
    job_service_pb2,
    job_service_pb2_grpc,
    task_service_pb2,
    task_service_pb2_grpc,
)
from frameyard.task.v1.task_pb2 import Task
from google.protobuf.message import Message
from PIL import Image
from yard.export.sources.making import Maker
from yard.export.sources.sending import MOST_FILES
from yard.runtime import errors
from yard.runtime.db import WORK
from yard.testkit import eventually
from yard.testkit.fixtures import SettingsFor

from services.export.tests.backup_archives import TASK, lines, manifest, members, zip_of
from tests.rights.people import PEOPLE
from tests.rights.platform import Platform, all_services

pytestmark = pytest.mark.timeout(200)
WHO = PEOPLE["user"]
SUCCEEDED = operation_pb2.OPERATION_STATE_SUCCEEDED
FINAL = {SUCCEEDED, operation_pb2.OPERATION_STATE_FAILED, operation_pb2.OPERATION_STATE_CANCELLED}


def picture(number: int) -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (40, 30), (number * 40, 10, 20)).save(content, "PNG")
    return content.getvalue()


def archive() -> bytes:
    """Five pictures in two jobs, with objects, deleted frames and an issue."""
    files = {f"{number}.png": picture(number) for number in range(5)}
    inside = members(media_manifest_jsonl=manifest(files), media_0_a_png=None)
    del inside["media/0/b/c.png"]
    return zip_of({**inside, **{f"media/0/{name}": content for name, content in files.items()}})


@pytest.fixture
async def platform(settings_for: SettingsFor, tmp_path: Path) -> AsyncIterator[Platform]:
    async with all_services(settings_for, share=tmp_path) as platform:
        yield platform


async def uploaded(platform: Platform, content: bytes) -> str:
    stub = upload_service_pb2_grpc.UploadServiceStub(platform.channel("media_ingest", WHO))
    digest = hashlib.sha256(content).hexdigest()
    file = uploads.NewUploadFile(name="given.zip", size_bytes=len(content), sha256=digest)
    upload = (await stub.CreateUpload(uploads.CreateUploadRequest(files=[file]))).upload
    header = uploads.UploadFileHeader(upload_id=upload.id)
    pieces = [uploads.UploadFileRequest(header=header), uploads.UploadFileRequest(content=content)]
    await stub.UploadFile(iter(pieces))
    await stub.FinishUpload(uploads.FinishUploadRequest(id=upload.id))
    return str(upload.id)


async def begun(platform: Platform, content: bytes) -> str:
    stub = backup_service_pb2_grpc.BackupServiceStub(platform.channel("export", WHO))
    request = backups.RestoreBackupRequest(
        upload_id=await uploaded(platform, content), kind=backups.BACKUP_KIND_TASK
    )
    return str((await stub.RestoreBackup(request)).operation.name)


async def ended(platform: Platform, name: str) -> operation_pb2.Operation:
    """Does not let work wait before it is tried again."""
    stub = operation_service_pb2_grpc.OperationServiceStub(platform.channel("export", WHO))

    async def final() -> operation_pb2.Operation:
        async with platform.db("export").transaction() as tx:
            await tx.execute("UPDATE work SET run_after = now() WHERE state = 'queued'")
            tx.wake(WORK)
        request = operation_service_pb2.GetOperationRequest(name=name)
        found = (await stub.GetOperation(request)).operation
        assert found.state in FINAL
        return found

    return await eventually(final, timeout_s=150)


async def tasks_of(platform: Platform) -> list[Task]:
    stub = task_service_pb2_grpc.TaskServiceStub(platform.channel("task", WHO))
    return list((await stub.ListTasks(task_service_pb2.ListTasksRequest())).tasks)


class Losing:
    """Each call is done, and the answer of its first time lost."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, fault: errors.YardError, only: str = "") -> None:
        self.lost: set[tuple[str, bytes]] = set()
        call, objects = Maker.call, Maker.objects

        async def losing_call(maker: Maker, method: Any, request: Any) -> Any:
            answer = await call(maker, method, request)
            known = request.SerializeToString(deterministic=True) if isinstance(request, Message) else b""
            self._lose(type(request).__name__, known, fault, only)
            return answer

        async def losing_objects(maker: Maker, job_id: int, request_id: str, batches: Any) -> None:
            await objects(maker, job_id, request_id, batches)
            self._lose("objects", request_id.encode(), fault, only)

        monkeypatch.setattr(Maker, "call", losing_call)
        monkeypatch.setattr(Maker, "objects", losing_objects)

    def _lose(self, name: str, known: bytes, fault: errors.YardError, only: str) -> None:
        if only in name and (name, known) not in self.lost:
            self.lost.add((name, known))
            raise fault


@pytest.mark.parametrize("most_files", [MOST_FILES, 2])
async def test_every_answer_may_be_lost(
    most_files: int, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("yard.export.handlers.restored_task.MOST_FILES", most_files)
    losing = Losing(monkeypatch, errors.Unavailable("the answer is lost"))
    operation = await ended(platform, await begun(platform, archive()))
    assert operation.state == SUCCEEDED, operation
    names = {name for name, _ in losing.lost}
    assert names >= {
        "CreateTaskRequest",
        "CreateUploadRequest",
        "GetUploadRequest",
        "FinishUploadRequest",
        "AttachMediaRequest",
        "objects",
        "UpdateDeletedFramesRequest",
        "CreateIssueRequest",
        "UpdateJobRequest",
    }
    assert ("AddUploadFilesRequest" in names) is (most_files == 2)
    [task] = await tasks_of(platform)
    result = backups.RestoreResult()
    operation.result.Unpack(result)
    assert (result.task_id, task.name, task.size) == (task.id, "album", 5)
    await check(platform, task)


async def check(platform: Platform, task: Task) -> None:
    """All of it is there, once."""
    channel = platform.channel("task", WHO)
    listed = job_service_pb2.ListJobsRequest(task_id=task.id)
    jobs = (await job_service_pb2_grpc.JobServiceStub(channel).ListJobs(listed)).jobs
    assert [(job.frames.first, job.frames.last, job.stage, job.state) for job in jobs] == [
        (0, 2, 2, 3),
        (2, 4, 1, 1),
    ]
    issues = issue_service_pb2_grpc.IssueServiceStub(channel)
    found = (await issues.ListIssues(issue_service_pb2.ListIssuesRequest(task_id=task.id))).issues
    assert [(issue.job_id, issue.frame, issue.comment_count) for issue in found] == [(jobs[1].id, 3, 1)]
    stub = annotation_service_pb2_grpc.AnnotationServiceStub(channel)
    target = annotation.AnnotationTarget(job_id=jobs[1].id)
    objects = (await stub.GetAnnotations(annotation.GetAnnotationsRequest(target=target))).annotations
    assert (len(objects.tags), len(objects.shapes), len(objects.tracks)) == (1, 2, 1)
    assert {each.z_order for each in objects.shapes} == {0, -3}
    target = annotation.AnnotationTarget(task_id=task.id)
    deleted = await stub.GetDeletedFrames(annotation.GetDeletedFramesRequest(target=target))
    assert [(run.first, run.last) for run in deleted.deleted] == [(1, 2)]


@pytest.mark.parametrize("step", ["CreateTaskRequest", "AttachMediaRequest", "UpdateJobRequest"])
async def test_what_fails_leaves_nothing(
    platform: Platform, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    losing = Losing(monkeypatch, errors.FailedPrecondition("no further"), only=step)
    operation = await ended(platform, await begun(platform, archive()))
    assert operation.error.message == "no further"
    assert losing.lost

    async def is_gone() -> bool:
        return not await tasks_of(platform)

    await eventually(is_gone, timeout_s=30)
    deleted = task_service_pb2.ListTasksRequest(deleted=True)
    stub = task_service_pb2_grpc.TaskServiceStub(platform.channel("task", WHO))
    assert [task.name for task in (await stub.ListTasks(deleted)).tasks] == ["album"]


async def test_what_cannot_be_read_makes_nothing(platform: Platform) -> None:
    wrong = members(task_json=lines({**json.loads(json.dumps(TASK)), "name": ""}))
    operation = await ended(platform, await begun(platform, zip_of(wrong)))
    assert "given.zip cannot be restored; nothing was made" in operation.error.message
    assert await tasks_of(platform) == []
