from typing import Any

import pytest
from frameyard.common.v1.common_pb2 import FrameRange
from frameyard.media.v1 import media_pb2
from frameyard.operation.v1 import operation_pb2
from frameyard.task.v1 import job_pb2, task_pb2
from frameyard.task.v1.task_events_pb2 import MediaRequestCancelled, MediaRequested, TaskReady
from google.rpc import status_pb2
from yard.runtime import errors
from yard.testkit.refusals import refused, wrong_fields

from services.task.tests.neighbours import UPLOAD, Client, Neighbours, Running, emitted, finished

INDEXING, READY, FAILED = (
    media_pb2.MEDIA_STATE_INDEXING,
    media_pb2.MEDIA_STATE_READY,
    media_pb2.MEDIA_STATE_FAILED,
)


async def test_attaching_asks_for_media(ann: Client, running: Running) -> None:
    task = await ann.new_task()
    operation = await ann.attach(task.id, image_quality=80, start_frame=0)
    assert (operation.kind, operation.target, operation.owner, operation.state) == (
        "attach_media",
        f"tasks/{task.id}",
        "1",
        operation_pb2.OPERATION_STATE_QUEUED,
    )
    found = await ann.task(task.id)
    assert (found.media_state, found.media_operation) == (INDEXING, operation.name)
    assert operation.name.startswith("task/")
    spec = media_pb2.DataSpec(sources=[UPLOAD], image_quality=80, start_frame=0)
    assert (await emitted(running, task.id))[1:] == [
        MediaRequested(
            media_id=found.media_id, task_id=task.id, user_id=1, data=spec, operation=operation.name
        )
    ]
    error = await refused(ann.attach(task.id))
    assert isinstance(error, errors.FailedPrecondition)
    assert error.reason == "MEDIA_ATTACHED"


async def test_wrong_data_leaves_nothing_behind(ann: Client, running: Running) -> None:
    task = await ann.new_task()
    call = ann.attach(task.id, start_frame=5, stop_frame=2, image_quality=101)
    assert await wrong_fields(call) == ["data.image_quality", "data.stop_frame"]
    assert await ann.task(task.id) == task
    assert len(await emitted(running, task.id)) == 1


@pytest.mark.parametrize(
    ("is_video", "fields", "expected"),
    [
        (True, {"segment_size": 10}, (10, 5, [(0, 9), (5, 14), (10, 19), (15, 24)])),
        (True, {"segment_size": 10, "overlap": 0}, (10, 0, [(0, 9), (10, 19), (20, 24)])),
        (False, {"segment_size": 10}, (10, 0, [(0, 9), (10, 19), (20, 24)])),
        (False, {"segment_size": 10, "overlap": 99}, (10, 5, [(0, 9), (5, 14), (10, 19), (15, 24)])),
        (False, {}, (25, 0, [(0, 24)])),
    ],
)
async def test_frames_become_jobs(
    ann: Client,
    running: Running,
    neighbours: Neighbours,
    is_video: bool,
    fields: dict[str, Any],
    expected: tuple[int, int, list[tuple[int, int]]],
) -> None:
    task, jobs = await neighbours.ready_task(ann, size=25, is_video=is_video, **fields)
    assert (task.segment_size, task.overlap) == expected[:2]
    assert [(job.frames.first, job.frames.last) for job in jobs] == expected[2]
    assert [job.segment for job in jobs] == list(range(len(jobs)))
    mode = task_pb2.TASK_MODE_INTERPOLATION if is_video else task_pb2.TASK_MODE_ANNOTATION
    assert (task.mode, task.media_state, task.size, task.width, task.height) == (mode, READY, 25, 640, 480)
    assert task.data == media_pb2.DataParameters(image_quality=70, stop_frame=24, frame_step=1, chunk_size=36)
    assert task.jobs == job_pb2.JobCounts(total=len(jobs), annotation=len(jobs))
    first = jobs[0]
    assert (first.stage, first.state, first.status) == (
        job_pb2.JOB_STAGE_ANNOTATION,
        job_pb2.JOB_STATE_NEW,
        job_pb2.JOB_STATUS_ANNOTATION,
    )
    ready = TaskReady(task_id=task.id, media_id=task.media_id, size=25, jobs=jobs)
    assert (await emitted(running, task.id))[-1] == ready


async def test_the_operation_tells_what_was_left_out(ann: Client, neighbours: Neighbours) -> None:
    task = await ann.new_task()
    operation = await ann.attach(task.id)
    task = await ann.task(task.id)
    skipped = [media_pb2.SkippedFile(name="notes.txt", reason="is text")]
    warnings = ["the file is cut: 8 of 9 frames"]
    await neighbours.index(task, 8, warnings=warnings, skipped=skipped, skipped_count=1, taken_count=2)
    found = await finished(ann, operation)
    assert (found.state, found.progress) == (operation_pb2.OPERATION_STATE_SUCCEEDED, 1)
    assert found.message == "taken 2, skipped 1"
    media = media_pb2.Media()
    assert found.result.Unpack(media)
    assert (media.id, list(media.skipped)) == (task.media_id, skipped)
    assert list((await ann.task(task.id)).media_warnings) == [
        *warnings,
        "1 file was left out, the first notes.txt: is text",
    ]


async def test_failed_media_can_be_replaced(ann: Client, neighbours: Neighbours) -> None:
    task = await ann.new_task()
    operation = await ann.attach(task.id)
    failed = await ann.task(task.id)
    await neighbours.fail(failed, errors.invalid("data.start_frame", "is past the last frame"))
    found = await finished(ann, operation)
    assert found.state == operation_pb2.OPERATION_STATE_FAILED
    error = errors.from_status(found.error)
    assert isinstance(error, errors.InvalidArgument)
    assert error.violations == (errors.Violation("data.start_frame", "is past the last frame"),)
    shown = await ann.task(task.id)
    assert (shown.media_state, shown.media_error, shown.jobs.total) == (FAILED, found.error, 0)

    again = await ann.attach(task.id)
    shown = await ann.task(task.id)
    assert (shown.media_state, shown.media_error) == (INDEXING, status_pb2.Status())
    assert shown.media_id != failed.media_id
    await neighbours.index(failed, 5)  # late news of what nobody waits for
    await neighbours.index(shown, 10)
    await finished(ann, again)
    assert (await ann.task(task.id)).size == 10


async def test_news_that_come_twice_make_no_second_jobs(ann: Client, neighbours: Neighbours) -> None:
    task, jobs = await neighbours.ready_task(ann, size=10)
    await neighbours.index(task, 20)
    await neighbours.fail(task, errors.Internal("late"))
    _, others = await neighbours.ready_task(ann, size=10)
    assert await ann.list_jobs(task_id=task.id) == jobs
    assert (await ann.task(task.id)).media_state == READY
    assert len(others) == 1


async def test_a_cancelled_operation_leaves_the_task_as_it_was(
    ann: Client, running: Running, neighbours: Neighbours
) -> None:
    task = await ann.new_task()
    operation = await ann.attach(task.id)
    waiting = await ann.task(task.id)
    cancelled = await ann.cancel(operation.name)
    assert cancelled.state == operation_pb2.OPERATION_STATE_CANCELLED
    found = await ann.task(task.id)
    assert (found.media_state, found.media_id, found.media_operation) == (0, "", "")
    unwanted = MediaRequestCancelled(media_id=waiting.media_id, task_id=task.id)
    assert (await emitted(running, task.id))[-1] == unwanted
    await neighbours.index(waiting, 5)
    again = await ann.attach(task.id)
    await neighbours.index(await ann.task(task.id), 10)
    await finished(ann, again)
    assert (await ann.task(task.id)).size == 10


async def test_operations_are_for_who_asked(ann: Client, stranger: Client, admin: Client) -> None:
    task = await ann.new_task()
    operation = await ann.attach(task.id)
    assert isinstance(await refused(stranger.operation(operation.name)), errors.NotFound)
    assert isinstance(await refused(stranger.cancel(operation.name)), errors.NotFound)
    assert (await admin.cancel(operation.name)).state == operation_pb2.OPERATION_STATE_CANCELLED


async def test_more_jobs_than_possible_are_an_error(
    ann: Client, running: Running, neighbours: Neighbours
) -> None:
    task = await ann.new_task(segment_size=1)
    operation = await ann.attach(task.id)
    waiting = await ann.task(task.id)
    await neighbours.index(waiting, 100_001, is_video=False)
    found = await finished(ann, operation)
    error = errors.from_status(found.error)
    assert isinstance(error, errors.InvalidArgument)
    assert [violation.field for violation in error.violations] == ["segment_size"]
    assert (await ann.task(task.id)).jobs.total == 0
    unwanted = MediaRequestCancelled(media_id=waiting.media_id, task_id=task.id)
    assert (await emitted(running, task.id))[-1] == unwanted


async def test_only_the_first_1_000_jobs_are_told(
    ann: Client, running: Running, neighbours: Neighbours
) -> None:
    task, jobs = await neighbours.ready_task(ann, size=1_500, is_video=False, segment_size=1)
    assert (len(jobs), task.jobs.total) == (1_500, 1_500)
    ready = (await emitted(running, task.id))[-1]
    assert (list(ready.jobs), ready.size) == (jobs[:1_000], 1_500)
    assert jobs[-1].frames == FrameRange(first=1_499, last=1_499)
