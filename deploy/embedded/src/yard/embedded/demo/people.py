"""The accounts of the demonstration: an administrator and two annotators."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from frameyard.identity.v1 import identity_service_pb2 as identity
from frameyard.identity.v1.user_pb2 import ROLE_WORKER, User
from yard.client import Client, ClientError, Endpoints

ANNOTATORS = ("anna", "boris")
ANNOTATOR_PASSWORD = "draws-boxes-all-day"  # noqa: S105 - of accounts that only a demonstration makes


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who is logged in."""

    user: User
    client: Client


@asynccontextmanager
async def logged_in(endpoints: Endpoints, username: str, password: str) -> AsyncIterator[dict[str, Person]]:
    """The administrator under "admin", and the annotators by name, made if they are not there yet."""
    async with AsyncExitStack() as stack:

        async def enter(name: str, secret: str) -> Person:
            client = await stack.enter_async_context(Client(endpoints))
            return Person(user=await client.login(name, secret), client=client)

        people = {"admin": await enter(username, password)}
        for name in ANNOTATORS:
            await _ensure(people["admin"].client, name)
            people[name] = await enter(name, ANNOTATOR_PASSWORD)
        yield people


async def _ensure(client: Client, name: str) -> None:
    user = User(username=name, first_name=name.capitalize(), role=ROLE_WORKER)
    request = identity.CreateUserRequest(user=user, password=ANNOTATOR_PASSWORD)
    try:
        await client.call(client.identity.CreateUser, request)
    except ClientError as fault:
        if fault.code != "ALREADY_EXISTS":
            raise
