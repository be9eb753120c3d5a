"""Pushes that are made by themselves, and what makes a task not synchronized."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from frameyard.annotation.v1.annotation_events_pb2 import AnnotationsChanged, DeletedFramesChanged
from frameyard.identity.v1.identity_events_pb2 import UserDeactivated, UserUpdated
from frameyard.identity.v1.user_pb2 import ROLE_ADMIN, User
from frameyard.sync.v1.repository_pb2 import AutomaticPush
from frameyard.task.v1.task_events_pb2 import (
    ProjectUpdated,
    TaskDeleted,
    TaskMoved,
    TaskReady,
    TaskUndeleted,
    TaskUpdated,
)
from google.protobuf.duration_pb2 import Duration
from yard.repo_sync.handlers.automatic import purge
from yard.repo_sync.handlers.context import Syncing
from yard.repo_sync.settings import Settings
from yard.runtime import app, errors
from yard.runtime.db import Database
from yard.testkit.eventually import eventually
from yard.testkit.facts import Facts

from services.repo_sync.tests.peers import remotes
from services.repo_sync.tests.peers.web import TOKEN, USER, GitWeb
from services.repo_sync.tests.service.callers import FAILED, NOT, SYNCHRONIZED, Client, Connect
from services.repo_sync.tests.service.heard import Heard
from services.repo_sync.tests.service.neighbours import ANN, BEN, PROJECT, TASK, Neighbours, ref

SOON = AutomaticPush(quiet=Duration(nanos=300_000_000), period=Duration(nanos=300_000_000))
LATE = AutomaticPush(quiet=Duration(nanos=300_000_000), period=Duration(seconds=3600))
CALM = AutomaticPush(quiet=Duration(seconds=3600), period=Duration(seconds=3600))


@pytest.fixture
async def url(web: GitWeb) -> str:
    remotes.made(web.repository("a.git"))
    return web.url("a.git", "localhost")


def annotated(revision: int, **counts: int) -> AnnotationsChanged:
    return AnnotationsChanged(task_id=TASK, job_id=1, task_revision=revision, **counts)


async def pushed(ann: Client, url: str, **values: Any) -> None:
    """A task that is synchronized at revision 0."""
    await ann.connect(url, **values)
    await ann.set_token(TOKEN, USER)
    await ann.pushed()


async def test_what_has_settled_is_pushed_in_the_name_of_who_wanted_it(
    ann: Client, url: str, neighbours: Neighbours, told: Facts
) -> None:
    await pushed(ann, url, automatic=CALM)
    assert not (await ann.get()).HasField("due_time")
    assert not (await ann.update(automatic=SOON)).HasField("due_time")
    neighbours.content, neighbours.revision = "<a>1</a>", 1
    await told.publish(annotated(1, created=2), TASK, "task")

    async def there() -> bool:
        return (await ann.get()).pushed_revision == 1

    await eventually(there, timeout_s=30)
    found = await ann.becomes(SYNCHRONIZED)
    assert not found.HasField("due_time")
    push = (await ann.pushes()).pushes[0]
    assert (push.is_automatic, push.author.username, push.changes.created) == (True, "ann", 2)


async def test_two_of_them_are_a_period_apart(ann: Client, url: str, told: Facts) -> None:
    await pushed(ann, url, automatic=LATE)
    await told.publish(annotated(1, created=1), TASK, "task")
    found = await ann.becomes(NOT)
    apart = found.due_time.ToDatetime() - found.push_time.ToDatetime()
    assert timedelta(seconds=3599) < apart < timedelta(seconds=3601)


async def test_each_change_begins_the_quiet_time_anew(ann: Client, url: str, told: Facts) -> None:
    await ann.connect(url, automatic=CALM)
    before = await ann.get()
    await told.publish(annotated(1, created=1), TASK, "task")

    async def has_heard() -> Any:
        found = await ann.get()
        assert found.waiting.created == 1
        return found

    found = await eventually(has_heard)
    assert found.due_time.ToDatetime() > before.due_time.ToDatetime()


async def test_who_may_not_push_any_more_ends_it(
    ann: Client, connect: Connect, url: str, neighbours: Neighbours, told: Facts
) -> None:
    await pushed(ann, url, automatic=SOON)
    for task in neighbours.tasks.values():
        task.owner.CopyFrom(ref(BEN))
    await told.publish(annotated(1, created=1), TASK, "task")
    ben = connect(BEN)
    found = await ben.becomes(FAILED)
    assert errors.from_status(found.error).reason == "AUTHOR_MAY_NOT_PUSH"
    assert not (found.HasField("automatic"))
    assert not (found.HasField("due_time"))


async def test_administrators_may_until_they_are_none(
    ann: Client, connect: Connect, url: str, neighbours: Neighbours, told: Facts
) -> None:
    user = User(id=ANN.user_id, username="ann", first_name="Ann", role=ROLE_ADMIN, is_active=True)
    await told.publish(UserUpdated(user=user), ANN.user_id, "identity")
    await pushed(ann, url, automatic=SOON)
    for task in neighbours.tasks.values():
        task.owner.CopyFrom(ref(BEN))
    ben = connect(BEN)
    neighbours.revision = 1
    await told.publish(annotated(1, created=1), TASK, "task")

    async def is_pushed() -> bool:
        return (await ben.get()).pushed_revision == 1

    await eventually(is_pushed, timeout_s=30)
    await told.publish(UserDeactivated(user_id=ANN.user_id), ANN.user_id, "identity")
    await told.publish(annotated(2, created=1), TASK, "task")
    await ben.becomes(FAILED)


async def test_a_deleted_task_waits_until_it_is_back(
    ann: Client, url: str, told: Facts, neighbours: Neighbours, database: Database
) -> None:
    await pushed(ann, url, automatic=SOON)
    await told.publish(TaskDeleted(task_id=TASK), TASK, "task")
    await eventually(lambda: _is_deleted(database))
    await told.publish(annotated(1, created=1), TASK, "task")
    found = await ann.becomes(NOT)
    assert (found.operation, found.HasField("due_time")) == ("", False)
    neighbours.revision = 1
    await told.publish(TaskUndeleted(task_id=TASK), TASK, "task")
    await ann.becomes(SYNCHRONIZED)


async def _is_deleted(database: Database) -> bool:
    return bool(await database.fetchval("SELECT is_task_deleted FROM repository"))


async def test_a_deleted_task_ends_its_push(
    ann: Client, url: str, told: Facts, neighbours: Neighbours, web: GitWeb
) -> None:
    await ann.connect(url)
    await ann.set_token(TOKEN, USER)
    neighbours.gate.clear()
    await ann.push()
    await eventually(lambda: neighbours.results)
    await told.publish(TaskDeleted(task_id=TASK), TASK, "task")
    found = await ann.becomes(NOT)
    assert found.operation == ""
    neighbours.gate.set()
    assert remotes.tip_of(web.repository("a.git"), "main") == ""


@pytest.mark.parametrize(
    ("event", "key"),
    [
        (annotated(1, updated=1), TASK),
        (DeletedFramesChanged(task_id=TASK, deleted=3), TASK),
        (TaskReady(task_id=TASK, size=9), TASK),
        (TaskUpdated(task_id=TASK, changed_fields=["labels"]), TASK),
        (TaskUpdated(task_id=TASK, changed_fields=["subset", "assignee"]), TASK),
        (ProjectUpdated(project_id=PROJECT, changed_fields=["labels"]), PROJECT),
    ],
)
async def test_what_changes_the_file_makes_the_task_not_synchronized(
    ann: Client, url: str, told: Facts, heard: Heard, event: Any, key: int
) -> None:
    await pushed(ann, url)
    await told.publish(event, key, "task")
    await ann.becomes(NOT)
    await eventually(lambda: heard.statuses[-1] == NOT)
    await ann.pushed()
    found = await ann.get()
    # The export of this test does not know of the revision that was told.
    assert found.status == (NOT if isinstance(event, AnnotationsChanged) else SYNCHRONIZED)


async def test_what_does_not_change_the_file_changes_nothing(
    ann: Client, url: str, told: Facts, neighbours: Neighbours
) -> None:
    neighbours.tasks[TASK].revision = neighbours.revision = 4
    await pushed(ann, url)
    await told.publish(annotated(3, created=7), TASK, "task")
    await told.publish(TaskUpdated(task_id=TASK, changed_fields=["assignee"]), TASK, "task")
    await told.publish(ProjectUpdated(project_id=PROJECT, changed_fields=["name"]), PROJECT, "task")
    await told.publish(ProjectUpdated(project_id=77, changed_fields=["labels"]), 77, "task")
    await told.publish(TaskMoved(task_id=TASK, from_project_id=PROJECT, to_project_id=77), TASK, "task")
    await told.publish(annotated(5, deleted=1), TASK, "task")

    async def has_heard_all() -> Any:
        found = await ann.get()
        assert found.waiting.deleted == 1
        return found

    found = await eventually(has_heard_all)
    assert (found.status, found.waiting.created) == (NOT, 0)


async def test_a_host_that_stays_down_is_told_and_tried_again(
    ann: Client, web: GitWeb, url: str, running: app.Running[Settings], told: Facts, neighbours: Neighbours
) -> None:
    await pushed(ann, url, automatic=SOON)
    neighbours.is_away = True
    object.__setattr__(running.runtime.settings, "push_give_up_s", 0.001)
    await told.publish(annotated(1, created=1), TASK, "task")

    async def has_failed() -> bool:
        rows = await running.runtime.db.fetch("SELECT status, due_at FROM repository")
        return rows[0]["status"] == FAILED and rows[0]["due_at"] is not None

    await eventually(has_failed, timeout_s=30)
    neighbours.is_away, neighbours.revision = False, 1
    await ann.becomes(SYNCHRONIZED)


async def test_old_pushes_are_forgotten(ann: Client, url: str, running: app.Running[Settings]) -> None:
    await pushed(ann, url)
    syncing = Syncing.of(running.runtime)
    assert await purge(syncing, timedelta(days=1)) == 0
    assert await purge(syncing, timedelta(days=-1)) == 1
    assert list((await ann.pushes()).pushes) == []
    await syncing.close()
