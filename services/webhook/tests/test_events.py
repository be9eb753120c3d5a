"""What events become, in the words of CVAT."""

from __future__ import annotations

from typing import Any

import pytest
from frameyard.annotation.v1.annotation_events_pb2 import AnnotationsChanged
from frameyard.identity.v1.identity_events_pb2 import UserCreated, UserUpdated
from frameyard.identity.v1.user_pb2 import User
from frameyard.task.v1.issue_events_pb2 import CommentChange, IssueCreated, IssueDeleted, IssueUpdated
from frameyard.task.v1.issue_pb2 import Comment, Issue
from frameyard.task.v1.job_pb2 import (
    JOB_STAGE_VALIDATION,
    JOB_STATE_IN_PROGRESS,
    JOB_STATUS_ANNOTATION,
    JOB_STATUS_COMPLETED,
    JOB_STATUS_VALIDATION,
)
from frameyard.task.v1.task_events_pb2 import (
    JobUpdated,
    ProjectDeleted,
    ProjectProgressed,
    ProjectUpdated,
    TaskCreated,
    TaskDeleted,
    TaskMoved,
    TaskProgressed,
    TaskPurged,
    TaskReady,
    TaskUndeleted,
    TaskUpdated,
)
from frameyard.task.v1.task_pb2 import Task
from google.protobuf.message import Message
from yard.runtime import app, clock, ids
from yard.runtime.bus import Event
from yard.testkit.eventually import eventually
from yard.testkit.facts import Facts
from yard.webhook.domain import Fact
from yard.webhook.handlers.events import hand_out
from yard.webhook.settings import Settings

from services.webhook.tests.conftest import Watch
from services.webhook.tests.neighbours import (
    ANN,
    BEN,
    OTHER_PROJECT,
    PROJECT,
    TASK,
    Client,
    Neighbours,
    job,
    ref,
)
from services.webhook.tests.receiver import Receiver

SENDER = {"id": ANN.user_id, "username": "ann"}


class Scene:
    """A webhook that has chosen everything, and what came to it."""

    def __init__(self, told: Facts, receiver: Receiver) -> None:
        self.told = told
        self.receiver = receiver

    async def tell(self, *events: Message, key: int = TASK) -> None:
        for event in events:
            await self.told.publish(event, key, "task")

    async def came(self, *names: str) -> list[dict[str, Any]]:
        """The bodies so far, once there are as many as `names`; they come in any order."""
        await eventually(lambda: len(self.receiver.got) >= len(names))
        bodies = sorted((got.json for got in self.receiver.got), key=lambda body: str(body["event"]))
        assert [body["event"] for body in bodies] == sorted(names)
        self.receiver.got.clear()
        return bodies


@pytest.fixture
async def scene(ann: Client, told: Facts, receiver: Receiver) -> Scene:
    await ann.create(receiver.url)
    return Scene(told, receiver)


async def test_a_task_is_made_changed_and_deleted(scene: Scene, neighbours: Neighbours) -> None:
    neighbours.tasks[20] = Task(
        id=20, name="new", project_id=PROJECT, owner=ref(ANN), status=JOB_STATUS_ANNOTATION, size=7
    )
    created = TaskCreated(task_id=20, name="new", project_id=PROJECT, owner_id=ANN.user_id)
    await scene.tell(created, key=20)
    [body] = await scene.came("create:task")
    assert (body["task"]["name"], body["task"]["project_id"], body["task"]["size"]) == ("new", PROJECT, 7)
    assert body["task"]["owner"] == SENDER
    assert body["sender"] == SENDER
    assert "before_update" not in body

    changed = TaskUpdated(task_id=20, changed_fields=["issue_tracker"], user_id=BEN.user_id)
    await scene.tell(changed, key=20)
    [body] = await scene.came("update:task")
    assert (body["before_update"], body["changed_fields"]) == ({}, ["bug_tracker"])
    assert body["sender"] == {"id": BEN.user_id, "username": ""}

    del neighbours.tasks[20]
    await scene.tell(TaskDeleted(task_id=20, user_id=ANN.user_id), key=20)
    [body] = await scene.came("delete:task")
    assert body["task"] == {"id": 20, "project_id": PROJECT}


async def test_tasks_that_are_older_than_the_webhook_are_known(scene: Scene) -> None:
    await scene.tell(TaskReady(task_id=TASK, size=10, jobs=[job()]))
    [body] = await scene.came("update:task")
    assert (body["task"]["id"], body["before_update"]) == (TASK, {"size": 0})


async def test_a_task_without_a_project_or_of_another_one_is_no_news(scene: Scene) -> None:
    await scene.tell(TaskCreated(task_id=30, name="alone", owner_id=ANN.user_id), key=30)
    await scene.tell(TaskCreated(task_id=31, project_id=OTHER_PROJECT, owner_id=ANN.user_id), key=31)
    await scene.tell(TaskUpdated(task_id=99, changed_fields=["name"]), key=99)
    await scene.tell(TaskUpdated(task_id=TASK, changed_fields=["name"]))
    [body] = await scene.came("update:task")
    assert body["task"]["id"] == TASK


async def test_both_projects_are_told_of_a_move(
    scene: Scene, ann: Client, running: app.Running[Settings]
) -> None:
    other = await ann.create(scene.receiver.url, project_id=OTHER_PROJECT)
    moved = TaskMoved(task_id=TASK, from_project_id=PROJECT, to_project_id=OTHER_PROJECT, user_id=ANN.user_id)
    again = TaskUpdated(task_id=TASK, changed_fields=["project_id", "labels"])
    await scene.tell(moved, again, TaskUpdated(task_id=TASK, changed_fields=["name"]))
    bodies = await scene.came("update:task", "update:task", "update:task")
    of_move = [body for body in bodies if body["changed_fields"] == ["project_id", "labels"]]
    assert len({body["webhook_id"] for body in of_move}) == len(of_move) == 2
    assert [body["before_update"] for body in of_move] == [{"project_id": PROJECT}] * 2
    [later] = [body for body in bodies if body["changed_fields"] == ["name"]]
    assert later["webhook_id"] == other.id


async def test_a_change_of_status_is_told_with_the_old_one(scene: Scene) -> None:
    await scene.tell(
        TaskProgressed(task_id=TASK, status=JOB_STATUS_ANNOTATION),
        TaskProgressed(task_id=TASK, status=JOB_STATUS_VALIDATION),
    )
    [body] = await scene.came("update:task")
    assert body["before_update"] == {"status": "annotation"}
    assert body["sender"] is None
    for status in (JOB_STATUS_VALIDATION, JOB_STATUS_VALIDATION, JOB_STATUS_COMPLETED):
        await scene.tell(ProjectProgressed(project_id=PROJECT, status=status), key=PROJECT)
    [body] = await scene.came("update:project")
    assert body["before_update"] == {"status": "validation"}
    assert body["project"]["name"] == "streets"


async def test_a_job_is_told_as_it_was_with_what_it_was_before(scene: Scene) -> None:
    await scene.tell(TaskReady(task_id=TASK, jobs=[job()]))
    await scene.came("update:task")
    changed = job(state=JOB_STATE_IN_PROGRESS, assignee=ref(BEN))
    await scene.tell(
        JobUpdated(job=changed, changed_fields=["state", "assignee"], user_id=ANN.user_id),
        JobUpdated(
            job=job(state=JOB_STATE_IN_PROGRESS, stage=JOB_STAGE_VALIDATION, status=JOB_STATUS_VALIDATION),
            changed_fields=["stage", "assignee"],
        ),
    )
    first, second = sorted(
        await scene.came("update:job", "update:job"), key=lambda body: str(body["job"]["stage"])
    )
    assert first["before_update"] == {"state": "new", "assignee": None}
    assert (first["job"]["state"], first["job"]["assignee"]["username"]) == ("in progress", "ben")
    assert (first["job"]["start_frame"], first["job"]["stop_frame"], first["job"]["frame_count"]) == (
        0,
        9,
        10,
    )
    assert first["sender"]["id"] == ANN.user_id
    assert second["before_update"] == {
        "stage": "annotation",
        "status": "annotation",
        "assignee": {"id": BEN.user_id, "username": "ben"},
    }


async def test_saved_annotations_are_a_change_of_the_job(scene: Scene, neighbours: Neighbours) -> None:
    saved = AnnotationsChanged(task_id=TASK, job_id=40, revision=2, user_id=ANN.user_id, created=3)
    await scene.tell(saved)
    [body] = await scene.came("update:job")
    assert (body["job"]["id"], body["job"]["stage"]) == (40, "annotation")
    assert (body["before_update"], body["changed_fields"]) == ({}, ["annotations"])


async def test_a_project_is_changed_and_deleted(scene: Scene) -> None:
    changed = ProjectUpdated(project_id=PROJECT, changed_fields=["name"], user_id=ANN.user_id)
    await scene.tell(changed, key=PROJECT)
    [body] = await scene.came("update:project")
    assert (body["project"]["name"], body["sender"]) == ("streets", SENDER)
    await scene.tell(ProjectDeleted(project_id=PROJECT, user_id=ANN.user_id), key=PROJECT)
    [body] = await scene.came("delete:project")
    assert body["project"] == {"id": PROJECT}


async def test_issues_and_comments_are_told_as_they_were(scene: Scene) -> None:
    said = Comment(id=70, issue_id=60, owner=ref(ANN), message="too wide")
    issue = Issue(id=60, job_id=40, task_id=TASK, frame=3, position=[1, 2], owner=ref(ANN), comments=[said])
    await scene.tell(IssueCreated(issue=issue))
    comment, opened = await scene.came("create:comment", "create:issue")
    assert comment["comment"]["message"] == "too wide"
    assert (opened["issue"]["job"], opened["issue"]["frame"], opened["issue"]["position"]) == (40, 3, [1, 2])
    assert opened["sender"] == SENDER

    solved = Issue(id=60, job_id=40, task_id=TASK, resolved=True)
    await scene.tell(IssueUpdated(issue=solved, changed_fields=["resolved"], user_id=ANN.user_id))
    [body] = await scene.came("update:issue")
    assert (body["before_update"], body["issue"]["resolved"]) == ({"resolved": False}, True)

    answer = Comment(id=71, issue_id=60, owner=ref(BEN), message="no")
    for change, name in (
        (CommentChange.COMMENT_CHANGE_CREATED, "create:comment"),
        (CommentChange.COMMENT_CHANGE_UPDATED, "update:comment"),
        (CommentChange.COMMENT_CHANGE_DELETED, "delete:comment"),
    ):
        event = IssueUpdated(issue=solved, changed_fields=["comments"], comment=answer, comment_change=change)
        await scene.tell(event)
        [body] = await scene.came(name)
        assert (body["comment"]["id"], body["comment"]["message"]) == (71, "no")

    await scene.tell(IssueDeleted(issue_id=60, job_id=40, task_id=TASK, user_id=ANN.user_id))
    [body] = await scene.came("delete:issue")
    assert body["issue"] == {"id": 60, "job": 40, "task_id": TASK}


async def test_names_of_people_are_those_of_identity(scene: Scene) -> None:
    await scene.told.publish(UserCreated(user=User(id=BEN.user_id, username="ben")), BEN.user_id, "identity")
    await scene.told.publish(UserUpdated(user=User(id=BEN.user_id, username="Ben")), BEN.user_id, "identity")
    await scene.tell(TaskUpdated(task_id=TASK, changed_fields=["name"], user_id=BEN.user_id))
    [body] = await scene.came("update:task")
    assert body["sender"]["username"] == "Ben"


async def test_a_task_that_comes_back_is_a_new_one(
    scene: Scene, neighbours: Neighbours, running: app.Running[Settings]
) -> None:
    await scene.tell(TaskUndeleted(task_id=TASK))
    [body] = await scene.came("create:task")
    assert body["task"]["id"] == TASK
    neighbours.tasks[50] = Task(id=50, project_id=PROJECT, status=JOB_STATUS_ANNOTATION)
    await scene.tell(TaskUndeleted(task_id=50), key=50)

    async def is_learnt() -> bool:
        return bool(await running.runtime.db.fetchval("SELECT true FROM task_place WHERE task_id = 50"))

    await eventually(is_learnt)
    await scene.tell(TaskUpdated(task_id=50, changed_fields=["name"]), key=50)
    [body] = await scene.came("update:task")
    assert body["task"]["id"] == 50


async def test_what_was_known_of_a_purged_task_goes(scene: Scene, running: app.Running[Settings]) -> None:
    await scene.tell(TaskReady(task_id=TASK, jobs=[job()]), TaskPurged(task_id=TASK))
    await scene.came("update:task")

    async def is_gone() -> bool:
        count = "SELECT (SELECT count(*) FROM task_place) + (SELECT count(*) FROM last_seen)"
        return bool(await running.runtime.db.fetchval(count) == 0)

    await eventually(is_gone)


async def test_events_that_are_older_than_the_webhook_are_no_news(
    scene: Scene, watch: Watch, running: app.Running[Settings]
) -> None:
    await running.runtime.db.execute("UPDATE hook SET created_at = created_at + interval '2 minutes'")
    await scene.tell(TaskUpdated(task_id=TASK, changed_fields=["name"]))
    watch.pass_(minutes=2)
    await scene.tell(TaskUpdated(task_id=TASK, changed_fields=["subset"]))
    [body] = await scene.came("update:task")
    assert body["changed_fields"] == ["subset"]


async def test_an_event_that_comes_twice_is_handed_out_once(
    ann: Client, running: app.Running[Settings]
) -> None:
    hook = await ann.create("https://example.org/", is_active=False)
    fact = Fact(kind="task", id=TASK)
    event = Event(
        id=ids.uuid7(),
        type="",
        source="task",
        key=str(TASK),
        time=clock.now(),
        sequence=1,
        version=1,
        message=TaskUpdated(),
    )
    async with running.runtime.db.transaction() as tx:
        await tx.execute("UPDATE hook SET is_active = true")
        for _ in range(2):
            await hand_out(tx, event, "update:task", fact, [PROJECT, PROJECT])
        await tx.execute("UPDATE hook SET is_active = false")
    assert len(await ann.deliveries(hook.id)) == 1
