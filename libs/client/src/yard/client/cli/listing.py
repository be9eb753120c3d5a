"""Lists page by page, and people by name."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, TypeVar

from frameyard.common.v1.common_pb2 import PersonRef
from frameyard.identity.v1 import identity_service_pb2 as identity
from yard.client.client import Client
from yard.client.failures import ClientError

T = TypeVar("T")
R = TypeVar("R")

PAGE = 1000


async def pages(
    client: Client, method: Any, request: Any, items: Callable[[Any], Sequence[T]]
) -> AsyncIterator[Sequence[T]]:
    """Each page of a List method; `request` is used up."""
    request.page_size = PAGE
    while True:
        page = await client.call(method, request)
        yield items(page)
        request.page_token = page.next_page_token
        if not page.next_page_token:
            return


async def person(client: Client, username: str) -> PersonRef:
    """Who is called exactly so; ClientError if nobody is."""
    request = identity.ListUsersRequest(search=username)
    async for users in pages(client, client.identity.ListUsers, request, lambda page: page.users):
        for user in users:
            if user.username == username:
                return PersonRef(id=user.id, username=user.username)
    raise ClientError(f"no user is called {username!r}", code="NOT_FOUND")


async def person_id(client: Client, username: str | None) -> int:
    """The id of a user; 0 if no name is given."""
    return (await person(client, username)).id if username else 0


async def one(answer: Awaitable[R]) -> AsyncIterator[R]:
    """A list that comes in a single page."""
    yield await answer
