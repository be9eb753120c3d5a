from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import grpc
import pytest
from frameyard.identity.v1 import identity_service_pb2 as messages
from frameyard.identity.v1 import user_pb2
from google.protobuf.timestamp_pb2 import Timestamp
from yard.identity.settings import Settings
from yard.runtime import app, errors, rpc

if TYPE_CHECKING:
    from frameyard.identity.v1.identity_service_pb2_grpc import IdentityServiceAsyncStub as Stub

MakeUser = Callable[[str], Awaitable[user_pb2.User]]
LogIn = Callable[[str, str], Awaitable["Stub"]]


async def refused(call: Awaitable[object]) -> errors.YardError:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return rpc.errors_from_rpc(caught.value)


def exchange(stub: Stub, secret: str) -> Awaitable[messages.ExchangeAccessTokenResponse]:
    return stub.ExchangeAccessToken(messages.ExchangeAccessTokenRequest(token=secret))


def in_seconds(seconds: int) -> Timestamp:
    return Timestamp(seconds=int(time.time()) + seconds)


async def test_a_secret_is_exchanged_for_a_token_of_its_user(
    admin: Stub, anonymous: Stub, connect: Callable[[str], Stub]
) -> None:
    made = await admin.CreateAccessToken(messages.CreateAccessTokenRequest(name="script"))
    assert not made.access_token.HasField("expire_time")
    answer = await exchange(anonymous, made.secret)
    who = await connect(answer.access_token).GetSelf(messages.GetSelfRequest())
    assert who.user.username == "admin"

    (listed,) = (await admin.ListAccessTokens(messages.ListAccessTokensRequest())).access_tokens
    assert (listed.id, listed.name) == (made.access_token.id, "script")
    assert listed.HasField("last_use_time")
    assert made.secret not in str(listed)


async def test_a_token_does_not_outlive_its_secret(
    admin: Stub, anonymous: Stub, running: app.Running[Settings]
) -> None:
    request = messages.CreateAccessTokenRequest(name="short", expire_time=in_seconds(100))
    made = await admin.CreateAccessToken(request)
    answer = await exchange(anonymous, made.secret)
    assert answer.expire_time.seconds <= made.access_token.expire_time.seconds

    await running.runtime.db.execute("UPDATE access_token SET expires_at = now()")
    assert (await refused(exchange(anonymous, made.secret))).reason == "WRONG_ACCESS_TOKEN"


async def test_a_revoked_secret_works_no_more(
    admin: Stub, anonymous: Stub, make_user: MakeUser, log_in: LogIn
) -> None:
    made = await admin.CreateAccessToken(messages.CreateAccessTokenRequest(name="script"))
    revoke = messages.RevokeAccessTokenRequest(id=made.access_token.id)
    await make_user("ann")
    ann = await log_in("ann", "ann-password")
    assert isinstance(await refused(ann.RevokeAccessToken(revoke)), errors.NotFound)
    await exchange(anonymous, made.secret)

    await admin.RevokeAccessToken(revoke)
    await refused(exchange(anonymous, made.secret))
    assert isinstance(await refused(admin.RevokeAccessToken(revoke)), errors.NotFound)


async def test_faults_of_a_new_token_come_at_once(admin: Stub) -> None:
    request = messages.CreateAccessTokenRequest(expire_time=in_seconds(-1))
    error = await refused(admin.CreateAccessToken(request))
    assert isinstance(error, errors.InvalidArgument)
    assert [violation.field for violation in error.violations] == ["name", "expire_time"]

    request = messages.CreateAccessTokenRequest(name="x", expire_time=Timestamp(seconds=-(2**62)))
    error = await refused(admin.CreateAccessToken(request))
    assert isinstance(error, errors.InvalidArgument)


async def test_a_user_has_a_hundred_at_most(admin: Stub, running: app.Running[Settings]) -> None:
    await running.runtime.db.execute(
        """
        INSERT INTO access_token (user_id, name, sha256)
        SELECT app_user.id, 'script', int8send(number)
        FROM app_user, generate_series(1, 99) AS number
        """
    )
    request = messages.CreateAccessTokenRequest(name="hundredth")
    await admin.CreateAccessToken(request)
    error = await refused(admin.CreateAccessToken(request))
    assert (type(error), error.reason) == (errors.ResourceExhausted, "TOO_MANY_ACCESS_TOKENS")
