"""What tasks show of their dataset repositories, as the service of those tells it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from frameyard.common.v1.filter_pb2 import Filter
from frameyard.sync.v1.sync_events_pb2 import SyncStatusChanged
from frameyard.task.v1 import task_pb2
from google.rpc import status_pb2
from yard.runtime.bus import Event
from yard.runtime.clock import now
from yard.runtime.ids import uuid7
from yard.task.handlers.repositories import note_status
from yard.task.store import jobs as job_store
from yard.testkit.eventually import eventually

from services.task.tests.filtering import EQUAL, where
from services.task.tests.neighbours import Client, Neighbours, Running

NOT, SYNCING = task_pb2.SYNC_STATUS_NOT_SYNCHRONIZED, task_pb2.SYNC_STATUS_SYNCING
SYNCHRONIZED, MERGED = task_pb2.SYNC_STATUS_SYNCHRONIZED, task_pb2.SYNC_STATUS_MERGED
FAILED = task_pb2.SYNC_STATUS_FAILED
REPOSITORY = task_pb2.DatasetRepository(
    location="git@example.org:a/b.git [x.zip]", use_lfs=True, format="COCO 1.0"
)


def news(task_id: int, status: int, revision: int = 0, **values: Any) -> SyncStatusChanged:
    usual = {"repository": REPOSITORY, "status": status, "revision": revision}
    return SyncStatusChanged(task_id=task_id, **{**usual, **values})


async def hear(running: Running, message: SyncStatusChanged, version: int) -> None:
    """Handles news as the bus does."""
    event = Event(
        id=uuid7(),
        type=message.DESCRIPTOR.full_name,
        source="repo_sync",
        key=str(message.task_id),
        time=now(),
        sequence=version,
        version=version,
        message=message,
    )
    async with running.runtime.db.transaction() as tx:
        await note_status(tx, event)


async def save(running: Running, job_id: int) -> None:
    async with running.runtime.db.transaction() as tx:
        job = await job_store.job_of(tx, job_id, lock=True)
        assert job is not None
        await job_store.record_save(tx, job)


async def test_a_task_shows_what_is_told_of_its_repository(ann: Client, neighbours: Neighbours) -> None:
    task, _ = await neighbours.ready_task(ann)
    fault = status_pb2.Status(code=7, message="the token is refused")
    await neighbours.facts.publish(news(task.id, FAILED, error=fault), task.id, "repo_sync")

    async def shown() -> task_pb2.Task:
        found = await ann.task(task.id)
        assert found.sync_status == FAILED
        return found

    found = await eventually(shown)
    assert (found.repository, found.sync_message) == (REPOSITORY, "the token is refused")
    await neighbours.facts.publish(news(task.id, SYNCHRONIZED), task.id, "repo_sync")
    await eventually(lambda: _has(ann, task.id, SYNCHRONIZED, ""))
    gone = SyncStatusChanged(task_id=task.id)
    await neighbours.facts.publish(gone, task.id, "repo_sync")
    await eventually(lambda: _has(ann, task.id, 0, ""))
    assert not (await ann.task(task.id)).HasField("repository")


async def _has(client: Client, task_id: int, status: int, message: str) -> bool:
    found = await client.task(task_id)
    return (found.sync_status, found.sync_message) == (status, message)


async def test_the_newest_news_win(running: Running, ann: Client, neighbours: Neighbours) -> None:
    task, _ = await neighbours.ready_task(ann)
    await hear(running, news(task.id, MERGED), 5)
    await hear(running, news(task.id, SYNCING), 4)
    await hear(running, news(task.id, FAILED), 5)
    assert (await ann.task(task.id)).sync_status == MERGED
    await hear(running, news(task.id, SYNCING), 6)
    assert (await ann.task(task.id)).sync_status == SYNCING


@pytest.mark.parametrize("status", [SYNCHRONIZED, MERGED])
async def test_what_is_synchronized_up_to_an_older_revision_is_not(
    running: Running, ann: Client, neighbours: Neighbours, status: int
) -> None:
    task, [job] = await neighbours.ready_task(ann)
    await save(running, job.id)
    await hear(running, news(task.id, status, 0), 1)
    assert (await ann.task(task.id)).sync_status == NOT
    await hear(running, news(task.id, status, 1), 2)
    assert (await ann.task(task.id)).sync_status == status
    await save(running, job.id)
    assert (await ann.task(task.id)).sync_status == NOT


async def test_a_save_that_ends_while_news_wait_for_it_is_newer_than_they(
    running: Running, ann: Client, neighbours: Neighbours
) -> None:
    task, [job] = await neighbours.ready_task(ann)
    await hear(running, news(task.id, SYNCHRONIZED, 0), 1)
    db = running.runtime.db
    async with db.transaction() as tx:
        stored = await job_store.job_of(tx, job.id, lock=True)
        assert stored is not None
        await job_store.record_save(tx, stored)
        hearing = asyncio.ensure_future(hear(running, news(task.id, SYNCHRONIZED, 0), 2))
        await eventually(lambda: _is_waiting(db))
    await hearing
    assert (await ann.task(task.id)).sync_status == NOT


async def _is_waiting(db: Any) -> bool:
    found = await db.fetchval(
        """
        SELECT count(*)
        FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'
        """
    )
    return bool(found)


@pytest.mark.parametrize("status", [SYNCING, FAILED])
async def test_saves_leave_a_running_and_a_failed_push_as_they_are(
    running: Running, ann: Client, neighbours: Neighbours, status: int
) -> None:
    task, [job] = await neighbours.ready_task(ann)
    await hear(running, news(task.id, status), 1)
    await save(running, job.id)
    assert (await ann.task(task.id)).sync_status == status


async def test_tasks_are_found_by_their_status(running: Running, ann: Client) -> None:
    statuses = (NOT, SYNCING, SYNCHRONIZED, MERGED, FAILED)
    for status in statuses:
        task = await ann.new_task(f"task {status}")
        await hear(running, news(task.id, status), 1)
    for status in statuses:
        name = task_pb2.SyncStatus.Name(status).removeprefix("SYNC_STATUS_").lower()
        assert await ann.list_tasks(sync_status=status) == [f"task {status}"]
        condition: Filter = where("sync_status", EQUAL, name)
        assert await ann.list_tasks(filter=condition) == [f"task {status}"]
