"""Puts webhook together."""

import asyncio

from frameyard.task.v1.task_events_pb2 import ProjectUpdated, TaskUndeleted
from frameyard.webhook.v1 import webhook_service_pb2_grpc
from yard.runtime import errors, telemetry
from yard.runtime.app import Parts, Runtime, Service
from yard.runtime.work import Work, handle
from yard.webhook.handlers import learning, log
from yard.webhook.handlers.context import SERVICE_NAME, Webhooks
from yard.webhook.handlers.delivering import Deliverer
from yard.webhook.rpc import WEBHOOK_SERVICE, WebhookServicer
from yard.webhook.settings import Settings, check
from yard.webhook.subscriptions import subscriptions

PURGE_EVERY_S = 600.0

_log = telemetry.log(__name__)


async def build(runtime: Runtime[Settings]) -> Parts:
    """Connects to task, and opens the way out."""
    check(runtime.settings)
    webhooks = Webhooks.of(runtime)

    async def ask_for_project(work: Work[ProjectUpdated]) -> None:
        await learning.ask_for_project(webhooks, work)

    async def ask_for_task(work: Work[TaskUndeleted]) -> None:
        await learning.ask_for_task(webhooks, work)

    add = webhook_service_pb2_grpc.add_WebhookServiceServicer_to_server
    return Parts(
        servicers=[(add, WebhookServicer(webhooks), WEBHOOK_SERVICE)],
        subscriptions=subscriptions(),
        work=[
            handle(learning.LEARN_PROJECT, ProjectUpdated, ask_for_project),
            handle(learning.LEARN_TASK, TaskUndeleted, ask_for_task),
        ],
        background=[
            ("deliver", lambda: Deliverer(webhooks).run()),
            ("purge", lambda: _purge_for_ever(webhooks)),
        ],
        on_close=[webhooks.close],
    )


async def _purge_for_ever(webhooks: Webhooks) -> None:
    while True:
        try:
            if count := await log.purge(webhooks):
                _log.info("deliveries_purged", count=count)
        except errors.Unavailable as fault:
            _log.warning("purge_failed", reason=fault.reason)
        await asyncio.sleep(PURGE_EVERY_S)


SERVICE = Service(name=SERVICE_NAME, settings=Settings, build=build, migrations="yard.webhook.migrations")
