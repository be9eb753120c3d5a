"""The git repository that keeps the annotations of a task."""

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Body, Response
from frameyard.sync.v1 import repository_pb2, repository_service_pb2
from yard.gateway.cvat.faults import told
from yard.gateway.edge.callers import Calling
from yard.gateway.routes.own.operations import Operation, operation_read
from yard.gateway.routes.own.paths import PageSize, PageToken, TaskId
from yard.gateway.routes.own.repository_words import (
    FIELDS,
    CredentialWrite,
    HostKeysWrite,
    Pushes,
    RepositoryPatch,
    RepositoryRead,
    RepositoryWrite,
    new_credential,
    new_repository,
    push_read,
    repository_changes,
    repository_read,
)
from yard.gateway.upstream.caller import Caller
from yard.runtime import errors

if TYPE_CHECKING:
    from frameyard.sync.v1.repository_service_pb2_grpc import RepositoryServiceAsyncStub

router = APIRouter(prefix="/tasks/{task_id}/repository", tags=["repositories"])


@router.get("")
async def read_repository(caller: Calling, task_id: TaskId) -> RepositoryRead:
    """Reads the repository of a task, and whether it has the present annotations."""
    return repository_read(await _get(caller, task_id), caller.base_url)


@router.put("")
async def set_repository(
    caller: Calling, task_id: TaskId, body: Annotated[RepositoryWrite, Body()]
) -> RepositoryRead:
    """Ties a task to a repository, or changes all of the one that it has; nothing is pushed yet."""
    try:
        await _get(caller, task_id)
    except errors.NotFound:
        with told(FIELDS):
            answer = await caller.call(_stub(caller).ConnectRepository, new_repository(task_id, body))
        return repository_read(answer.repository, caller.base_url)
    return await _changed(caller, task_id, body)


@router.patch("")
async def change_repository(
    caller: Calling, task_id: TaskId, body: Annotated[RepositoryPatch, Body()]
) -> RepositoryRead:
    """Changes a repository; what is not given stays. With another one, the credential is forgotten."""
    return await _changed(caller, task_id, body)


@router.delete("", status_code=204)
async def disconnect_repository(caller: Calling, task_id: TaskId) -> Response:
    """Unties a task from its repository and forgets the credential; what was pushed stays there."""
    request = repository_service_pb2.DisconnectRepositoryRequest(task_id=task_id)
    await caller.call(_stub(caller).DisconnectRepository, request)
    return Response(status_code=204)


@router.put("/credential")
async def set_credential(
    caller: Calling, task_id: TaskId, body: Annotated[CredentialWrite, Body()]
) -> RepositoryRead:
    """Sets or makes what opens the repository; it is kept encrypted and never shown again."""
    answer = await caller.call(_stub(caller).SetCredential, new_credential(task_id, body))
    return repository_read(answer.repository, caller.base_url)


@router.delete("/credential")
async def forget_credential(caller: Calling, task_id: TaskId) -> RepositoryRead:
    """Forgets what opens the repository."""
    request = repository_service_pb2.SetCredentialRequest(task_id=task_id)
    answer = await caller.call(_stub(caller).SetCredential, request)
    return repository_read(answer.repository, caller.base_url)


@router.put("/host-keys")
async def set_host_keys(
    caller: Calling, task_id: TaskId, body: Annotated[HostKeysWrite, Body()]
) -> RepositoryRead:
    """Sets or forgets the keys by which the ssh host is known."""
    request = repository_service_pb2.SetHostKeysRequest(task_id=task_id, host_keys=body.host_keys)
    answer = await caller.call(_stub(caller).SetHostKeys, request)
    return repository_read(answer.repository, caller.base_url)


@router.post("/check", status_code=202)
async def check_repository(caller: Calling, task_id: TaskId) -> Operation:
    """Tries the connection and finds out the status anew, as an operation."""
    request = repository_service_pb2.CheckRepositoryRequest(task_id=task_id)
    return operation_read((await caller.call(_stub(caller).CheckRepository, request)).operation)


@router.post("/push", status_code=202)
async def push_repository(caller: Calling, task_id: TaskId) -> Operation:
    """Pushes the present annotations, as an operation; the push that waits already, if one does."""
    request = repository_service_pb2.PushRepositoryRequest(task_id=task_id)
    return operation_read((await caller.call(_stub(caller).PushRepository, request)).operation)


@router.get("/pushes")
async def list_pushes(
    caller: Calling, task_id: TaskId, page_size: PageSize = 50, page_token: PageToken = ""
) -> Pushes:
    """Lists the pushes of a task, newest first."""
    request = repository_service_pb2.ListPushesRequest(
        task_id=task_id, page_size=page_size, page_token=page_token
    )
    answer = await caller.call(_stub(caller).ListPushes, request)
    return Pushes(
        pushes=[push_read(push, caller.base_url) for push in answer.pushes],
        next_page_token=answer.next_page_token,
    )


async def _changed(
    caller: Caller, task_id: int, written: RepositoryWrite | RepositoryPatch
) -> RepositoryRead:
    changes = repository_changes(task_id, written)
    if changes is None:
        return repository_read(await _get(caller, task_id), caller.base_url)
    with told(FIELDS):
        now = (await caller.call(_stub(caller).UpdateRepository, changes)).repository
    return repository_read(now, caller.base_url)


async def _get(caller: Caller, task_id: int) -> repository_pb2.Repository:
    request = repository_service_pb2.GetRepositoryRequest(task_id=task_id)
    return (await caller.call(_stub(caller).GetRepository, request)).repository


def _stub(caller: Caller) -> "RepositoryServiceAsyncStub":
    return caller.needs(caller.services.repositories, "dataset repositories")
