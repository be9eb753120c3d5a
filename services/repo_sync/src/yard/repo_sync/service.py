"""Puts repo_sync together."""

from frameyard.sync.v1 import repository_service_pb2_grpc
from frameyard.sync.v1.repository_service_pb2 import CheckRepositoryRequest, PushRepositoryRequest
from yard.repo_sync.handlers import automatic, checking, ending, pushing
from yard.repo_sync.handlers.context import CHECK, PUSH, SERVICE_NAME, Syncing
from yard.repo_sync.rpc import REPOSITORY_SERVICE, RepositoryServicer
from yard.repo_sync.settings import Settings, check
from yard.repo_sync.subscriptions import subscriptions
from yard.runtime import errors
from yard.runtime.app import Parts, Runtime, Service
from yard.runtime.db import Transaction
from yard.runtime.operations import Operation
from yard.runtime.work import Work, WorkHandler, handle


async def build(runtime: Runtime[Settings]) -> Parts:
    """Connects to task and export."""
    check(runtime.settings)
    syncing = Syncing.of(runtime)

    async def note_cancel(tx: Transaction, operation: Operation) -> None:
        await ending.note_cancel(syncing, tx, operation)

    runtime.operations.on_cancel(PUSH, note_cancel)
    add = repository_service_pb2_grpc.add_RepositoryServiceServicer_to_server
    return Parts(
        servicers=[(add, RepositoryServicer(syncing), REPOSITORY_SERVICE)],
        subscriptions=subscriptions(syncing),
        work=_work(syncing),
        background=[
            ("due", lambda: automatic.push_what_is_due(syncing)),
            ("purge", lambda: automatic.purge_for_ever(syncing)),
        ],
        on_close=[syncing.close],
    )


def _work(syncing: Syncing) -> list[WorkHandler]:
    settings = syncing.runtime.settings

    async def push(work: Work[PushRepositoryRequest]) -> None:
        await pushing.run_push(syncing, work)

    async def note_failure(
        tx: Transaction, work: Work[PushRepositoryRequest], fault: errors.YardError
    ) -> None:
        await ending.note_failure(syncing, tx, work, fault)

    async def look(work: Work[CheckRepositoryRequest]) -> None:
        await checking.run_check(syncing, work)

    return [
        handle(
            PUSH,
            PushRepositoryRequest,
            push,
            on_failed=note_failure,
            concurrency=settings.push_concurrency,
            timeout_s=settings.push_timeout_s,
            max_attempts=pushing.MAX_ATTEMPTS,
        ),
        handle(
            CHECK,
            CheckRepositoryRequest,
            look,
            concurrency=settings.push_concurrency,
            timeout_s=settings.push_timeout_s,
            max_attempts=checking.MAX_ATTEMPTS,
        ),
    ]


SERVICE = Service(name=SERVICE_NAME, settings=Settings, build=build, migrations="yard.repo_sync.migrations")
