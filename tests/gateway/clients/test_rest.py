"""Parts of the API that CVAT's SDK has no objects for, called by its generated methods."""

import asyncio
import hashlib
import hmac
from typing import Any

from yard.testkit import eventually

from services.webhook.tests.receiver import receiving
from tests.gateway.clients.conftest import Drive


async def test_webhooks_tell_what_happens(drive: Drive) -> None:
    async with receiving() as receiver:
        made = await asyncio.to_thread(drive, "rest.webhooks", address=receiver.url)
        assert made["ping"] == 200
        [got] = await eventually(lambda: receiver.named("create:task"), timeout_s=30)
        assert got.json["task"]["id"] == made["task"]
        expected = hmac.new(b"known to both", got.body, hashlib.sha256).hexdigest()
        assert got.headers["x-signature-256"] == f"sha256={expected}"

        async def logged() -> list[Any]:
            told: list[Any] = await asyncio.to_thread(drive, "rest.deliveries", hook=made["hook"])
            return told if len(told) > 1 and all(status for _, status in told) else []

        told = await eventually(logged, timeout_s=30)
        assert told == [["create:task", 200], ["ping", 200]]


def test_requests_are_listed(drive: Drive) -> None:
    assert drive("rest.requests") == ["create:task", "export:annotations"]


def test_what_is_not_supported_is_refused_with_the_reason(drive: Drive) -> None:
    storages, functions, quality = drive("rest.unsupported")
    assert "shares" in storages
    assert "annotate" in functions
    assert "reports" in quality
