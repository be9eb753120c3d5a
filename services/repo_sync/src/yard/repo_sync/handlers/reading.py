"""What is told of repositories and their pushes."""

from uuid import UUID

from frameyard.sync.v1 import repository_service_pb2 as messages
from yard.repo_sync.handlers.access import readable_task, repository_of
from yard.repo_sync.handlers.connecting import adopt
from yard.repo_sync.handlers.context import Syncing
from yard.repo_sync.handlers.messages import push_to_proto, shown
from yard.repo_sync.store import pushes
from yard.runtime import paging


async def get_repository(
    syncing: Syncing, request: messages.GetRepositoryRequest, authorization: str
) -> messages.GetRepositoryResponse:
    """Reads the repository of a task."""
    owned = await readable_task(syncing, authorization, request.task_id)
    await adopt(syncing, owned)
    repository = await repository_of(syncing, owned)
    return messages.GetRepositoryResponse(repository=await shown(syncing.db, repository))


async def list_pushes(
    syncing: Syncing, request: messages.ListPushesRequest, authorization: str
) -> messages.ListPushesResponse:
    """One page, newest first; those to repositories before are listed too."""
    size = paging.size(request.page_size)
    before = _place(request)
    await readable_task(syncing, authorization, request.task_id)
    found = await pushes.page(syncing.db, request.task_id, before, size + 1)
    return messages.ListPushesResponse(
        pushes=map(push_to_proto, found[:size]),
        next_page_token=paging.encode([str(found[size - 1].id)], request) if len(found) > size else "",
    )


def _place(request: messages.ListPushesRequest) -> UUID | None:
    text = paging.decode_text(request.page_token, request)
    try:
        return None if text is None else UUID(text)
    except ValueError:
        raise paging.foreign_token() from None
