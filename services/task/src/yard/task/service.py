"""Puts task together."""

import asyncio

from frameyard.annotation.v1 import annotation_service_pb2_grpc, history_service_pb2_grpc
from frameyard.task.v1 import (
    issue_service_pb2_grpc,
    job_service_pb2_grpc,
    label_service_pb2_grpc,
    project_service_pb2_grpc,
    task_service_pb2_grpc,
)
from frameyard.task.v1.task_events_pb2 import ProjectDeleted
from yard.runtime import errors, telemetry
from yard.runtime.app import Parts, Runtime, Service
from yard.runtime.db import Transaction
from yard.runtime.operations import Operation
from yard.runtime.rpc import Servicer
from yard.runtime.work import Work, WorkHandler, handle
from yard.task.handlers import media, projects, removal
from yard.task.handlers.context import ATTACH_MEDIA, HIDE_TASKS, SERVICE_NAME, Tasks
from yard.task.handlers.history.limits import prune
from yard.task.rpc.annotations import ANNOTATION_SERVICE, AnnotationServicer
from yard.task.rpc.history import HISTORY_SERVICE, HistoryServicer
from yard.task.rpc.issues import ISSUE_SERVICE, IssueServicer
from yard.task.rpc.jobs import JOB_SERVICE, JobServicer
from yard.task.rpc.labels import LABEL_SERVICE, LabelServicer
from yard.task.rpc.projects import PROJECT_SERVICE, ProjectServicer
from yard.task.rpc.tasks import TASK_SERVICE, TaskServicer
from yard.task.settings import Settings
from yard.task.subscriptions import subscriptions

_log = telemetry.log(__name__)


async def build(runtime: Runtime[Settings]) -> Parts:
    """Connects the use cases to the servers."""
    tasks = Tasks(runtime=runtime)

    async def cancel(tx: Transaction, operation: Operation) -> None:
        await media.cancel_media(tasks, tx, operation)

    runtime.operations.on_cancel(ATTACH_MEDIA, cancel)
    return Parts(
        servicers=_servicers(tasks),
        subscriptions=subscriptions(tasks),
        work=[_hiding(tasks)],
        background=[("purge", lambda: _purge_for_ever(tasks))],
    )


def _servicers(tasks: Tasks) -> list[Servicer]:
    return [
        (
            project_service_pb2_grpc.add_ProjectServiceServicer_to_server,
            ProjectServicer(tasks),
            PROJECT_SERVICE,
        ),
        (
            task_service_pb2_grpc.add_TaskServiceServicer_to_server,
            TaskServicer(tasks),
            TASK_SERVICE,
        ),
        (
            job_service_pb2_grpc.add_JobServiceServicer_to_server,
            JobServicer(tasks),
            JOB_SERVICE,
        ),
        (
            issue_service_pb2_grpc.add_IssueServiceServicer_to_server,
            IssueServicer(tasks),
            ISSUE_SERVICE,
        ),
        (
            label_service_pb2_grpc.add_LabelServiceServicer_to_server,
            LabelServicer(tasks),
            LABEL_SERVICE,
        ),
        (
            annotation_service_pb2_grpc.add_AnnotationServiceServicer_to_server,
            AnnotationServicer(tasks),
            ANNOTATION_SERVICE,
        ),
        (
            history_service_pb2_grpc.add_HistoryServiceServicer_to_server,
            HistoryServicer(tasks),
            HISTORY_SERVICE,
        ),
    ]


def _hiding(tasks: Tasks) -> WorkHandler:
    async def hide(work: Work[ProjectDeleted]) -> None:
        await projects.hide_tasks(tasks, work)

    return handle(HIDE_TASKS, ProjectDeleted, hide)


async def _purge_for_ever(tasks: Tasks) -> None:
    while True:
        try:
            if count := await removal.purge(tasks):
                _log.info("tasks_purged", count=count)
            if count := await prune(tasks.db, tasks.settings):
                _log.info("history_pruned", jobs=count)
        except (errors.Unavailable, errors.Conflict) as fault:
            _log.warning("purge_failed", reason=fault.reason)
        await asyncio.sleep(tasks.settings.purge_every_s)


SERVICE = Service(name=SERVICE_NAME, settings=Settings, build=build, migrations="yard.task.migrations")
