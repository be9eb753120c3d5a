"""Pushes, from the question to the commit and the news of it."""

from __future__ import annotations

import uuid

import pytest
from frameyard.annotation.v1.annotation_events_pb2 import AnnotationsChanged
from frameyard.operation.v1 import operation_pb2
from frameyard.sync.v1.repository_service_pb2 import CheckResult
from frameyard.task.v1.task_pb2 import TASK_MODE_INTERPOLATION
from yard.runtime import errors
from yard.testkit.eventually import eventually
from yard.testkit.facts import Facts

from services.repo_sync.tests.peers import remotes
from services.repo_sync.tests.peers.web import TOKEN, USER, GitWeb
from services.repo_sync.tests.service.callers import (
    FAILED,
    MERGED,
    NOT,
    SYNCHRONIZED,
    SYNCING,
    Client,
    Connect,
)
from services.repo_sync.tests.service.heard import Heard
from services.repo_sync.tests.service.neighbours import BEN, TASK, Neighbours, archive

PATH = "annotation/street_12.zip"


@pytest.fixture
async def url(web: GitWeb) -> str:
    remotes.made(web.repository("a.git"))
    return web.url("a.git", "localhost")


async def saved(
    told: Facts, neighbours: Neighbours, content: str, revision: int | None = None, **counts: int
) -> None:
    """Annotations are saved: what is exported from now on is another document."""
    neighbours.content, neighbours.revision = content, revision or neighbours.revision + 1
    event = AnnotationsChanged(task_id=TASK, job_id=1, task_revision=neighbours.revision, **counts)
    await told.publish(event, TASK, "task")


async def test_a_push_commits_what_the_export_wrote(
    web: GitWeb, url: str, ann: Client, neighbours: Neighbours, told: Facts, heard: Heard
) -> None:
    remote = web.repository("a.git")
    made = await ann.connect(url)
    assert (made.status, made.path, made.url) == (NOT, PATH, url)
    await ann.set_token(TOKEN, USER)
    await saved(told, neighbours, "<annotations>1</annotations>", created=3, updated=2)
    await eventually(lambda: _waiting(ann, 3))
    operation = await ann.push()
    assert (operation.kind, operation.target, operation.owner) == ("push", f"tasks/{TASK}", "1")
    done = await ann.ended(operation)
    assert done.state == operation_pb2.OPERATION_STATE_SUCCEEDED, done
    assert remotes.read(remote, "main", PATH) == archive(neighbours.content)
    assert remotes.log(remote, "main") == [
        "ann <ann@users.noreply.frameyard.invalid> Update annotations of street 12"
    ]
    body = remotes.git(remote, "log", "-1", "--format=%b", "main").decode().strip()
    assert body.splitlines() == [
        "Task: https://yard.example/tasks/12",
        "Objects-added: 3",
        "Objects-changed: 2",
        "Objects-removed: 0",
        "Format: CVAT for images 1.1",
        "Revision: 1",
    ]
    found = await ann.get()
    assert (found.status, found.pushed_revision, found.pushed_branch) == (SYNCHRONIZED, 1, "main")
    assert found.pushed_commit == remotes.tip_of(remote, "main")
    assert (found.operation, found.waiting.created) == ("", 0)
    await eventually(lambda: heard.statuses == [NOT, SYNCING, SYNCHRONIZED])
    (event,) = heard.pushed
    assert (event.task_id, event.revision, event.commit) == (TASK, 1, found.pushed_commit)
    assert (event.changes.created, event.changes.updated, event.user_id) == (3, 2, 1)
    assert heard.changed[-1].revision == 1
    assert heard.changed[-1].operation == operation.name
    (push,) = (await ann.pushes()).pushes
    assert (push.operation, push.author.username, push.changes.created) == (operation.name, "ann", 3)


async def test_what_is_told_while_it_is_exported_is_counted(
    web: GitWeb, url: str, ann: Client, neighbours: Neighbours, told: Facts
) -> None:
    neighbours.tasks[TASK].issue_tracker = "https://bugs.example/7"
    await ann.connect(url)
    await ann.set_token(TOKEN, USER)
    neighbours.revision = 1
    operation = await ann.push()
    await eventually(lambda: neighbours.results)
    # The export had it already, and is long over.
    await saved(told, neighbours, "<a/>", created=4, revision=1)
    await ann.ended(operation)
    body = remotes.git(web.repository("a.git"), "log", "-1", "--format=%b", "main").decode().splitlines()
    assert body[:2] == ["Task: https://yard.example/tasks/12", "Issue-tracker: https://bugs.example/7"]
    assert body[2] == "Objects-added: 4"
    (push,) = (await ann.pushes()).pushes
    assert (push.revision, push.changes.created) == (1, 4)


async def test_what_was_there_before_a_task_was_tied_is_counted_by_nobody(
    web: GitWeb, url: str, ann: Client, neighbours: Neighbours, told: Facts
) -> None:
    remote = web.repository("a.git")
    neighbours.tasks[TASK].revision = neighbours.revision = 5
    neighbours.tasks[TASK].mode = TASK_MODE_INTERPOLATION
    await ann.connect(url)
    await ann.set_token(TOKEN, USER)
    # Saved before the task was tied, and heard of afterwards.
    late = AnnotationsChanged(task_id=TASK, job_id=1, task_revision=5, created=7)
    await told.publish(late, TASK, "task")
    await ann.ended(await ann.push())
    first = remotes.git(remote, "log", "-1", "--format=%b", "main").decode()
    assert "Format: CVAT for video 1.1\nRevision: 5" in first
    assert neighbours.asked[0].format == "CVAT for video 1.1"
    assert "Objects-" not in first
    await saved(told, neighbours, "<annotations>2</annotations>", created=1)
    await eventually(lambda: _waiting(ann, 1))
    await ann.ended(await ann.push())
    assert "Objects-added: 1\n" in remotes.git(remote, "log", "-1", "--format=%b", "main").decode()


async def _waiting(client: Client, created: int) -> bool:
    return (await client.get()).waiting.created == created


async def test_an_unchanged_task_makes_no_commit(web: GitWeb, url: str, ann: Client) -> None:
    await ann.connect(url)
    await ann.set_token(TOKEN, USER)
    first = await ann.pushed()
    again = await ann.pushed()
    assert (again.was_unchanged, again.commit) == (True, first.commit)
    assert len(remotes.log(web.repository("a.git"), "main")) == 1
    assert (await ann.get()).status == SYNCHRONIZED


async def test_what_is_saved_during_a_push_waits_for_the_next(
    url: str, ann: Client, neighbours: Neighbours, told: Facts, heard: Heard
) -> None:
    await ann.connect(url)
    await ann.set_token(TOKEN, USER)
    await saved(told, neighbours, "<a>1</a>", created=1)
    await eventually(lambda: _waiting(ann, 1))
    neighbours.gate.clear()
    operation = await ann.push()
    await eventually(lambda: neighbours.results)
    await saved(told, neighbours, "<a>2</a>", created=10, deleted=1)
    await eventually(lambda: _waiting(ann, 11))
    assert (await ann.get()).status == SYNCING
    neighbours.gate.set()
    await ann.ended(operation)
    found = await ann.get()
    assert (found.status, found.pushed_revision) == (NOT, 1)
    assert (found.waiting.created, found.waiting.deleted) == (10, 1)
    await ann.pushed()
    found = await ann.get()
    assert (found.status, found.pushed_revision, found.waiting.created) == (SYNCHRONIZED, 2, 0)
    pushes = (await ann.pushes()).pushes
    assert [(push.revision, push.changes.created) for push in pushes] == [(2, 10), (1, 1)]
    await saved(told, neighbours, "<a>3</a>", updated=1)
    await ann.becomes(NOT)


async def test_one_push_at_a_time_for_all_who_ask(
    url: str, ann: Client, connect: Connect, neighbours: Neighbours
) -> None:
    await ann.connect(url)
    await ann.set_token(TOKEN, USER)
    neighbours.gate.clear()
    ben = connect(BEN)
    first, again = await ann.push(), await ann.push()
    theirs, theirs_again = await ben.push(), await ben.push()
    assert first.name == again.name != theirs.name == theirs_again.name
    assert (await ben.get()).operation == first.name
    await ben.cancel(theirs.name)
    theirs = await ben.push()
    assert theirs.state == operation_pb2.OPERATION_STATE_RUNNING
    same = await ann.update(location=url, branch="", format="", use_lfs=False)
    assert (same.status, same.operation) == (SYNCING, first.name)
    neighbours.gate.set()
    results = {(await ann.ended(first)).result.value, (await ben.ended(theirs)).result.value}
    assert len(results) == 1
    assert len((await ann.pushes()).pushes) == 1
    assert len(neighbours.results) == 1


async def test_a_repeat_with_the_same_request_id_is_the_same_push(url: str, ann: Client) -> None:
    await ann.connect(url)
    await ann.set_token(TOKEN, USER)
    id_ = str(uuid.uuid1())
    first = await ann.push(request_id=id_)
    await ann.ended(first)
    assert (await ann.push(request_id=id_)).name == first.name


async def test_a_failure_says_what_to_do_and_lasts_until_something_is_changed(
    url: str, ann: Client, neighbours: Neighbours, told: Facts, heard: Heard
) -> None:
    await ann.connect(url)
    await ann.set_token("not-the-token", USER)
    done = await ann.ended(await ann.push())
    assert done.state == operation_pb2.OPERATION_STATE_FAILED
    fault = errors.from_status(done.error)
    assert fault.reason == "GIT_AUTHENTICATION"
    assert "not-the-token" not in fault.message
    found = await ann.get()
    assert (found.status, found.error.message) == (FAILED, fault.message)
    await eventually(lambda: heard.statuses == [NOT, SYNCING, FAILED])
    assert heard.changed[-1].error.message == fault.message
    await saved(told, neighbours, "<a/>", created=1)
    await eventually(lambda: _waiting(ann, 1))
    assert (await ann.get()).status == FAILED
    assert (await ann.set_token(TOKEN, USER)).status == NOT
    await ann.pushed()
    found = await ann.get()
    assert (found.status, found.HasField("error")) == (SYNCHRONIZED, False)
    (_, failed) = (await ann.pushes()).pushes
    assert failed.error.message == fault.message


async def test_an_export_that_fails_is_a_push_that_fails(
    url: str, ann: Client, neighbours: Neighbours
) -> None:
    await ann.connect(url)
    neighbours.failure = errors.to_status(errors.FailedPrecondition("no frames", reason="NO_FRAMES"))
    done = await ann.ended(await ann.push())
    assert errors.from_status(done.error).reason == "NO_FRAMES"
    assert (await ann.get()).error.message == "no frames"


async def test_a_cancelled_push_leaves_everything_as_it_was(
    web: GitWeb, url: str, ann: Client, connect: Connect, neighbours: Neighbours, heard: Heard
) -> None:
    await ann.connect(url)
    await ann.set_token(TOKEN, USER)
    neighbours.gate.clear()
    operation = await ann.push()
    theirs = await connect(BEN).push()
    await eventually(lambda: neighbours.results)
    await ann.cancel(operation.name)
    found = await ann.becomes(NOT)
    assert found.operation == ""
    for name, client in ((operation.name, ann), (theirs.name, connect(BEN))):
        assert (await client.state(name)).state == operation_pb2.OPERATION_STATE_CANCELLED
    neighbours.gate.set()
    assert remotes.tip_of(web.repository("a.git"), "main") == ""
    await ann.pushed()
    assert (await ann.get()).status == SYNCHRONIZED


async def test_another_place_ends_the_push_and_knows_nothing_of_the_one_before(
    web: GitWeb, url: str, ann: Client, neighbours: Neighbours, told: Facts
) -> None:
    await ann.connect(url)
    await ann.set_token(TOKEN, USER)
    await saved(told, neighbours, "<annotations/>", created=3)
    await ann.pushed()
    neighbours.gate.clear()
    operation = await ann.push()
    await eventually(lambda: len(neighbours.results) == 2)
    found = await ann.update(location=f"{url} [/b/../deep/x.xml]")
    assert (found.status, found.path, found.operation) == (NOT, "deep/x.xml", "")
    assert found.pushed_commit == ""
    neighbours.gate.set()
    await ann.ended(operation)
    assert (await ann.get()).status == NOT
    await ann.pushed()
    assert remotes.read(web.repository("a.git"), "main", "deep/x.xml") == b"<annotations/>"
    body = remotes.git(web.repository("a.git"), "log", "-1", "--format=%b", "main").decode()
    assert ("Revision: 1" in body, "Objects-" in body) == (True, False)
    assert (await ann.get()).status == SYNCHRONIZED


async def test_disconnecting_ends_the_push_and_forgets_the_credential(
    web: GitWeb, url: str, ann: Client, neighbours: Neighbours, heard: Heard
) -> None:
    await ann.connect(url)
    await ann.set_token(TOKEN, USER)
    neighbours.gate.clear()
    operation = await ann.push()
    await eventually(lambda: neighbours.results)
    await ann.disconnect()
    assert (await ann.ended(operation)).state == operation_pb2.OPERATION_STATE_CANCELLED
    neighbours.gate.set()
    await eventually(lambda: heard.statuses and heard.statuses[-1] == 0)
    assert not heard.changed[-1].HasField("repository")
    made = await ann.connect(url)
    assert not made.HasField("credential")
    assert remotes.tip_of(web.repository("a.git"), "main") == ""


async def test_a_check_finds_out_what_became_of_the_pushed_file(
    web: GitWeb, url: str, ann: Client, neighbours: Neighbours
) -> None:
    remote = web.repository("a.git")
    remotes.commit(remote, "main", {"README": b"hello"})
    await ann.connect(url, branch="frameyard/street")
    await ann.set_token(TOKEN, USER)
    assert await checked(ann) == ("main", False, NOT)
    await ann.pushed()
    assert await checked(ann) == ("main", True, SYNCHRONIZED)
    remotes.git(remote, "update-ref", "refs/heads/main", "refs/heads/frameyard/street")
    assert await checked(ann) == ("main", True, MERGED)
    assert (await ann.get()).status == MERGED
    remotes.commit(remote, "main", {PATH: b"other"})
    assert await checked(ann) == ("main", True, SYNCHRONIZED)
    remotes.git(remote, "update-ref", "-d", "refs/heads/frameyard/street")
    assert await checked(ann) == ("main", False, NOT)


async def checked(client: Client) -> tuple[str, bool, int]:
    done = await client.ended(await client.check())
    result = CheckResult()
    assert done.result.Unpack(result), done
    return result.default_branch, result.has_branch, result.status


async def test_a_check_that_gets_no_answer_says_so_at_once(web: GitWeb, url: str, ann: Client) -> None:
    await ann.connect(web.url("none.git", "localhost"))
    await ann.set_token(TOKEN, USER)
    done = await ann.ended(await ann.check())
    assert errors.from_status(done.error).reason == "GIT_NOT_FOUND"


async def test_pushes_are_listed_page_by_page(url: str, ann: Client) -> None:
    await ann.connect(url)
    await ann.set_token(TOKEN, USER)
    names: list[str] = []
    for _ in range(3):
        operation = await ann.push()
        await ann.ended(operation)
        names.insert(0, operation.name)
    first = await ann.pushes(page_size=2)
    rest = await ann.pushes(page_size=2, page_token=first.next_page_token)
    assert [push.operation for push in (*first.pushes, *rest.pushes)] == names
    assert rest.next_page_token == ""
