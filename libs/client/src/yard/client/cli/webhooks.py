"""Webhooks of projects, and the log of what was delivered to them."""

from collections.abc import Iterator
from typing import Any

import click
from frameyard.webhook.v1 import webhook_service_pb2 as service
from google.protobuf.field_mask_pb2 import FieldMask
from yard.client.cli.context import Call, command
from yard.client.cli.listing import moment, pages
from yard.client.cli.parameters import ID, examples, given, stacked, word
from yard.client.client import request_id

_event_option = click.option(
    "--event", "events", multiple=True, metavar="NAME", help="An event to send, such as update:task; several."
)
_field_options = (
    click.option("--description", metavar="TEXT", help="What it is for."),
    click.option(
        "--secret-file",
        type=click.File("r"),
        metavar="FILE",
        help="Where the key of signatures is read from, - for the standard input; an empty file: not signed.",
    ),
    click.option("--verify-tls/--no-verify-tls", default=None, help="Whether certificates are looked at."),
    click.option("--active/--inactive", "is_active", default=None, help="Whether events are sent."),
)


def add_to(main: click.Group) -> None:
    """Adds the commands of this module."""
    main.add_command(webhook)


@click.group()
def webhook() -> None:
    """Events of projects that are sent to an address outside."""


@webhook.command(
    epilog=examples(
        "frameyard webhook create 3 https://example.org/hook --event update:job --secret-file secret",
        "frameyard webhook create 3 https://example.org/hook --all",
    )
)
@click.argument("project_id", type=ID)
@click.argument("url")
@_event_option
@click.option("--all", "all_events", is_flag=True, help="All events that there are.")
@stacked(_field_options)
@command
async def create(
    call: Call, /, project_id: int, url: str, events: tuple[str, ...], all_events: bool, **fields: Any
) -> None:
    """Make a webhook of a project."""
    if all_events == bool(events):
        raise click.UsageError("Give either --event or --all.")
    chosen = await _events(call) if all_events else list(events)
    wanted = {"verify_tls": True, "is_active": True, **_fields(fields)}
    hook = service.Webhook(project_id=project_id, url=url, events=chosen, **wanted)
    request = service.CreateWebhookRequest(webhook=hook, request_id=request_id())
    made = (await call.client.call(call.client.webhooks.CreateWebhook, request)).webhook
    call.out.message(made, *_lines(made))


@webhook.command("list", epilog=examples("frameyard webhook list --project 3"))
@click.option("--project", "project_id", type=ID, metavar="ID", help="Only of this project.")
@command
async def list_(call: Call, /, **filters: Any) -> None:
    """List webhooks, newest first."""
    request = service.ListWebhooksRequest(**given(filters))
    found = pages(call.client, call.client.webhooks.ListWebhooks, request, lambda page: page.webhooks)
    columns = ("id", "project", "url", "state", "owner", "last answer", "last tried", "description")
    await call.out.table(columns, found, _row)


@webhook.command(epilog=examples("frameyard webhook events"))
@command
async def events(call: Call) -> None:
    """List the events that can be chosen."""
    request = service.ListWebhookEventsRequest()
    found = await call.client.call(call.client.webhooks.ListWebhookEvents, request)
    call.out.message(found, *found.events)


@webhook.command(epilog=examples("frameyard webhook get 4"))
@click.argument("webhook_id", metavar="ID", type=ID)
@command
async def get(call: Call, webhook_id: int) -> None:
    """Show a webhook."""
    request = service.GetWebhookRequest(id=webhook_id)
    found = (await call.client.call(call.client.webhooks.GetWebhook, request)).webhook
    call.out.message(found, *_lines(found))


@webhook.command(
    epilog=examples(
        "frameyard webhook update 4 --inactive",
        "frameyard webhook update 4 --url https://example.org/new --event update:task --event create:task",
    )
)
@click.argument("webhook_id", metavar="ID", type=ID)
@click.option("--url", help="Where events are sent.")
@_event_option
@stacked(_field_options)
@command
async def update(
    call: Call, /, webhook_id: int, url: str | None, events: tuple[str, ...], **fields: Any
) -> None:
    """Change a webhook; events that are given replace those that it had."""
    values = {**_fields(fields), **given({"url": url, "events": list(events) or None})}
    if not values:
        raise click.UsageError("Nothing to change: give an option.")
    request = service.UpdateWebhookRequest(
        webhook=service.Webhook(id=webhook_id, **values), update_mask=FieldMask(paths=list(values))
    )
    now = (await call.client.call(call.client.webhooks.UpdateWebhook, request)).webhook
    call.out.message(now, *_lines(now))


@webhook.command(epilog=examples("frameyard webhook delete 4 --yes"))
@click.argument("webhook_id", metavar="ID", type=ID)
@click.confirmation_option(prompt="Delete it with its log?")
@command
async def delete(call: Call, webhook_id: int) -> None:
    """Delete a webhook; what is not delivered yet is dropped."""
    request = service.DeleteWebhookRequest(id=webhook_id)
    await call.client.call(call.client.webhooks.DeleteWebhook, request)
    call.out.note(f"webhook {webhook_id} is deleted")


@webhook.command(epilog=examples("frameyard webhook ping 4"))
@click.argument("webhook_id", metavar="ID", type=ID)
@command
async def ping(call: Call, webhook_id: int) -> None:
    """Send a ping now, and show what is answered."""
    request = service.PingWebhookRequest(id=webhook_id)
    found = (await call.client.call(call.client.webhooks.PingWebhook, request)).delivery
    call.out.message(found, *_delivery_lines(found))


@webhook.command(
    epilog=examples("frameyard webhook deliveries 4", "frameyard webhook deliveries 4 --id 0197f2f0-7c3e-...")
)
@click.argument("webhook_id", metavar="ID", type=ID)
@click.option("--id", "delivery_id", metavar="UUID", help="Show this one, with its body.")
@command
async def deliveries(call: Call, webhook_id: int, delivery_id: str | None) -> None:
    """List what was sent to a webhook, newest first."""
    if delivery_id is not None:
        request = service.GetDeliveryRequest(webhook_id=webhook_id, id=delivery_id)
        found = (await call.client.call(call.client.webhooks.GetDelivery, request)).delivery
        call.out.message(found, *_delivery_lines(found), found.body)
        return
    wanted = service.ListDeliveriesRequest(webhook_id=webhook_id)
    method = call.client.webhooks.ListDeliveries
    listed = pages(call.client, method, wanted, lambda page: page.deliveries)
    columns = ("id", "event", "state", "tries", "last answer", "taken", "last tried", "next try")
    await call.out.table(columns, listed, _delivery_row)


@webhook.command(epilog=examples("frameyard webhook redeliver 4 0197f2f0-7c3e-7d8b-9a45-2f0c0d9b6c11"))
@click.argument("webhook_id", metavar="ID", type=ID)
@click.argument("delivery_id", metavar="UUID")
@command
async def redeliver(call: Call, webhook_id: int, delivery_id: str) -> None:
    """Send the body of a delivery again, as a new one."""
    request = service.RedeliverDeliveryRequest(webhook_id=webhook_id, id=delivery_id)
    found = (await call.client.call(call.client.webhooks.RedeliverDelivery, request)).delivery
    call.out.message(found, *_delivery_lines(found))


async def _events(call: Call) -> list[str]:
    request = service.ListWebhookEventsRequest()
    return list((await call.client.call(call.client.webhooks.ListWebhookEvents, request)).events)


def _fields(options: dict[str, Any]) -> dict[str, Any]:
    """What is given; the secret comes from a file, for arguments can be seen by others."""
    values = given(options)
    if (file := values.pop("secret_file", None)) is not None:
        values["secret"] = file.read().rstrip("\r\n")
    return values


def _row(found: service.Webhook) -> tuple[object, ...]:
    state = "active" if found.is_active else "inactive"
    last = found.last_status or ""
    tried = moment(found.last_delivery_time)
    owner = found.owner.username
    return found.id, found.project_id, found.url, state, owner, last, tried, found.description


def _lines(found: service.Webhook) -> Iterator[str]:
    signs = "signed" if found.has_secret else "not signed"
    state = "active" if found.is_active else "inactive"
    yield f"webhook {found.id} of project {found.project_id}: {found.url}, {state}, {signs}"
    if found.description:
        yield found.description
    if not found.verify_tls:
        yield "certificates are not looked at"
    yield f"events: {', '.join(found.events)}"
    if found.HasField("last_delivery_time"):
        yield f"last tried: {moment(found.last_delivery_time)}, answer: {found.last_status or 'none'}"


def _state(found: service.Delivery) -> str:
    return word(service.DeliveryState, "DELIVERY_STATE_", found.state)


def _delivery_row(found: service.Delivery) -> tuple[object, ...]:
    return (
        found.id,
        found.event,
        _state(found),
        found.attempts,
        found.last_status or "",
        moment(found.create_time),
        moment(found.last_attempt_time),
        moment(found.next_attempt_time),
    )


def _delivery_lines(found: service.Delivery) -> Iterator[str]:
    yield f"delivery {found.id} of {found.event}: {_state(found)}, tries: {found.attempts}"
    if found.attempts:
        yield f"answer: {found.last_status or 'none'} {found.last_answer}".rstrip()
    if found.HasField("next_attempt_time"):
        yield f"next try: {moment(found.next_attempt_time)}"
