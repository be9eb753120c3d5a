"""Webhooks: making, reading, changing, deleting."""

from typing import Any

from frameyard.task.v1.project_pb2 import Project
from frameyard.webhook.v1 import webhook_service_pb2 as messages
from yard.runtime import auth, clock, errors, idempotency, paging
from yard.runtime.db import Transaction
from yard.runtime.egress import RemoteUrl
from yard.runtime.errors import Violation
from yard.webhook import domain, keys
from yard.webhook.domain import Hook, Person
from yard.webhook.handlers import learning
from yard.webhook.handlers.access import absent, own_hook, project_to_watch
from yard.webhook.handlers.context import Webhooks
from yard.webhook.handlers.messages import hook_to_proto
from yard.webhook.store import deliveries, knowledge
from yard.webhook.store import hooks as store


async def create_hook(
    webhooks: Webhooks, request: messages.CreateWebhookRequest, authorization: str
) -> messages.CreateWebhookResponse:
    """Makes a webhook of a project whose tasks are known from then on, once for each request id."""
    wanted = request.webhook
    found = list(domain.violations(_values(wanted, domain.CHANGEABLE), "webhook."))
    if wanted.project_id <= 0:
        found.append(Violation("webhook.project_id", "must name a project"))
    errors.refuse(found)
    project = await project_to_watch(webhooks, authorization, wanted.project_id)
    await learning.learn_project(webhooks, project)
    async with webhooks.db.transaction() as tx:
        return await idempotency.once(
            tx,
            request.request_id,
            request,
            messages.CreateWebhookResponse,
            lambda: _insert(webhooks, tx, wanted, project),
            digest=webhooks.secrets.digest(request),
        )


async def get_hook(
    webhooks: Webhooks, request: messages.GetWebhookRequest, authorization: str
) -> messages.GetWebhookResponse:
    """Reads a webhook."""
    hook = await own_hook(webhooks, authorization, request.id)
    return messages.GetWebhookResponse(webhook=hook_to_proto(hook))


async def list_hooks(
    webhooks: Webhooks, request: messages.ListWebhooksRequest
) -> messages.ListWebhooksResponse:
    """One page of the caller's, newest first."""
    errors.refuse(paging.violations(request))
    size = paging.size(request.page_size)
    caller = auth.current()
    if caller.is_service:
        return messages.ListWebhooksResponse()
    search = store.Search(
        user_id=None if caller.is_admin else caller.user_id,
        project_id=request.project_id,
        before=paging.decode_number(request.page_token, request),
        skip=request.skip,
        limit=size + 1,
    )
    found = await store.page(webhooks.db, search)
    return messages.ListWebhooksResponse(
        webhooks=map(hook_to_proto, found[:size]),
        next_page_token=paging.encode([found[size - 1].id], request) if len(found) > size else "",
        total_size=await store.count(webhooks.db, search) if request.with_total_size else 0,
    )


async def update_hook(
    webhooks: Webhooks, request: messages.UpdateWebhookRequest, authorization: str
) -> messages.UpdateWebhookResponse:
    """Changes the masked fields."""
    wanted, paths = request.webhook, list(request.update_mask.paths)
    await own_hook(webhooks, authorization, wanted.id)
    values = _values(wanted, paths)
    errors.refuse([*domain.mask_violations(paths), *domain.violations(values, "webhook.")])
    if "url" in values:
        values["host"] = RemoteUrl.parse(wanted.url).authority
    if "secret" in values:
        values["secret"] = keys.lock(webhooks.secrets, wanted.id, wanted.secret)
    async with webhooks.db.transaction() as tx:
        await store.lock(tx, wanted.id)
        await store.update(tx, wanted.id, values, clock.now())
        hook = await store.hook_of(tx, wanted.id)
        if hook is None:
            raise absent(wanted.id)
        tx.wake(deliveries.DUE)
    return messages.UpdateWebhookResponse(webhook=hook_to_proto(hook))


async def delete_hook(
    webhooks: Webhooks, request: messages.DeleteWebhookRequest, authorization: str
) -> messages.DeleteWebhookResponse:
    """Takes a webhook away at once; its log goes behind the answer."""
    await own_hook(webhooks, authorization, request.id)
    async with webhooks.db.transaction() as tx:
        await store.hide(tx, request.id, clock.now())
    return messages.DeleteWebhookResponse()


async def _insert(
    webhooks: Webhooks, tx: Transaction, wanted: messages.Webhook, project: Project
) -> messages.CreateWebhookResponse:
    caller, now = auth.current(), clock.now()
    owner = Person(id=caller.user_id, username=caller.username)
    await knowledge.note_person(tx, owner)
    hook_id = await store.new_id(tx)
    hook = Hook(
        id=hook_id,
        url=wanted.url,
        description=wanted.description,
        project_id=project.id,
        events=_chosen(wanted),
        secret=keys.lock(webhooks.secrets, hook_id, wanted.secret),
        verify_tls=wanted.verify_tls,
        is_active=wanted.is_active,
        owner=owner,
        created_at=now,
        updated_at=now,
    )
    await store.insert(tx, hook, RemoteUrl.parse(wanted.url).authority)
    return messages.CreateWebhookResponse(webhook=hook_to_proto(hook))


def _values(wanted: messages.Webhook, paths: Any) -> dict[str, Any]:
    """The named fields; names that are no fields are left for the mask to be refused."""
    values = {path: getattr(wanted, path) for path in paths if path in domain.CHANGEABLE}
    if "events" in values:
        values["events"] = _chosen(wanted)
    return values


def _chosen(wanted: messages.Webhook) -> tuple[str, ...]:
    """Each event once, in the order that was given."""
    return tuple(dict.fromkeys(wanted.events))
