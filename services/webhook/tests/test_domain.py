from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from frameyard.webhook.v1 import webhook_service_pb2 as messages
from hypothesis import given
from hypothesis import strategies as st
from yard.runtime.auth import Secrets
from yard.runtime.errors import FailedPrecondition
from yard.webhook import domain, keys
from yard.webhook.domain import Delivery, Fact, Outcome

MADE = datetime(2026, 1, 1, tzinfo=UTC)


def delivery(**values: Any) -> Delivery:
    usual: dict[str, Any] = {
        "id": UUID(int=1),
        "hook_id": 1,
        "event": "update:task",
        "state": "pending",
        "attempts": 0,
        "last_status": 0,
        "last_answer": "",
        "body": "{}",
        "created_at": MADE,
        "last_attempt_at": None,
        "next_attempt_at": MADE,
        "redelivery_of": None,
    }
    return Delivery(**{**usual, **values})


def again(tried: Delivery, status: int, now: datetime) -> datetime | None:
    outcome = Outcome(status=status, answer="")
    return domain.next_attempt(tried, outcome, now, first_pause_s=10.0)


def test_who_never_answers_is_tried_about_twenty_times_in_three_days() -> None:
    now: datetime | None = MADE
    pauses, last, attempts = [], MADE, 0
    while now is not None:
        pauses.append((now - last).total_seconds())
        last = now
        now = again(delivery(attempts=attempts), 0, now)
        attempts += 1
    assert 18 <= attempts <= 26
    assert timedelta(days=2, hours=16) < last - MADE < timedelta(days=3)
    assert 9 <= pauses[1] <= 11
    assert 18 <= pauses[2] <= 22
    assert max(pauses) <= 6 * 3600 * 1.1


@pytest.mark.parametrize("status", [200, 201, 204, 299, 410])
def test_who_takes_it_or_is_gone_is_not_tried_again(status: int) -> None:
    assert again(delivery(), status, MADE) is None


@pytest.mark.parametrize("status", [0, 199, 300, 302, 400, 401, 404, 408, 429, 500, 503])
def test_everything_else_is_tried_again(status: int) -> None:
    found = again(delivery(), status, MADE)
    assert found is not None
    assert found > MADE


def test_pings_are_not_tried_again() -> None:
    assert again(delivery(event="ping"), 500, MADE) is None


@given(attempts=st.integers(0, 10_000), age_s=st.floats(0, 400_000))
def test_nothing_is_tried_after_three_days(attempts: int, age_s: float) -> None:
    now = MADE + timedelta(seconds=age_s)
    found = again(delivery(attempts=attempts), 500, now)
    assert found is None or now < found < MADE + timedelta(days=3)


@given(secret=st.text(min_size=1, max_size=64), body=st.binary(max_size=100))
def test_signatures_are_those_of_the_body(secret: str, body: bytes) -> None:
    name, _, digest = domain.signature(secret, body).partition("=")
    assert name == "sha256"
    assert digest == hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


@given(body=st.binary(max_size=10_000))
def test_answers_are_shown_as_the_log_can_hold_them(body: bytes) -> None:
    shown = domain.shown_answer(body)
    assert len(shown) <= 1_000
    assert "\0" not in shown


def test_facts_are_read_as_they_were_written() -> None:
    fact = Fact(kind="job", id=3, sender_id=1, known={"id": 3}, shown=True, before={"a": None}, changed=["a"])
    assert Fact.from_json(fact.to_json()) == fact


@given(secret=st.text(max_size=64).filter(lambda text: not any("\ud800" <= c <= "\udfff" for c in text)))
def test_secrets_are_opened_by_the_key_and_for_the_webhook_that_they_were_locked_for(secret: str) -> None:
    ours = Secrets(bytes(32))
    stored = keys.lock(ours, 7, secret)
    assert keys.opened(ours, 7, stored) == secret
    if stored is None:
        return
    assert len(secret) < 3 or secret.encode() not in stored
    for others, id_ in ((Secrets(bytes([1]) * 32), 7), (ours, 8)):
        with pytest.raises(FailedPrecondition) as caught:
            keys.opened(others, id_, stored)
        assert caught.value.reason == "SECRET_LOST"


def test_digests_of_requests_need_the_key() -> None:
    one = messages.CreateWebhookRequest(webhook=messages.Webhook(secret="a"))
    other = messages.CreateWebhookRequest(webhook=messages.Webhook(secret="b"))
    ours, theirs = Secrets(bytes(32)), Secrets(bytes([1]) * 32)
    assert ours.digest(one) == ours.digest(one) != ours.digest(other)
    assert ours.digest(one) != theirs.digest(one)
