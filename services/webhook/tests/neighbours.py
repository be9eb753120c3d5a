"""People who make webhooks, and small real servers of task and identity."""

# ruff: noqa: N802 - methods are named as in the proto
from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import grpc
import grpc.aio
from frameyard.common.v1.common_pb2 import FrameRange, PersonRef
from frameyard.identity.v1 import identity_service_pb2 as identity
from frameyard.identity.v1 import identity_service_pb2_grpc
from frameyard.task.v1 import job_service_pb2 as jobs
from frameyard.task.v1 import job_service_pb2_grpc, project_service_pb2_grpc, task_service_pb2_grpc
from frameyard.task.v1 import project_service_pb2 as projects
from frameyard.task.v1 import task_service_pb2 as tasks
from frameyard.task.v1.job_pb2 import (
    JOB_STAGE_ANNOTATION,
    JOB_STATE_NEW,
    JOB_STATUS_ANNOTATION,
    Job,
)
from frameyard.task.v1.project_pb2 import Project
from frameyard.task.v1.task_pb2 import Task
from frameyard.webhook.v1 import webhook_service_pb2 as messages
from frameyard.webhook.v1 import webhook_service_pb2_grpc
from google.protobuf.field_mask_pb2 import FieldMask
from yard.runtime import auth, clock
from yard.testkit import peers

ISSUER = auth.TokenIssuer.generate()
SERVICE_TOKEN = "token-of-the-service"
ANN = auth.Principal(user_id=1, username="ann", role="user")
BEN = auth.Principal(user_id=2, username="ben", role="user")
EVE = auth.Principal(user_id=3, username="eve", role="user")
ROOT = auth.Principal(user_id=9, username="root", role="admin")
ROBOT = auth.Principal(user_id=0, username="", role="service", service="export")
PROJECT, OTHER_PROJECT, TASK, JOB = 5, 6, 12, 40
ALL_EVENTS = [
    *(f"{verb}:{kind}" for verb in ("create", "update", "delete") for kind in ("task", "issue", "comment")),
    "update:job",
    "update:project",
    "delete:project",
]


TOKENS: dict[str, auth.Principal] = {}


def token(person: auth.Principal) -> str:
    """A fresh one, that the neighbours know."""
    made = ISSUER.issue(person).token
    TOKENS[made] = person
    return made


class Neighbours(
    task_service_pb2_grpc.TaskServiceServicer,
    project_service_pb2_grpc.ProjectServiceServicer,
    job_service_pb2_grpc.JobServiceServicer,
    identity_service_pb2_grpc.IdentityServiceServicer,
):
    """What there is; everybody sees a project but those who are `blind`."""

    def __init__(self) -> None:
        self.blind = {EVE.user_id}
        self.projects = {
            PROJECT: Project(id=PROJECT, name="streets", owner=ref(ANN)),
            OTHER_PROJECT: Project(id=OTHER_PROJECT, name="fields", owner=ref(ANN)),
        }
        self.tasks = {
            TASK: Task(
                id=TASK, name="monday", project_id=PROJECT, owner=ref(ANN), status=JOB_STATUS_ANNOTATION
            )
        }
        self.jobs = {JOB: job()}
        self.is_away = False
        self.next_owner: PersonRef | None = None  # of projects, once they were read

    async def GetTask(self, request: tasks.GetTaskRequest, context: Any) -> tasks.GetTaskResponse:
        return tasks.GetTaskResponse(task=await self._found(context, self.tasks, request.id))

    async def ListTasks(self, request: tasks.ListTasksRequest, context: Any) -> tasks.ListTasksResponse:
        found = [task for task in self.tasks.values() if task.project_id == request.project_id]
        place = int(request.page_token or "0")
        following = str(place + 1) if place + 1 < len(found) else ""
        return tasks.ListTasksResponse(tasks=found[place : place + 1], next_page_token=following)

    async def GetJob(self, request: jobs.GetJobRequest, context: Any) -> jobs.GetJobResponse:
        return jobs.GetJobResponse(job=await self._found(context, self.jobs, request.id))

    async def GetProject(
        self, request: projects.GetProjectRequest, context: Any
    ) -> projects.GetProjectResponse:
        header = dict(context.invocation_metadata()).get("authorization", "").removeprefix("Bearer ")
        caller = TOKENS.get(header)
        if header != SERVICE_TOKEN and (caller is None or caller.user_id in self.blind):
            await context.abort(grpc.StatusCode.NOT_FOUND, "no")
        found = await self._found(context, self.projects, request.id)
        answer = projects.GetProjectResponse(project=found)
        if self.next_owner is not None:
            found.owner.CopyFrom(self.next_owner)
        return answer

    async def IssueServiceToken(
        self, request: identity.IssueServiceTokenRequest, context: Any
    ) -> identity.IssueServiceTokenResponse:
        assert request.service == "webhook"
        response = identity.IssueServiceTokenResponse(access_token=SERVICE_TOKEN)
        response.expire_time.FromSeconds(int(clock.now().timestamp()) + 900)
        return response

    async def _found(self, context: Any, held: dict[int, Any], id_: int) -> Any:
        if self.is_away:
            await context.abort(grpc.StatusCode.INTERNAL, "away")
        if id_ not in held:
            await context.abort(grpc.StatusCode.NOT_FOUND, "no")
        return held[id_]


def ref(person: auth.Principal) -> PersonRef:
    return PersonRef(id=person.user_id, username=person.username)


def job(**values: Any) -> Job:
    usual = {
        "id": JOB,
        "task_id": TASK,
        "project_id": PROJECT,
        "frames": FrameRange(first=0, last=9),
        "stage": JOB_STAGE_ANNOTATION,
        "state": JOB_STATE_NEW,
        "status": JOB_STATUS_ANNOTATION,
    }
    return Job(**{**usual, **values})


def serving(neighbours: Neighbours) -> AbstractAsyncContextManager[str]:
    """All of them at one address."""
    adds = (
        task_service_pb2_grpc.add_TaskServiceServicer_to_server,
        project_service_pb2_grpc.add_ProjectServiceServicer_to_server,
        job_service_pb2_grpc.add_JobServiceServicer_to_server,
        identity_service_pb2_grpc.add_IdentityServiceServicer_to_server,
    )
    return peers.serving(neighbours, adds)


class Client:
    """Somebody's view of the service."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self.stub = webhook_service_pb2_grpc.WebhookServiceStub(channel)

    async def create(self, url: str, *events: str, request_id: str = "", **values: Any) -> messages.Webhook:
        usual = {"project_id": PROJECT, "is_active": True, "verify_tls": True}
        wanted = messages.Webhook(**{**usual, "url": url, "events": events or ALL_EVENTS, **values})
        request = messages.CreateWebhookRequest(webhook=wanted, request_id=request_id)
        return (await self.stub.CreateWebhook(request)).webhook

    async def get(self, id_: int) -> messages.Webhook:
        return (await self.stub.GetWebhook(messages.GetWebhookRequest(id=id_))).webhook

    async def listed(self, **values: Any) -> list[int]:
        answer = await self.stub.ListWebhooks(messages.ListWebhooksRequest(**values))
        return [hook.id for hook in answer.webhooks]

    async def update(self, id_: int, **values: Any) -> messages.Webhook:
        wanted = messages.Webhook(id=id_, **values)
        request = messages.UpdateWebhookRequest(webhook=wanted, update_mask=FieldMask(paths=list(values)))
        return (await self.stub.UpdateWebhook(request)).webhook

    async def delete(self, id_: int) -> None:
        await self.stub.DeleteWebhook(messages.DeleteWebhookRequest(id=id_))

    async def ping(self, id_: int) -> messages.Delivery:
        return (await self.stub.PingWebhook(messages.PingWebhookRequest(id=id_))).delivery

    async def deliveries(self, id_: int, **values: Any) -> list[messages.Delivery]:
        request = messages.ListDeliveriesRequest(webhook_id=id_, **values)
        return list((await self.stub.ListDeliveries(request)).deliveries)

    async def delivery(self, hook_id: int, id_: str) -> messages.Delivery:
        request = messages.GetDeliveryRequest(webhook_id=hook_id, id=id_)
        return (await self.stub.GetDelivery(request)).delivery

    async def redeliver(self, hook_id: int, id_: str) -> messages.Delivery:
        request = messages.RedeliverDeliveryRequest(webhook_id=hook_id, id=id_)
        return (await self.stub.RedeliverDelivery(request)).delivery


Connect = Callable[[auth.Principal], Client]
