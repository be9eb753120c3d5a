from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING

import pytest
from argon2 import profiles
from frameyard.identity.v1 import identity_service_pb2 as messages
from frameyard.identity.v1 import user_pb2
from frameyard.identity.v1.identity_service_pb2_grpc import IdentityServiceStub
from yard.identity.handlers import passwords
from yard.identity.service import SERVICE
from yard.identity.settings import Settings
from yard.runtime import app
from yard.testkit.fixtures import OpenChannel, SettingsFor

if TYPE_CHECKING:
    from frameyard.identity.v1.identity_service_pb2_grpc import IdentityServiceAsyncStub


ADMIN_PASSWORD = "admin-password"


@pytest.fixture(autouse=True)
def cheap_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each true hash would take a fifth of a second; test_passwords has one."""
    monkeypatch.setattr(passwords, "COST", profiles.CHEAPEST)


@pytest.fixture
def settings(settings_for: SettingsFor) -> Settings:
    return settings_for(
        Settings,
        admin_password=ADMIN_PASSWORD,
        service_accounts={"export": "a-secret-of-sixteen-or-more"},
        key_encryption_key=base64.b64encode(bytes(range(32))).decode(),
    )


@pytest.fixture
async def running(settings: Settings) -> AsyncIterator[app.Running[Settings]]:
    async with app.serving(SERVICE, settings) as running:
        yield running


@pytest.fixture
def connect(
    running: app.Running[Settings], open_channel: OpenChannel
) -> Callable[[str], IdentityServiceAsyncStub]:
    """`connect(token)`: a stub that carries the token; "" for none."""
    return lambda token: IdentityServiceStub(open_channel(running.address, token or None))


@pytest.fixture
def anonymous(connect: Callable[[str], IdentityServiceAsyncStub]) -> IdentityServiceAsyncStub:
    return connect("")


@pytest.fixture
def log_in(
    connect: Callable[[str], IdentityServiceAsyncStub],
) -> Callable[[str, str], Awaitable[IdentityServiceAsyncStub]]:
    """`await log_in(name, password)`: a stub that acts for the user."""

    async def logged_in(username: str, password: str) -> IdentityServiceAsyncStub:
        answer = await connect("").Login(messages.LoginRequest(username=username, password=password))
        return connect(answer.tokens.access_token)

    return logged_in


@pytest.fixture
async def admin(
    log_in: Callable[[str, str], Awaitable[IdentityServiceAsyncStub]],
) -> IdentityServiceAsyncStub:
    return await log_in("admin", ADMIN_PASSWORD)


@pytest.fixture
def make_user(admin: IdentityServiceAsyncStub) -> Callable[[str], Awaitable[user_pb2.User]]:
    """`await make_user("ann")`: an account whose password is "<name>-password"."""

    async def made(username: str, role: user_pb2.Role.ValueType = user_pb2.ROLE_USER) -> user_pb2.User:
        wanted = user_pb2.User(username=username, role=role, email=f"{username}@example.com")
        request = messages.CreateUserRequest(user=wanted, password=f"{username}-password")
        return (await admin.CreateUser(request)).user

    return made
