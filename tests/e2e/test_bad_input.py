"""Bad input gets its own clear error, over gRPC, and leaves nothing half done."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from frameyard.media.v1 import media_pb2
from frameyard.media.v1 import upload_service_pb2 as uploads_pb2
from frameyard.task.v1 import job_service_pb2, label_pb2, task_pb2, task_service_pb2
from yard.client import Client, ClientError, uploads
from yard.client.media import ready_task, upload_and_attach
from yard.media import synthetic
from yard.testkit.platform import Platform


async def new_task(client: Client, name: str = "bad input", **fields: Any) -> task_pb2.Task:
    request = task_service_pb2.CreateTaskRequest(name=name, **fields)
    return (await client.call(client.tasks.CreateTask, request)).task


async def attach(client: Client, task: task_pb2.Task, path: Path, **data: Any) -> task_pb2.Task:
    files = uploads.local_files([path])
    return await ready_task(
        client, await upload_and_attach(client, task.id, files, media_pb2.DataSpec(**data))
    )


async def assert_untouched(client: Client, task: task_pb2.Task, video: Path) -> None:
    """The task has neither frames nor jobs, and takes good media afterwards."""
    found = (await client.call(client.tasks.GetTask, task_service_pb2.GetTaskRequest(id=task.id))).task
    jobs = await client.call(client.jobs.ListJobs, job_service_pb2.ListJobsRequest(task_id=task.id))
    assert (found.size, len(jobs.jobs)) == (0, 0)
    assert (await attach(client, task, video)).size == 10


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("media") / "good.mp4"
    return synthetic.make_demo_video(path, seconds=1, size=(320, 240), fps=10)


async def test_wrong_password(platform: Platform) -> None:
    async with Client(platform.endpoints) as client:
        with pytest.raises(ClientError, match="password") as caught:
            await client.login("admin", "not the password")
    assert caught.value.code == "UNAUTHENTICATED"


async def test_without_login(platform: Platform) -> None:
    async with Client(platform.endpoints) as client:
        with pytest.raises(ClientError) as caught:
            await new_task(client)
    assert caught.value.code == "UNAUTHENTICATED"


async def test_unknown_label_kind_and_input_are_told_at_once(client: Client) -> None:
    unknown: Any = 99
    attribute = label_pb2.Attribute(name="pose", input=unknown)
    label = label_pb2.Label(name="person", kind=unknown, attributes=[attribute])
    with pytest.raises(ClientError) as caught:
        await new_task(client, labels=[label])
    fields = {violation.field for violation in caught.value.violations}
    assert fields == {"labels[0].kind", "labels[0].attributes[0].input"}


async def test_negative_overlap(client: Client) -> None:
    with pytest.raises(ClientError) as caught:
        await new_task(client, segment_size=10, overlap=-1)
    assert [violation.field for violation in caught.value.violations] == ["overlap"]


async def test_stop_before_start(client: Client, video: Path) -> None:
    task = await new_task(client)
    with pytest.raises(ClientError) as caught:
        await attach(client, task, video, start_frame=5, stop_frame=2)
    assert [violation.field for violation in caught.value.violations] == ["data.stop_frame"]
    await assert_untouched(client, task, video)


async def test_start_behind_the_end(client: Client, video: Path) -> None:
    task = await new_task(client)
    with pytest.raises(ClientError) as caught:
        await attach(client, task, video, start_frame=500)
    assert [violation.field for violation in caught.value.violations] == ["data.start_frame"]
    await assert_untouched(client, task, video)


async def test_text_named_mp4(client: Client, video: Path, tmp_path: Path) -> None:
    text = tmp_path / "notes.mp4"
    text.write_text("this is not a video\n" * 100)
    task = await new_task(client)
    with pytest.raises(ClientError, match=r"notes\.mp4"):
        await attach(client, task, text)
    await assert_untouched(client, task, video)


async def test_video_without_its_index(client: Client, video: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(video.read_bytes()[:600])
    task = await new_task(client)
    with pytest.raises(ClientError, match=r"cut\.mp4"):
        await attach(client, task, cut)
    await assert_untouched(client, task, video)


async def test_truncated_video_keeps_what_decodes_and_says_so(client: Client, tmp_path: Path) -> None:
    whole = synthetic.make_demo_video(tmp_path / "whole.mp4", seconds=4, size=(320, 240), fps=10)
    cut = tmp_path / "half.mp4"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    task = await attach(client, await new_task(client), cut)
    assert 0 < task.size < 40
    assert any("cut" in warning for warning in task.media_warnings)


async def test_empty_file(client: Client, video: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty.mp4"
    empty.touch()
    task = await new_task(client)
    with pytest.raises(ClientError) as caught:
        await attach(client, task, empty)
    assert "empty" in " ".join(caught.value.lines())
    await assert_untouched(client, task, video)


async def test_upload_that_was_cut_goes_on_where_it_stopped(client: Client, tmp_path: Path) -> None:
    video = synthetic.make_demo_video(tmp_path / "long.mp4", seconds=20, size=(640, 480), fps=10)
    [file] = uploads.local_files([video])
    new = uploads_pb2.NewUploadFile(name=file.name, size_bytes=file.size_bytes)
    created = await client.call(client.uploads.CreateUpload, uploads_pb2.CreateUploadRequest(files=[new]))
    await send_half(client, created.upload.id, video)
    half = (
        await client.call(client.uploads.GetUpload, uploads_pb2.GetUploadRequest(id=created.upload.id))
    ).upload
    assert 0 < half.files[0].received_bytes < file.size_bytes
    finish = uploads_pb2.FinishUploadRequest(id=created.upload.id)
    with pytest.raises(ClientError, match=r"long\.mp4"):
        await client.call(client.uploads.FinishUpload, finish)
    sent: list[int] = []
    await uploads.resume(client, created.upload.id, [file], sent.append)
    assert sum(sent) == file.size_bytes
    assert sent[0] == half.files[0].received_bytes
    task = await new_task(client)
    source = media_pb2.MediaSource(upload=media_pb2.UploadSource(upload_id=created.upload.id))
    request = task_service_pb2.AttachMediaRequest(task_id=task.id, data=media_pb2.DataSpec(sources=[source]))
    accepted = await client.call(client.tasks.AttachMedia, request)
    assert (await ready_task(client, accepted.operation)).size == 200


async def test_a_file_that_has_changed_since_the_cut_is_refused(client: Client, tmp_path: Path) -> None:
    video = synthetic.make_demo_video(tmp_path / "first.mp4", seconds=20, size=(640, 480), fps=10)
    [file] = uploads.local_files([video])
    upload_id = await uploads.create(client, [file])
    await send_half(client, upload_id, video)
    changed = bytearray(video.read_bytes())
    changed[-1] ^= 1
    video.write_bytes(changed)
    with pytest.raises(ClientError, match=r"first\.mp4: expected [0-9a-f]{64}, got"):
        await uploads.resume(client, upload_id, [file])
    [remote] = (
        await client.call(client.uploads.GetUpload, uploads_pb2.GetUploadRequest(id=upload_id))
    ).upload.files
    assert remote.received_bytes == 0


async def send_half(client: Client, upload_id: str, video: Path) -> None:
    """Half of the file, then the connection is gone."""
    content = video.read_bytes()

    async def requests() -> AsyncIterator[uploads_pb2.UploadFileRequest]:
        yield uploads_pb2.UploadFileRequest(header=uploads_pb2.UploadFileHeader(upload_id=upload_id))
        yield uploads_pb2.UploadFileRequest(content=content[: len(content) // 2])

    call = client.uploads.UploadFile(requests(), metadata=await client.session.metadata())
    await call


async def test_offset_that_does_not_fit(client: Client, video: Path) -> None:
    new = uploads_pb2.NewUploadFile(name="a.mp4", size_bytes=100)
    created = await client.call(client.uploads.CreateUpload, uploads_pb2.CreateUploadRequest(files=[new]))
    header = uploads_pb2.UploadFileHeader(upload_id=created.upload.id, offset=50)

    async def requests() -> AsyncIterator[uploads_pb2.UploadFileRequest]:
        yield uploads_pb2.UploadFileRequest(header=header)

    with pytest.raises(Exception, match="OUT_OF_RANGE"):
        await client.uploads.UploadFile(requests(), metadata=await client.session.metadata())
