"""Accounts, and connections that are logged in."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, Self, TypeVar

import httpx
from frameyard.identity.v1 import identity_service_pb2, user_pb2
from yard.client import Client
from yard.client.session import Tokens
from yard.runtime import clock
from yard.testkit.platform import Platform

T = TypeVar("T")

PASSWORD = "a long enough password"
KEPT_S = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """`admin` is logged in by token; `open` gives connections to others."""

    url: str
    admin: httpx.AsyncClient
    platform: Platform
    _stack: AsyncExitStack = field(repr=False)

    @classmethod
    @asynccontextmanager
    async def of(cls, platform: Platform) -> AsyncIterator[Self]:
        """At the gateway of a platform."""
        url = f"http://127.0.0.1:{platform.port('gateway')}"
        async with AsyncExitStack() as stack:
            admin = await stack.enter_async_context(httpx.AsyncClient(base_url=url, timeout=60))
            admin.headers["Authorization"] = await _authorization_of_admin(platform, admin)
            yield cls(url=url, admin=admin, platform=platform, _stack=stack)

    async def make(
        self, username: str, role: user_pb2.Role.ValueType = user_pb2.ROLE_USER
    ) -> httpx.AsyncClient:
        """A new account, logged in."""
        tokens = await _tokens_of_admin(self.platform)
        async with Client(self.platform.endpoints, tokens=tokens) as client:
            user = user_pb2.User(username=username, role=role)
            await client.call(
                client.identity.CreateUser,
                identity_service_pb2.CreateUserRequest(user=user, password=PASSWORD),
            )
        http = await self._stack.enter_async_context(httpx.AsyncClient(base_url=self.url, timeout=60))
        await log_in(http, username, PASSWORD)
        return http

    async def nobody(self) -> httpx.AsyncClient:
        """A connection without credentials."""
        return await self._stack.enter_async_context(httpx.AsyncClient(base_url=self.url, timeout=60))


class Kept(Generic[T]):
    """What a login gave, until its token is no longer sure to live through a test: each costs a hash."""

    def __init__(self) -> None:
        self._found: dict[Path, tuple[float, T]] = {}

    async def get(self, platform: Platform, log_in: Callable[[], Awaitable[T]]) -> T:
        """The administrator's, of this platform."""
        at, found = self._found.get(platform.data, (0.0, None))
        if found is None or clock.monotonic() - at > KEPT_S:
            at, found = clock.monotonic(), await log_in()
            self._found[platform.data] = at, found
        return found


_keys = Kept[str]()
_tokens = Kept[Tokens]()


async def _authorization_of_admin(platform: Platform, http: httpx.AsyncClient) -> str:
    async def made() -> str:
        await log_in(http, "admin", platform.admin_password)
        return http.headers["Authorization"]

    return await _keys.get(platform, made)


async def _tokens_of_admin(platform: Platform) -> Tokens:
    async def made() -> Tokens:
        async with Client(platform.endpoints) as client:
            await client.login("admin", platform.admin_password)
            assert client.session.tokens is not None
            return client.session.tokens

    return await _tokens.get(platform, made)


async def log_in(http: httpx.AsyncClient, username: str, password: str) -> None:
    """The connection uses the session's key from now on, not its cookies."""
    answer = await http.post("/api/auth/login", json={"username": username, "password": password})
    assert answer.status_code == 200, answer.text
    http.cookies.clear()
    http.headers["Authorization"] = f"Token {answer.json()['key']}"
