from frameyard.task.v1.task_events_pb2 import UseCacheChanged
from yard.runtime import errors
from yard.testkit.refusals import refused

from services.task.tests.neighbours import Client, Neighbours, Running, emitted


async def test_chunks_are_kept_or_made_on_demand(
    ann: Client, running: Running, neighbours: Neighbours
) -> None:
    task, _ = await neighbours.ready_task(ann)
    assert not task.data.use_cache
    for use_cache in (True, True, False):
        changed = await ann.set_use_cache(task.id, use_cache)
        assert (changed.data.use_cache, changed.data.chunk_size) == (use_cache, task.data.chunk_size)
        assert await ann.task(task.id) == changed
        assert (await ann.grant(task_id=task.id)).data == changed.data
    told = [event for event in await emitted(running, task.id) if isinstance(event, UseCacheChanged)]
    assert told == [
        UseCacheChanged(task_id=task.id, media_id=task.media_id, use_cache=use_cache)
        for use_cache in (True, False)
    ]


async def test_who_may_change_it(
    ann: Client, cleo: Client, stranger: Client, export: Client, neighbours: Neighbours
) -> None:
    task, [job] = await neighbours.ready_task(ann)
    await ann.update_job(job.id, assignee={"id": 3})
    assert isinstance(await refused(cleo.set_use_cache(task.id, True)), errors.PermissionDenied)
    assert isinstance(await refused(export.set_use_cache(task.id, True)), errors.PermissionDenied)
    assert isinstance(await refused(stranger.set_use_cache(task.id, True)), errors.NotFound)
    assert isinstance(await refused(ann.set_use_cache(task.id + 1, True)), errors.NotFound)
    assert not (await ann.task(task.id)).data.use_cache


async def test_there_must_be_media(ann: Client) -> None:
    task = await ann.new_task()
    error = await refused(ann.set_use_cache(task.id, True))
    assert isinstance(error, errors.FailedPrecondition)
    assert error.reason == "MEDIA_NOT_READY"
