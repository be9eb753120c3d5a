"""Tying tasks to repositories: what is valid, who may do it, and what is kept."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from frameyard.common.v1.common_pb2 import PersonRef
from frameyard.sync.v1.repository_pb2 import CREDENTIAL_KIND_KEY, CREDENTIAL_KIND_TOKEN, AutomaticPush
from frameyard.task.v1 import task_pb2
from frameyard.task.v1.task_events_pb2 import TaskCreated, TaskPurged
from google.protobuf.duration_pb2 import Duration
from yard.repo_sync import keys
from yard.runtime.db import Database
from yard.runtime.errors import FailedPrecondition, NotFound
from yard.testkit.eventually import eventually
from yard.testkit.facts import Facts
from yard.testkit.refusals import refused, wrong_fields

from services.repo_sync.tests.service.callers import FAILED, NOT, Client, Connect
from services.repo_sync.tests.service.heard import Heard
from services.repo_sync.tests.service.neighbours import (
    BEN,
    EVE,
    JOE,
    OTHER_TASK,
    PAT,
    ROBOT,
    ROOT,
    TASK,
    Neighbours,
)

HTTPS, SSH = "https://git.example/a/b", "git@git.example:a/b.git"
HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"


async def test_what_is_connected_is_read_by_all_who_see_the_task(ann: Client, connect: Connect) -> None:
    made = await ann.connect(f" {HTTPS} [/x/./y.zip]", format="COCO 1.0", use_lfs=True, branch="data")
    assert (made.url, made.path, made.location) == (HTTPS, "x/y.zip", f"{HTTPS} [/x/./y.zip]")
    assert (made.format, made.use_lfs, made.branch, made.status) == ("COCO 1.0", True, "data", NOT)
    for person in (BEN, PAT, ROOT, ROBOT):
        assert await connect(person).get() == made
    for person in (JOE, EVE):
        assert isinstance(await refused(connect(person).get()), NotFound)


@pytest.mark.parametrize("person", [BEN, JOE, EVE, ROBOT])
async def test_who_does_not_own_the_task_changes_nothing(ann: Client, connect: Connect, person: Any) -> None:
    client = connect(person)
    assert isinstance(await refused(client.connect(HTTPS)), NotFound)
    before = await ann.connect(HTTPS)
    calls = (
        client.update(branch="x"),
        client.disconnect(),
        client.set_token("x"),
        client.set_host_keys(HOST_KEY),
    )
    assert [type(await refused(call)) for call in calls] == [NotFound] * 4
    if person is not BEN:
        assert isinstance(await refused(client.push()), NotFound)
        assert isinstance(await refused(client.check()), NotFound)
    assert await ann.get() == before


@pytest.mark.parametrize("person", [PAT, ROOT])
async def test_the_owner_of_the_project_and_administrators_change_it(connect: Connect, person: Any) -> None:
    client = connect(person)
    await client.connect(HTTPS)
    assert (await client.update(branch="x")).branch == "x"
    await client.disconnect()
    fault = await refused(client.get())
    assert isinstance(fault, NotFound)


async def test_all_faults_come_at_once(ann: Client) -> None:
    short = AutomaticPush(quiet=Duration(nanos=1), period=Duration(seconds=10**8))
    call = ann.connect("http://git.example/a/b", format="PNG", branch="a b", automatic=short)
    assert await wrong_fields(call) == [
        "automatic.period",
        "automatic.quiet",
        "branch",
        "repository.format",
        "repository.location",
    ]
    assert await wrong_fields(ann.connect(f"{HTTPS} [x.xml]", format="COCO 1.0")) == ["repository.location"]
    await ann.connect(f"{HTTPS} [x.xml]")
    assert await wrong_fields(ann.update(format="COCO 1.0")) == ["repository.location"]
    assert await wrong_fields(ann.update(task_id=TASK)) == ["update_mask"]
    assert await wrong_fields(ann.get(0)) == ["task_id"]
    assert await wrong_fields(ann.pushes(page_token="x")) == ["page_token"]


async def test_a_task_has_one_repository(ann: Client) -> None:
    id_ = str(uuid.uuid1())
    first = await ann.connect(HTTPS, request_id=id_)
    assert await ann.connect(HTTPS, request_id=id_) == first
    fault = await refused(ann.connect(HTTPS))
    assert isinstance(fault, FailedPrecondition)
    assert fault.reason == "REPOSITORY_CONNECTED"


async def test_a_task_that_is_made_with_a_repository_is_tied_to_it(
    ann: Client, neighbours: Neighbours, told: Facts, heard: Heard
) -> None:
    given = task_pb2.DatasetRepository(location=f"{SSH} [a.xml]", use_lfs=True)
    await told.publish(TaskCreated(task_id=TASK, name="x", project_id=5, repository=given), TASK, "task")
    made = await ann.becomes_connected()
    assert (made.location, made.use_lfs, made.path, made.status) == (given.location, True, "a.xml", NOT)
    await eventually(lambda: heard.statuses == [NOT])
    assert heard.changed[0].repository == given


async def test_it_is_tied_before_the_event_is_heard_but_not_again_after_it_was_untied(
    ann: Client, neighbours: Neighbours, told: Facts
) -> None:
    given = task_pb2.DatasetRepository(location=HTTPS)
    neighbours.tasks[TASK].repository.CopyFrom(given)
    assert (await ann.get()).url == HTTPS
    await ann.disconnect()
    await told.publish(TaskCreated(task_id=TASK, name="x", repository=given), TASK, "task")
    assert isinstance(await refused(ann.get()), NotFound)
    assert (await ann.connect(f"{HTTPS}2")).url == f"{HTTPS}2"


async def test_a_location_that_is_none_fails_at_the_first_push(ann: Client, neighbours: Neighbours) -> None:
    neighbours.tasks[TASK].repository.location = "ext::sh -c date"
    assert (await ann.get()).status == NOT
    await ann.push()
    found = await ann.becomes(FAILED)
    assert "names no repository" in found.error.message
    fixed = await ann.update(location=HTTPS)
    assert (fixed.status, fixed.url, fixed.HasField("error")) == (NOT, HTTPS, False)


async def test_tokens_are_kept_sealed_and_never_shown(ann: Client, database: Database) -> None:
    await ann.connect(HTTPS)
    shown = (await ann.set_token("very-secret", "bot")).credential
    assert (shown.kind, shown.username) == (CREDENTIAL_KIND_TOKEN, "bot")
    assert "very-secret" not in str(await ann.get())
    rows = await database.fetch("SELECT repository::text AS text FROM repository")
    assert b"very-secret".hex() not in rows[0]["text"]
    assert not (await ann.set_credential()).HasField("credential")
    assert await wrong_fields(ann.set_credential(generate_key=True)) == ["generate_key"]
    assert await wrong_fields(ann.set_token("a\nb", "c:d")) == ["token.token", "token.username"]


async def test_keys_are_made_or_given_for_ssh(ann: Client) -> None:
    await ann.connect(SSH)
    shown = (await ann.set_credential(generate_key=True)).credential
    assert shown.kind == CREDENTIAL_KIND_KEY
    assert shown.public_key.startswith("ssh-ed25519 ")
    assert shown.public_key.endswith(f" frameyard-task-{TASK}")
    given = keys.generate(TASK)
    shown = (await ann.set_credential(private_key=given.private)).credential
    assert shown.public_key == given.public
    assert await wrong_fields(ann.set_credential(private_key="nonsense")) == ["private_key"]
    assert await wrong_fields(ann.set_token("x")) == ["token"]


async def test_a_credential_is_copied_from_a_task_of_the_same_repository(
    ann: Client, connect: Connect, database: Database
) -> None:
    await ann.connect(SSH)
    await ann.connect(SSH, OTHER_TASK)
    for task_id in (0, TASK, OTHER_TASK):
        copying = ann.set_credential(OTHER_TASK, copy_from_task_id=task_id)
        assert await wrong_fields(copying) == ["copy_from_task_id"]
    made = (await ann.set_credential(generate_key=True)).credential
    copied = (await ann.set_credential(OTHER_TASK, copy_from_task_id=TASK)).credential
    assert copied.public_key == made.public_key
    await ann.update(OTHER_TASK, location="git@git.example:other/one.git")
    assert await wrong_fields(ann.set_credential(OTHER_TASK, copy_from_task_id=TASK)) == ["copy_from_task_id"]


async def test_another_repository_forgets_the_credential_and_another_host_its_keys(ann: Client) -> None:
    await ann.connect(SSH)
    await ann.set_credential(generate_key=True)
    known = (await ann.set_host_keys(f"git.example {HOST_KEY} comment", HOST_KEY)).host_keys
    fingerprint = "SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU"
    assert [(key.type, key.fingerprint, key.is_given) for key in known] == [
        ("ssh-ed25519", fingerprint, True)
    ]
    same = await ann.update(location=f"{SSH.removesuffix('.git')} [x/y.zip]", branch="data")
    assert same.credential.public_key
    other = await ann.update(location="git@git.example:c/d.git")
    assert not other.HasField("credential")
    assert len(other.host_keys) == 1
    elsewhere = await ann.update(location="git@other.example:c/d.git")
    assert len(elsewhere.host_keys) == 0


async def test_host_keys_are_checked(ann: Client) -> None:
    await ann.connect(SSH)
    wrong = ("ssh-ed25519 AAAA", f"other.example {HOST_KEY}", f"@revoked * {HOST_KEY}", "x")
    assert await wrong_fields(ann.set_host_keys(*wrong)) == [f"host_keys[{number}]" for number in range(4)]
    assert len((await ann.set_host_keys(f"|1|a|b {HOST_KEY}")).host_keys) == 1
    assert len((await ann.set_host_keys()).host_keys) == 0


async def test_a_purged_task_leaves_nothing(ann: Client, told: Facts, database: Database) -> None:
    await ann.connect(HTTPS)
    await ann.set_token("x")
    await ann.ended(await ann.push())
    await told.publish(TaskPurged(task_id=TASK), TASK, "task")

    async def is_empty() -> bool:
        return not await database.fetchval("SELECT (SELECT count(*) FROM repository) + count(*) FROM push")

    await eventually(is_empty)


async def test_the_default_path_is_that_of_the_page(ann: Client, neighbours: Neighbours) -> None:
    neighbours.tasks[TASK].name = 'a/b: "c" 人'
    assert (await ann.connect(HTTPS)).path == "annotation/a_b___c__人.zip"


async def test_automatic_pushes_are_in_the_name_of_who_switched_them_on(
    ann: Client, connect: Connect
) -> None:
    made = await ann.connect(HTTPS, automatic=AutomaticPush(quiet=Duration(seconds=3600)))
    assert (made.automatic.quiet.seconds, made.automatic.period.seconds) == (3600, 1)
    assert made.automatic_author == PersonRef(id=1, username="ann")
    assert made.HasField("due_time")
    other = await connect(PAT).update(automatic=AutomaticPush(quiet=Duration(seconds=7200)))
    assert other.automatic_author.username == "pat"
    off = await ann.update(automatic=None)
    assert not (off.HasField("automatic"))
    assert not (off.HasField("due_time"))
    assert not (off.HasField("automatic_author"))


async def test_what_is_read_of_a_task_without_one_is_not_found(ann: Client) -> None:
    for call in (ann.get(), ann.update(branch="x"), ann.disconnect(), ann.push(), ann.check()):
        assert isinstance(await refused(call), NotFound)
    assert list((await ann.pushes()).pushes) == []
    assert isinstance(await refused(ann.get(999)), NotFound)
