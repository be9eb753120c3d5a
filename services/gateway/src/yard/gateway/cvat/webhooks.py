"""Webhooks and deliveries in JSON."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final, Literal, TypeAlias
from uuid import UUID

import orjson
from frameyard.webhook.v1 import webhook_service_pb2
from google.protobuf.field_mask_pb2 import FieldMask
from pydantic import BaseModel, ConfigDict, Field
from yard.gateway.cvat.moments import moment, moment_if_set
from yard.gateway.cvat.numbers import Id
from yard.gateway.cvat.people import BasicUser, person
from yard.gateway.cvat.texts import Text
from yard.runtime import errors

FIELDS: Final[Mapping[str, str]] = {"url": "target_url", "verify_tls": "enable_ssl"}
_WRITTEN: Final = {name: ours for ours, name in FIELDS.items()}

Kind: TypeAlias = Literal["project"]
Format: TypeAlias = Literal["application/json"]
Events: TypeAlias = Annotated[list[Text], Field(max_length=1_000)]


class WebhookRead(BaseModel):
    """A webhook without its secret; what is said of the last delivery is absent before the first one."""

    id: int
    url: str
    target_url: str
    description: str
    type: Kind
    content_type: Format
    is_active: bool
    enable_ssl: bool
    created_date: datetime
    updated_date: datetime
    owner: BasicUser | None
    project_id: int | None
    organization: int | None
    events: list[str]
    last_status: int = 0
    last_delivery_date: datetime | None = None


class WebhookWrite(BaseModel):
    """A new webhook of a project."""

    model_config = ConfigDict(extra="ignore")

    target_url: Text
    type: Kind
    project_id: Id = None
    events: Events
    description: Text = ""
    content_type: Format = "application/json"
    secret: Text = ""
    is_active: bool = True
    enable_ssl: bool = True


class WebhookPatch(BaseModel):
    """Changes of a webhook: what is not given stays."""

    model_config = ConfigDict(extra="ignore")

    target_url: Text | None = None
    type: Kind | None = None
    project_id: Id = None
    events: Events | None = None
    description: Text | None = None
    content_type: Format | None = None
    secret: Text | None = None
    is_active: bool | None = None
    enable_ssl: bool | None = None


class EventGroup(BaseModel):
    """Events of one noun stand together."""

    display_name: str


class EventRead(BaseModel):
    """An event that can be chosen, by its key."""

    key: str
    group: EventGroup


class EventsRead(BaseModel):
    """Events that can be chosen."""

    webhook_type: Literal["project", "organization", "server", "all"]
    events: list[EventRead]


def event_read(key: str) -> EventRead:
    """`create:task` is of the group Task."""
    return EventRead(key=key, group=EventGroup(display_name=key.rpartition(":")[2].capitalize()))


class DeliveryRead(BaseModel):
    """One event for one webhook; `id` and `uuid` are the same number, and either names it."""

    id: int
    uuid: UUID
    webhook_id: int
    event: str
    status_code: int | None
    redelivery: bool
    attempt: int
    request_duration: int | None
    created_date: datetime
    updated_date: datetime
    changed_fields: str
    request: Any
    response: str


def webhook_read(hook: webhook_service_pb2.Webhook, base_url: str) -> WebhookRead:
    """A webhook as clients see it."""
    last = moment_if_set(hook.last_delivery_time)
    tried: dict[str, Any] = {"last_status": hook.last_status, "last_delivery_date": last} if last else {}
    return WebhookRead(
        id=hook.id,
        url=f"{base_url}/api/webhooks/{hook.id}",
        target_url=hook.url,
        description=hook.description,
        type="project",
        content_type="application/json",
        is_active=hook.is_active,
        enable_ssl=hook.verify_tls,
        created_date=moment(hook.create_time),
        updated_date=moment(hook.update_time),
        owner=person(hook.owner, base_url),
        project_id=hook.project_id,
        organization=None,
        events=list(hook.events),
        **tried,
    )


def values_of(hook: webhook_service_pb2.Webhook) -> dict[str, Any]:
    """What lists of webhooks are narrowed and sorted by."""
    return {
        "id": hook.id,
        "target_url": hook.url,
        "description": hook.description,
        "owner": hook.owner.username,
        "project_id": hook.project_id,
        "is_active": hook.is_active,
        "created_date": moment(hook.create_time),
        "updated_date": moment(hook.update_time),
    }


def new_webhook(written: WebhookWrite) -> webhook_service_pb2.CreateWebhookRequest:
    """The request that makes it."""
    hook = webhook_service_pb2.Webhook(
        url=written.target_url,
        description=written.description,
        project_id=written.project_id or 0,
        events=written.events,
        secret=written.secret,
        verify_tls=written.enable_ssl,
        is_active=written.is_active,
    )
    return webhook_service_pb2.CreateWebhookRequest(webhook=hook)


def webhook_changes(
    present: webhook_service_pb2.Webhook, written: WebhookPatch
) -> webhook_service_pb2.UpdateWebhookRequest | None:
    """What a PATCH asks for, None if that is nothing; a webhook stays at its project."""
    if written.project_id not in (None, present.project_id):
        raise errors.invalid("project_id", "cannot be changed: make another webhook")
    given = {
        _WRITTEN.get(name, name): value
        for name, value in written.model_dump(exclude_none=True).items()
        if name not in ("type", "content_type", "project_id")
    }
    if not given:
        return None
    hook = webhook_service_pb2.Webhook(id=present.id, **given)
    return webhook_service_pb2.UpdateWebhookRequest(webhook=hook, update_mask=FieldMask(paths=sorted(given)))


def delivery_read(delivery: webhook_service_pb2.Delivery) -> DeliveryRead:
    """A delivery as clients see it; lists are without bodies."""
    uuid = UUID(delivery.id)
    body = orjson.loads(delivery.body) if delivery.body else None
    return DeliveryRead(
        id=uuid.int,
        uuid=uuid,
        webhook_id=delivery.webhook_id,
        event=delivery.event,
        status_code=delivery.last_status or None,
        redelivery=bool(delivery.redelivery_of),
        attempt=delivery.attempts,
        request_duration=None,
        created_date=moment(delivery.create_time),
        updated_date=moment_if_set(delivery.last_attempt_time) or moment(delivery.create_time),
        changed_fields=",".join((body or {}).get("changed_fields", ())),
        request=body,
        response=delivery.last_answer,
    )


def delivery_name(shown: str) -> str:
    """The service's name for a delivery of either form; NotFound for what is none."""
    try:
        return str(UUID(int=int(shown)) if shown.isdecimal() and len(shown) != 32 else UUID(shown))
    except ValueError:
        raise errors.NotFound("delivery", shown[:80]) from None
