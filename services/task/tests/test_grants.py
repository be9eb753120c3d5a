from uuid import UUID

from frameyard.common.v1.common_pb2 import FrameRange, PersonRef
from frameyard.media.v1 import media_pb2
from frameyard.task.v1 import task_service_pb2
from yard.runtime import auth, clock, errors
from yard.runtime.auth.grants import TTL_S
from yard.testkit import eventually
from yard.testkit.fixtures import GRANT_KEY
from yard.testkit.refusals import refused, wrong_fields

from services.task.tests.neighbours import CLEO, Client, Neighbours

GRANTS = auth.Grants([GRANT_KEY])


async def test_a_grant_covers_a_task_or_a_job_for_its_caller(
    ann: Client, cleo: Client, export: Client, neighbours: Neighbours
) -> None:
    task, jobs = await neighbours.ready_task(ann, size=20, segment_size=10, overlap=0)
    await ann.update_job(jobs[1].id, assignee=PersonRef(id=CLEO.user_id))
    media_id = UUID(task.media_id)

    whole = await ann.grant(task_id=task.id)
    assert GRANTS.verify(whole.grant) == auth.MediaGrant(media_id=media_id, first=0, last=19, user_id=1)
    assert (whole.media_id, whole.frames) == (task.media_id, FrameRange(first=0, last=19))
    assert whole.data == task.data
    assert 0 <= TTL_S - (whole.expire_time.ToSeconds() - clock.now().timestamp()) < 10

    part = await cleo.grant(job_id=jobs[1].id)
    assert GRANTS.verify(part.grant) == auth.MediaGrant(media_id=media_id, first=10, last=19, user_id=3)
    assert part.frames == FrameRange(first=10, last=19)
    assert (await export.grant(task_id=task.id)).frames == whole.frames


async def test_who_gets_none(ann: Client, cleo: Client, stranger: Client, neighbours: Neighbours) -> None:
    task, jobs = await neighbours.ready_task(ann, size=20, segment_size=10, overlap=0)
    await ann.update_job(jobs[1].id, assignee=PersonRef(id=CLEO.user_id))
    assert isinstance(await refused(cleo.grant(task_id=task.id)), errors.PermissionDenied)
    assert isinstance(await refused(cleo.grant(job_id=jobs[0].id)), errors.NotFound)
    assert isinstance(await refused(stranger.grant(task_id=task.id)), errors.NotFound)
    assert isinstance(await refused(stranger.grant(job_id=jobs[0].id)), errors.NotFound)
    assert await wrong_fields(ann.tasks.GetMediaGrant(task_service_pb2.GetMediaGrantRequest())) == ["target"]


async def test_there_must_be_frames(ann: Client) -> None:
    task = await ann.new_task()
    error = await refused(ann.grant(task_id=task.id))
    assert isinstance(error, errors.FailedPrecondition)
    assert error.reason == "MEDIA_NOT_READY"


async def test_opening_a_job_is_a_sign_of_activity_of_whose_turn_it_is(
    ann: Client, cleo: Client, neighbours: Neighbours
) -> None:
    _, [job] = await neighbours.ready_task(ann)
    await ann.update_job(job.id, assignee=PersonRef(id=CLEO.user_id))
    for client in (ann, ann, cleo):
        await client.grant(job_id=job.id)
    assert (await ann.job(job.id)).work_duration.ToMicroseconds() == 0
    await cleo.grant(job_id=job.id)
    found = await ann.job(job.id)
    assert found.work_duration.ToMicroseconds() > 0
    assert not found.HasField("start_time")


async def test_of_media_that_failed_a_grant_tells_why(ann: Client, neighbours: Neighbours) -> None:
    """What became of its files is read with it; there are no frames."""
    task = await ann.new_task()
    await ann.attach(task.id)
    await neighbours.fail(await ann.task(task.id), errors.InvalidArgument("no media"))
    await eventually(lambda: has_failed(ann, task.id))
    given = await ann.grant(task_id=task.id)
    assert (given.media_id, given.frames) == ((await ann.task(task.id)).media_id, FrameRange())
    assert GRANTS.verify(given.grant).media_id == UUID(given.media_id)


async def has_failed(client: Client, task_id: int) -> bool:
    return (await client.task(task_id)).media_state == media_pb2.MEDIA_STATE_FAILED
