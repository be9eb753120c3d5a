"""Sessions with one key for their whole life."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from frameyard.identity.v1 import identity_service_pb2 as messages
from frameyard.identity.v1 import user_pb2
from google.protobuf.field_mask_pb2 import FieldMask
from yard.identity.handlers import sessions
from yard.identity.handlers.context import Identity
from yard.identity.handlers.passwords import Passwords
from yard.identity.keys import KeyRules, SigningKeys
from yard.identity.settings import Settings
from yard.runtime import app, errors
from yard.testkit.refusals import refused

if TYPE_CHECKING:
    from frameyard.identity.v1.identity_service_pb2_grpc import IdentityServiceAsyncStub as Stub

MakeUser = Callable[[str], Awaitable[user_pb2.User]]
LogIn = Callable[[str, str], Awaitable["Stub"]]
Connect = Callable[[str], "Stub"]


async def opened(
    stub: Stub, username: str = "admin", password: str = "admin-password"
) -> messages.OpenKeySessionResponse:
    return await stub.OpenKeySession(messages.OpenKeySessionRequest(username=username, password=password))


def exchange(stub: Stub, key: str) -> Awaitable[messages.ExchangeSessionKeyResponse]:
    return stub.ExchangeSessionKey(messages.ExchangeSessionKeyRequest(key=key))


async def test_a_key_gives_tokens_as_often_as_it_is_asked(anonymous: Stub, connect: Connect) -> None:
    session = await opened(anonymous)
    assert re.fullmatch("[0-9a-zA-Z]{40}", session.key)
    assert session.user.username == "admin"
    assert 890 < session.expire_time.ToSeconds() - time.time() <= 900
    tokens = [session.access_token, *[(await exchange(anonymous, session.key)).access_token for _ in "123"]]
    for token in tokens:
        assert (await connect(token).GetSelf(messages.GetSelfRequest())).user == session.user
    assert (await opened(anonymous)).key != session.key


async def test_keys_are_not_stored(anonymous: Stub, running: app.Running[Settings]) -> None:
    session = await opened(anonymous)
    rows = await running.runtime.db.fetch("SELECT * FROM key_session")
    assert len(rows) == 1
    assert session.key not in str([*rows[0].values()])


async def test_a_session_is_closed_by_its_key_alone(anonymous: Stub) -> None:
    first, second = await opened(anonymous), await opened(anonymous)
    for key in (first.key, first.key, "unknown", ""):
        await anonymous.CloseKeySession(messages.CloseKeySessionRequest(key=key))
    for key in (first.key, "unknown", ""):
        error = await refused(exchange(anonymous, key))
        assert (type(error), error.reason) == (errors.Unauthenticated, "SESSION_ENDED")
    await exchange(anonymous, second.key)


async def test_the_end_slides_and_is_noted_once_an_hour(
    anonymous: Stub, running: app.Running[Settings]
) -> None:
    db, key = running.runtime.db, (await opened(anonymous)).key
    row = "SELECT used_at, expires_at, expires_at - used_at >= interval '14 days' AS is_long FROM key_session"
    first = await db.fetchrow(row)
    assert first is not None
    assert first["is_long"]
    await exchange(anonymous, key)
    assert await db.fetchrow(row) == first

    await db.execute("UPDATE key_session SET used_at = used_at - interval '61 minutes'")
    await asyncio.gather(*(exchange(anonymous, key) for _ in range(4)))
    later = await db.fetchrow(row)
    assert later is not None
    assert later["used_at"] > first["used_at"]
    assert later["expires_at"] > first["expires_at"]

    await db.execute("UPDATE key_session SET expires_at = now()")
    assert (await refused(exchange(anonymous, key))).reason == "SESSION_ENDED"


async def test_sessions_that_have_ended_are_forgotten(
    anonymous: Stub, running: app.Running[Settings]
) -> None:
    db, settings = running.runtime.db, running.runtime.settings
    await opened(anonymous)
    await db.execute("UPDATE key_session SET expires_at = now()")
    living = await opened(anonymous)
    passwords = await Passwords.create(threads=1)
    rules = KeyRules(encryption_key=bytes(32), token_ttl_s=900, replace_after_s=1)
    identity = Identity(db=db, passwords=passwords, keys=SigningKeys(db, rules), settings=settings)
    await sessions.purge(identity)
    await passwords.close()
    assert await db.fetchval("SELECT count(*) FROM key_session") == 1
    await exchange(anonymous, living.key)


async def test_a_new_password_ends_all_sessions_but_the_one_that_asks(
    anonymous: Stub, connect: Connect, make_user: MakeUser
) -> None:
    await make_user("ann")
    own, other = [await opened(anonymous, "ann", "ann-password") for _ in range(2)]
    await connect(own.access_token).ChangePassword(
        messages.ChangePasswordRequest(old_password="ann-password", new_password="12345678")
    )
    assert (await refused(exchange(anonymous, other.key))).reason == "SESSION_ENDED"
    await exchange(anonymous, own.key)


async def test_a_password_set_by_an_administrator_ends_all_sessions(
    admin: Stub, anonymous: Stub, make_user: MakeUser
) -> None:
    user = await make_user("ann")
    session = await opened(anonymous, "ann", "ann-password")
    await admin.ChangePassword(messages.ChangePasswordRequest(user_id=user.id, new_password="12345678"))
    assert (await refused(exchange(anonymous, session.key))).reason == "SESSION_ENDED"


async def test_a_deactivated_account_has_no_sessions(
    admin: Stub, anonymous: Stub, make_user: MakeUser
) -> None:
    user = await make_user("ann")
    session = await opened(anonymous, "ann", "ann-password")
    for is_active in (False, True):
        change = user_pb2.User(id=user.id, is_active=is_active)
        await admin.UpdateUser(
            messages.UpdateUserRequest(user=change, update_mask=FieldMask(paths=["is_active"]))
        )
        assert (await refused(exchange(anonymous, session.key))).reason == "SESSION_ENDED"


async def test_wrong_names_and_passwords_answer_alike_and_are_limited_with_logins(anonymous: Stub) -> None:
    for username in ("admin", "nobody", "nobody@example.com"):
        assert (await refused(opened(anonymous, username, "wrong"))).reason == "WRONG_CREDENTIALS"
    login = messages.LoginRequest(username="admin", password="wrong")
    await asyncio.gather(*(refused(anonymous.Login(login)) for _ in range(9)))
    error = await refused(opened(anonymous))
    assert (type(error), error.reason) == (errors.ResourceExhausted, "TOO_MANY_FAILED_LOGINS")


async def test_faults_of_a_request_come_at_once(anonymous: Stub) -> None:
    error = await refused(opened(anonymous, "x" * 255, ""))
    assert isinstance(error, errors.InvalidArgument)
    assert [violation.field for violation in error.violations] == ["username", "password"]


async def test_an_address_of_one_active_account_is_as_good_as_its_name(
    admin: Stub, anonymous: Stub, make_user: MakeUser, log_in: LogIn
) -> None:
    ann, ben = await make_user("ann"), await make_user("ben")

    async def names(password: str, typed: str = "Ann@Example.com") -> str:
        return (await opened(anonymous, typed, password)).user.username

    assert await names("ann-password") == "ann"
    await refused(names("ben-password"))
    own = await log_in("ben", "ben-password")
    change = user_pb2.User(id=ben.id, email="ANN@example.com")
    await own.UpdateUser(messages.UpdateUserRequest(user=change, update_mask=FieldMask(paths=["email"])))
    for password in ("ann-password", "ben-password"):
        assert (await refused(names(password))).reason == "WRONG_CREDENTIALS"
    change = user_pb2.User(id=ann.id, is_active=False)
    await admin.UpdateUser(
        messages.UpdateUserRequest(user=change, update_mask=FieldMask(paths=["is_active"]))
    )
    assert await names("ben-password") == "ben"
    assert (await refused(names("ben-password", ""))).reason != "WRONG_CREDENTIALS"


async def test_a_name_goes_before_an_address(admin: Stub, anonymous: Stub, make_user: MakeUser) -> None:
    await make_user("ann")
    other = user_pb2.User(username="ann@example.com")
    await admin.CreateUser(messages.CreateUserRequest(user=other, password="12345678"))
    session = await opened(anonymous, "ann@example.com", "12345678")
    assert session.user.username == "ann@example.com"
    assert (await refused(opened(anonymous, "ann@example.com", "ann-password"))).reason == "WRONG_CREDENTIALS"
