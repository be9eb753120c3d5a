"""The JSON that is sent: made once, and the same in all tries."""

import json
from typing import Any

from yard.webhook.domain import PING, Fact, Hook, Person
from yard.webhook.handlers.context import Webhooks
from yard.webhook.sources import objects
from yard.webhook.sources.shapes import person_json
from yard.webhook.store import knowledge


async def body_of(webhooks: Webhooks, hook_id: int, event: str, fact: Fact) -> str:
    """What an event has told, with the object as it is now unless the event carried it or it is deleted."""
    action = event.partition(":")[0]
    shown = None
    if not fact.shown and action != "delete":
        shown = await objects.read(webhooks.channels, fact.kind, fact.id)
    body: dict[str, Any] = {"event": event, fact.kind: shown or fact.known}
    if action == "update":
        body["before_update"] = fact.before or {}
        body["changed_fields"] = fact.changed
    body["webhook_id"] = hook_id
    sender = await knowledge.person_of(webhooks.db, fact.sender_id)
    body["sender"] = person_json(sender.id, sender.username)
    return _text(body)


def ping_body(hook: Hook, sender: Person) -> str:
    """What a ping says: the webhook itself."""
    shown = {
        "id": hook.id,
        "target_url": hook.url,
        "description": hook.description,
        "type": "project",
        "content_type": "application/json",
        "project_id": hook.project_id,
        "events": list(hook.events),
        "enable_ssl": hook.verify_tls,
        "is_active": hook.is_active,
        "owner": person_json(hook.owner.id, hook.owner.username),
        "organization": None,
    }
    return _text(
        {
            "event": PING,
            "webhook": shown,
            "webhook_id": hook.id,
            "sender": person_json(sender.id, sender.username),
        }
    )


def _text(body: dict[str, Any]) -> str:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))
