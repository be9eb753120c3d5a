"""Pushes and checks that people ask for."""

from uuid import UUID

from frameyard.sync.v1 import repository_service_pb2 as messages
from frameyard.task.v1.task_pb2 import SYNC_STATUS_SYNCING
from yard.repo_sync.domain.rows import Person, Push, Repository
from yard.repo_sync.handlers.access import connected, pushable_task
from yard.repo_sync.handlers.connecting import adopt, note_caller
from yard.repo_sync.handlers.context import CHECK, PUSH, Syncing
from yard.repo_sync.handlers.telling import change
from yard.repo_sync.store import pushes, repositories
from yard.runtime import auth, clock
from yard.runtime.db import Transaction
from yard.runtime.idempotency import once
from yard.runtime.operations import Operation, to_proto


async def push(
    syncing: Syncing, request: messages.PushRepositoryRequest, authorization: str
) -> messages.PushRepositoryResponse:
    """Queues a push, or waits for the one that is on its way, once for each request id."""
    owned = await pushable_task(syncing, authorization, request.task_id)
    await adopt(syncing, owned)
    async with syncing.db.transaction() as tx:

        async def ask() -> messages.PushRepositoryResponse:
            repository = connected(await repositories.locked(tx, request.task_id), request.task_id)
            operation = await _push(syncing, tx, repository)
            return messages.PushRepositoryResponse(operation=to_proto(syncing.operations.service, operation))

        return await once(tx, request.request_id, request, messages.PushRepositoryResponse, ask)


async def check(
    syncing: Syncing, request: messages.CheckRepositoryRequest, authorization: str
) -> messages.CheckRepositoryResponse:
    """Queues a look at the repository, once for each request id."""
    owned = await pushable_task(syncing, authorization, request.task_id)
    await adopt(syncing, owned)
    async with syncing.db.transaction() as tx:

        async def ask() -> messages.CheckRepositoryResponse:
            connected(await repositories.of_task(tx, request.task_id), request.task_id)
            operation = await _check(syncing, tx, request.task_id)
            return messages.CheckRepositoryResponse(operation=to_proto(syncing.operations.service, operation))

        return await once(tx, request.request_id, request, messages.CheckRepositoryResponse, ask)


async def begin_push(
    syncing: Syncing, tx: Transaction, repository: Repository, author: Person, *, is_automatic: bool = False
) -> Operation:
    """Queues the push of a locked repository that has none on its way."""
    operations, owner, task_id = syncing.operations, str(author.id), repository.task_id
    id_ = await operations.create(tx, kind=PUSH, target=f"tasks/{task_id}", owner=owner)
    push = Push(
        id=id_,
        task_id=task_id,
        version=repository.version,
        author_id=author.id,
        author_name=author.username,
        is_automatic=is_automatic,
        created_at=clock.now(),
    )
    await pushes.insert(tx, push)
    request = messages.PushRepositoryRequest(task_id=task_id)
    await tx.enqueue(request, kind=PUSH, owner=owner, operation_id=id_)
    await change(tx, repository, operation=id_, push_id=id_, status=SYNC_STATUS_SYNCING, due_at=None)
    return await _operation(syncing, tx, id_)


async def _push(syncing: Syncing, tx: Transaction, repository: Repository) -> Operation:
    if repository.push_id is None:
        return await begin_push(syncing, tx, repository, await note_caller(tx))
    operation = await _operation(syncing, tx, repository.push_id)
    if operation.owner == auth.current().subject:
        return operation
    return await _follow(syncing, tx, operation)


async def _follow(syncing: Syncing, tx: Transaction, leader: Operation) -> Operation:
    """Nobody sees operations of others, so everybody who asks for the same push has one."""
    owner = auth.current().subject
    id_ = await pushes.follower_of(tx, leader.id, owner)
    if id_ is None or (await _operation(syncing, tx, id_)).is_final:
        id_ = await syncing.operations.create(tx, kind=PUSH, target=leader.target, owner=owner)
        await pushes.follow(tx, leader.id, owner, id_)
        await syncing.operations.start(tx, id_)
    return await _operation(syncing, tx, id_)


async def _check(syncing: Syncing, tx: Transaction, task_id: int) -> Operation:
    owner = auth.current().subject
    id_ = await syncing.operations.create(tx, kind=CHECK, target=f"tasks/{task_id}", owner=owner)
    request = messages.CheckRepositoryRequest(task_id=task_id)
    await tx.enqueue(request, kind=CHECK, owner=owner, operation_id=id_, lane="interactive")
    return await _operation(syncing, tx, id_)


async def _operation(syncing: Syncing, tx: Transaction, id_: UUID) -> Operation:
    found = await syncing.operations.find(tx, id_)
    assert found is not None
    return found
