import asyncio
import random

from frameyard.annotation.v1 import annotation_service_pb2 as messages
from frameyard.annotation.v1.annotation_events_pb2 import DeletedFramesChanged
from frameyard.common.v1.common_pb2 import FrameRange, PersonRef
from frameyard.task.v1.job_pb2 import JOB_STAGE_VALIDATION
from yard.runtime import errors
from yard.testkit.refusals import refused, wrong_fields

from services.task.tests.neighbours import CLEO, Client, Neighbours, Running, emitted

Target = messages.AnnotationTarget
Runs = list[tuple[int, int]]


def ranges(runs: Runs) -> list[FrameRange]:
    return [FrameRange(first=first, last=last) for first, last in runs]


async def change(client: Client, target: Target, *, delete: Runs = (), restore: Runs = ()) -> Runs:  # type: ignore[assignment]
    request = messages.UpdateDeletedFramesRequest(
        target=target, delete=ranges(delete), restore=ranges(restore)
    )
    answer = await client.annotations.UpdateDeletedFrames(request)
    return [(run.first, run.last) for run in answer.deleted]


async def deleted(client: Client, target: Target) -> Runs:
    answer = await client.annotations.GetDeletedFrames(messages.GetDeletedFramesRequest(target=target))
    return [(run.first, run.last) for run in answer.deleted]


async def test_jobs_share_deleted_frames_on_their_overlap(
    ann: Client, cleo: Client, stranger: Client, neighbours: Neighbours, running: Running
) -> None:
    task, jobs = await neighbours.ready_task(ann, size=20, segment_size=12, overlap=4)
    await ann.update_job(jobs[0].id, assignee=PersonRef(id=CLEO.user_id))
    whole, first, second = Target(task_id=task.id), *(Target(job_id=job.id) for job in jobs)
    assert await change(cleo, first, delete=[(9, 10), (2, 2)]) == [(2, 2), (9, 10)]
    assert await deleted(ann, second) == [(9, 10)]
    assert await change(ann, whole, delete=[(11, 15)], restore=[(2, 2)]) == [(9, 15)]
    assert await deleted(cleo, first) == [(9, 11)]
    assert await change(ann, whole, delete=[(12, 13)]) == [(9, 15)], "nothing new"
    assert await change(ann, second, restore=[(12, 12)]) == [(9, 11), (13, 15)]
    told = [event for event in await emitted(running, task.id) if isinstance(event, DeletedFramesChanged)]
    assert [(event.deleted, event.user_id) for event in told] == [(3, 3), (7, 1), (6, 1)]
    for call in (deleted(stranger, whole), change(stranger, whole, delete=[(1, 1)])):
        assert isinstance(await refused(call), errors.NotFound)
    # Who works on one job changes the frames of that one, when it is their turn.
    assert isinstance(await refused(change(cleo, whole, delete=[(1, 1)])), errors.PermissionDenied)
    await ann.update_job(jobs[0].id, stage=JOB_STAGE_VALIDATION)
    assert isinstance(await refused(change(cleo, first, delete=[(1, 1)])), errors.PermissionDenied)


async def test_wrong_frames_are_named(ann: Client, neighbours: Neighbours) -> None:
    task, jobs = await neighbours.ready_task(ann, size=20, segment_size=10, overlap=0)
    whole, second = Target(task_id=task.id), Target(job_id=jobs[1].id)
    assert await wrong_fields(change(ann, second, delete=[(10, 19), (9, 10)], restore=[(5, 4)])) == [
        "delete[1]",
        "restore[0]",
    ]
    assert await wrong_fields(change(ann, whole, delete=[(0, 20)])) == ["delete[0]"]
    assert await wrong_fields(change(ann, whole, delete=[(0, 5)], restore=[(5, 6)])) == ["restore"]
    assert await wrong_fields(change(ann, whole, delete=[(0, 0)] * 10_001)) == ["delete"]
    assert await deleted(ann, whole) == []


async def test_changes_at_the_same_time_are_all_kept(ann: Client, neighbours: Neighbours) -> None:
    task, _ = await neighbours.ready_task(ann, size=400)
    whole = Target(task_id=task.id)
    order = random.Random(5).sample(range(0, 400, 2), 200)
    await asyncio.gather(*(change(ann, whole, delete=[(frame, frame)]) for frame in order[:100]))
    assert len(await deleted(ann, whole)) == 100
    restored = (change(ann, whole, restore=[(frame, frame)]) for frame in order[:50])
    added = (change(ann, whole, delete=[(frame, frame)]) for frame in order[100:])
    await asyncio.gather(*restored, *added)
    assert await deleted(ann, whole) == sorted((frame, frame) for frame in order[50:])
