"""Lists page by page, and people by name."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, TypeVar

import click
from frameyard.common.v1.common_pb2 import PersonRef
from frameyard.identity.v1 import identity_service_pb2 as identity
from google.protobuf.timestamp_pb2 import Timestamp
from yard.client.cli.conditions import condition_options
from yard.client.cli.context import Call
from yard.client.cli.parameters import Choice, ProtoEnum, stacked
from yard.client.client import Client
from yard.client.failures import ClientError

T = TypeVar("T")
R = TypeVar("R")

PAGE = 1000

deleted_option = click.option(
    "--deleted", is_flag=True, help="Those that were deleted and can still be brought back."
)
count_option = click.option("--count", "only_count", is_flag=True, help="Print only how many there are.")
reverse_option = click.option("--reverse", is_flag=True, help="The order turned round.")


def order_options(orders: ProtoEnum, prefix: str, default: str) -> Callable[[Any], Any]:
    """`--where`, `--sort`, `--order`, `--reverse` and `--count` of a list."""
    order = click.option("--order", type=Choice(orders, prefix), help=f"Default: {default}.")
    return stacked((condition_options, order, reverse_option, count_option))


def name_option(name: str, what: str) -> Callable[[Any], Any]:
    """A filter by a part of a name, such as `--owner-like an`; its field is `owner_contains`."""
    text = f"Only where {what} contains this, without regard to case."
    return click.option(f"--{name}-like", f"{name.replace('-', '_')}_contains", metavar="TEXT", help=text)


async def count(call: Call, method: Any, request: Any) -> None:
    """Prints how many a List method selects; `request` is used up."""
    request.page_size, request.with_total_size = 1, True
    answer = await call.client.call(method, request)
    if call.out.as_json:
        call.out.json({"total_size": answer.total_size})
    else:
        click.echo(answer.total_size)


def day(time: Timestamp) -> str:
    """The day in UTC; empty if the time is not given."""
    return time.ToDatetime().date().isoformat() if time.seconds else ""


def moment(time: Timestamp) -> str:
    """Day and time in UTC to the second; empty if it is not given."""
    return time.ToDatetime().isoformat(sep=" ", timespec="seconds") if time.seconds else ""


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
