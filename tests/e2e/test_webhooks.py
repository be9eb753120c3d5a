"""Webhooks by the installed command: what people do in a project comes to a receiver outside, signed."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from pathlib import Path
from typing import Any

from PIL import Image
from yard.testkit.eventually import eventually

from services.webhook.tests.receiver import Receiver, receiving
from tests.e2e.command_line import CommandLine

SECRET = "known to both"


async def came(receiver: Receiver, event: str) -> dict[str, Any]:
    """The first delivery of an event, once it is there; it is signed."""
    [got, *_] = await eventually(lambda: receiver.named(event), timeout_s=30)
    expected = hmac.new(SECRET.encode(), got.body, hashlib.sha256).hexdigest()
    assert got.headers["x-signature-256"] == f"sha256={expected}"
    body: dict[str, Any] = got.json
    return body


async def test_a_receiver_learns_what_happens_in_a_project(command: CommandLine, tmp_path: Path) -> None:
    Image.new("RGB", (64, 64)).save(tmp_path / "one.png")
    (tmp_path / "secret").write_text(SECRET + "\n")

    async def run(*arguments: object) -> Any:
        return await asyncio.to_thread(command.json, *arguments)

    project = (await run("project", "create", "watched", "--label", "car:rectangle"))["id"]
    async with receiving() as receiver:
        hook = await run(
            "webhook", "create", project, receiver.url, "--all", "--secret-file", tmp_path / "secret"
        )
        assert hook["has_secret"]
        assert not hook["secret"]
        ping = await run("webhook", "ping", hook["id"])
        assert (ping["state"], ping["last_status"]) == ("DELIVERY_STATE_DELIVERED", 200)
        await came(receiver, "ping")

        await run("task", "create", "street", "one.png", "--project", project, "--wait")
        made = await came(receiver, "create:task")
        assert made["task"]["name"] == "street"
        assert made["sender"]["username"] == "admin"
        task = made["task"]["id"]
        [job] = await run("job", "list", "--task", task)
        await run("job", "update", job["id"], "--state", "in-progress")
        changed = await came(receiver, "update:job")
        assert changed["before_update"] == {"state": "new"}
        assert changed["job"]["state"] == "in progress"
        await run("issue", "create", job["id"], "too wide", "--frame", 0, "--at", "1,2")
        assert (await came(receiver, "create:issue"))["issue"]["job"] == int(job["id"])
        assert (await came(receiver, "create:comment"))["comment"]["message"] == "too wide"

        [newest, *_] = await run("webhook", "deliveries", hook["id"])
        shown = await run("webhook", "deliveries", hook["id"], "--id", newest["id"])
        again = await run("webhook", "redeliver", hook["id"], newest["id"])
        assert again["redelivery_of"] == newest["id"]
        assert again["body"] == shown["body"]
        await run("webhook", "update", hook["id"], "--inactive", "--event", "delete:task")
        found = await run("webhook", "get", hook["id"])
        assert (found["is_active"], found["events"]) == (False, ["delete:task"])
        assert hook["id"] in [each["id"] for each in await run("webhook", "list", "--project", project)]
        await asyncio.to_thread(command.good, "webhook", "delete", hook["id"], "--yes")
        assert await run("webhook", "list", "--project", project) == []
