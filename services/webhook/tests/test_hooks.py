from __future__ import annotations

from typing import Any

import pytest
from frameyard.task.v1.task_events_pb2 import ProjectUpdated
from frameyard.webhook.v1 import webhook_service_pb2 as messages
from yard.runtime import app, errors
from yard.testkit.eventually import eventually
from yard.testkit.facts import Facts
from yard.testkit.refusals import refused, wrong_fields
from yard.webhook.domain import EVENTS
from yard.webhook.settings import Settings

from services.webhook.tests.neighbours import (
    ALL_EVENTS,
    ANN,
    BEN,
    EVE,
    OTHER_PROJECT,
    PROJECT,
    ROBOT,
    ROOT,
    Client,
    Connect,
    Neighbours,
    ref,
)

URL = "https://example.org/hook?key=1"


async def test_a_webhook_is_made_read_changed_and_deleted(ann: Client) -> None:
    made = await ann.create(
        URL, "update:task", "create:task", "update:task", description="news", secret="hush"
    )
    assert (made.url, made.description, made.project_id) == (URL, "news", PROJECT)
    assert list(made.events) == ["update:task", "create:task"]
    assert (made.secret, made.has_secret, made.verify_tls, made.is_active) == ("", True, True, True)
    assert made.owner == ref(ANN)
    assert not made.HasField("last_delivery_time")
    assert await ann.get(made.id) == made

    changed = await ann.update(made.id, url="http://example.org/", events=["update:job"], is_active=False)
    assert (changed.url, list(changed.events), changed.is_active) == (
        "http://example.org/",
        ["update:job"],
        False,
    )
    assert (changed.description, changed.has_secret) == ("news", True)
    assert changed.update_time.ToDatetime() > made.update_time.ToDatetime()
    assert not (await ann.update(made.id, secret="")).has_secret

    await ann.delete(made.id)
    assert isinstance(await refused(ann.get(made.id)), errors.NotFound)
    assert await ann.listed() == []
    assert isinstance(await refused(ann.delete(made.id)), errors.NotFound)


async def test_all_that_can_be_chosen_is_offered(ann: Client) -> None:
    answer = await ann.stub.ListWebhookEvents(messages.ListWebhookEventsRequest())
    assert list(answer.events) == sorted(ALL_EVENTS) == list(EVENTS)


async def test_all_faults_are_told_at_once(ann: Client) -> None:
    call = ann.create(
        "ftp://example.org",
        "update:task",
        "update:moon",
        description="x" * 129,
        secret="x" * 65,
        project_id=0,
    )
    assert await wrong_fields(call) == [
        "webhook.description",
        "webhook.events[1]",
        "webhook.project_id",
        "webhook.secret",
        "webhook.url",
    ]
    empty = messages.CreateWebhookRequest(webhook=messages.Webhook(project_id=PROJECT))
    assert await wrong_fields(ann.stub.CreateWebhook(empty)) == ["webhook.events", "webhook.url"]
    made = await ann.create(URL)
    wrong = ann.update(made.id, url="http://user:secret@example.org/", events=[], project_id=OTHER_PROJECT)
    assert await wrong_fields(wrong) == ["update_mask", "webhook.events", "webhook.url"]
    assert await wrong_fields(ann.update(made.id)) == ["update_mask"]
    assert await ann.get(made.id) == made


@pytest.mark.parametrize("url", ["http://[::1", "http://a b/", "x", "http://e.org/" + "x" * 2_000])
async def test_urls_follow_the_grammar_of_the_way_out(ann: Client, url: str) -> None:
    assert await wrong_fields(ann.create(url)) == ["webhook.url"]


async def test_a_repeat_makes_no_second_one(ann: Client) -> None:
    request_id = "0197f2f0-7c3e-7d8b-9a45-2f0c0d9b6c11"
    first = await ann.create(URL, request_id=request_id, secret="a")
    assert await ann.create(URL, request_id=request_id, secret="a") == first
    assert await wrong_fields(ann.create(URL, request_id=request_id, secret="b")) == ["request_id"]
    assert await ann.listed() == [first.id]


async def test_secrets_are_nowhere_to_be_read(
    ann: Client, running: app.Running[Settings], capfd: pytest.CaptureFixture[str]
) -> None:
    secret = "a secret to keep"
    made = await ann.create(URL, secret=secret, request_id="0197f2f0-7c3e-7d8b-9a45-2f0c0d9b6c11")
    await ann.update(made.id, secret=secret)
    rows = await running.runtime.db.fetch("SELECT to_jsonb(hook)::text AS text FROM hook")
    rows += await running.runtime.db.fetch(
        "SELECT encode(digest, 'hex') || encode(response, 'escape') AS text FROM request_record"
    )
    shown = "".join(row["text"] for row in rows) + capfd.readouterr().out + capfd.readouterr().err
    assert secret not in shown
    assert secret.encode().hex() not in shown


async def test_who_may_change_the_project_may_watch_it(
    connect: Connect, neighbours: Neighbours, ann: Client
) -> None:
    neighbours.projects[PROJECT].assignee.CopyFrom(ref(BEN))
    await connect(BEN).create(URL)
    await connect(ROOT).create(URL)
    seen = await refused(connect(BEN).create(URL, project_id=OTHER_PROJECT))
    assert isinstance(seen, errors.PermissionDenied)
    assert isinstance(await refused(connect(ROBOT).create(URL)), errors.PermissionDenied)
    hidden, absent = await refused(connect(EVE).create(URL)), await refused(ann.create(URL, project_id=99))
    assert (type(hidden), hidden.message) == (type(absent), absent.message)
    assert isinstance(hidden, errors.NotFound)


@pytest.mark.parametrize("person", [BEN, EVE, ROBOT], ids=["sees the project", "sees nothing", "service"])
async def test_webhooks_of_others_are_absent(connect: Connect, ann: Client, person: Any) -> None:
    hook = await ann.create(URL)
    other = connect(person)
    for make in (
        lambda id_: other.get(id_),
        lambda id_: other.update(id_, description="x"),
        lambda id_: other.delete(id_),
        lambda id_: other.ping(id_),
        lambda id_: other.deliveries(id_),
        lambda id_: other.delivery(id_, "x"),
        lambda id_: other.redeliver(id_, "x"),
    ):
        hidden, absent = await refused(make(hook.id)), await refused(make(99))
        assert isinstance(hidden, errors.NotFound)
        assert hidden.message.replace(str(hook.id), "99", 1) == absent.message
    assert await other.listed() == []
    assert await ann.get(hook.id) == hook


async def test_lists_hold_what_one_answers_for(
    connect: Connect, neighbours: Neighbours, ann: Client, told: Facts
) -> None:
    one = await ann.create(URL, "update:job")
    two = await ann.create(URL, "update:job", project_id=OTHER_PROJECT)
    ben, root = connect(BEN), connect(ROOT)
    assert await ann.listed() == await root.listed() == [two.id, one.id]
    assert await ann.listed(project_id=PROJECT) == [one.id]
    assert await ben.listed() == []
    neighbours.projects[PROJECT].assignee.CopyFrom(ref(BEN))
    await told.publish(ProjectUpdated(project_id=PROJECT, changed_fields=["assignee"]), PROJECT, "task")

    async def of_ben() -> bool:
        return await ben.listed() == [one.id]

    await eventually(of_ben)
    assert await ben.get(one.id) == one
    neighbours.projects[PROJECT].ClearField("assignee")
    assert isinstance(await refused(ben.get(one.id)), errors.NotFound)


async def test_who_has_made_it_keeps_it(connect: Connect, neighbours: Neighbours) -> None:
    neighbours.projects[PROJECT].assignee.CopyFrom(ref(BEN))
    ben = connect(BEN)
    hook = await ben.create(URL)
    neighbours.projects[PROJECT].ClearField("assignee")
    assert await ben.get(hook.id) == hook
    assert await ben.listed() == [hook.id]


async def test_an_owner_who_comes_while_the_first_one_is_made_finds_it(
    connect: Connect, neighbours: Neighbours, ann: Client
) -> None:
    neighbours.next_owner = ref(BEN)
    made = await ann.create(URL)

    async def finds_it() -> bool:
        return await connect(BEN).listed() == [made.id]

    await eventually(finds_it)


async def test_pages_go_on_where_the_last_one_ended(ann: Client) -> None:
    made = [(await ann.create(URL)).id for _ in range(5)][::-1]
    found, token = [], ""
    while True:
        request = messages.ListWebhooksRequest(page_size=2, page_token=token, with_total_size=not token)
        answer = await ann.stub.ListWebhooks(request)
        found += [hook.id for hook in answer.webhooks]
        assert answer.total_size == (0 if token else 5)
        token = answer.next_page_token
        if not token:
            break
    assert found == made
    assert await ann.listed(skip=3) == made[3:]
    first = await ann.stub.ListWebhooks(messages.ListWebhooksRequest(page_size=2))
    wrong = ann.listed(skip=-1, page_size=-1)
    assert await wrong_fields(wrong) == ["page_size", "skip"]
    both = ann.listed(skip=1, page_size=2, page_token=first.next_page_token)
    assert await wrong_fields(both) == ["skip"]
    other = ann.listed(page_token=first.next_page_token, project_id=PROJECT)
    assert await wrong_fields(other) == ["page_token"]
