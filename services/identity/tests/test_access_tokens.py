from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from frameyard.identity.v1 import identity_service_pb2 as messages
from frameyard.identity.v1 import user_pb2
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp
from yard.identity.settings import Settings
from yard.runtime import app, errors
from yard.testkit.refusals import refused

if TYPE_CHECKING:
    from frameyard.identity.v1.identity_service_pb2_grpc import IdentityServiceAsyncStub as Stub

MakeUser = Callable[[str], Awaitable[user_pb2.User]]
LogIn = Callable[[str, str], Awaitable["Stub"]]


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


def update(stub: Stub, token_id: int, *paths: str, **fields: Any) -> Awaitable[Any]:
    return stub.UpdateAccessToken(
        messages.UpdateAccessTokenRequest(
            access_token=user_pb2.AccessToken(id=token_id, **fields), update_mask=FieldMask(paths=paths)
        )
    )


async def test_a_token_that_only_reads_changes_nothing(
    admin: Stub, anonymous: Stub, connect: Callable[[str], Stub]
) -> None:
    made = await admin.CreateAccessToken(messages.CreateAccessTokenRequest(name="eye", read_only=True))
    assert made.access_token.read_only
    answer = await exchange(anonymous, made.secret)
    assert answer.description.read_only
    assert (answer.description.id, answer.description.name) == (made.access_token.id, "eye")
    assert answer.description.HasField("last_use_time")

    eye = connect(answer.access_token)
    assert (await eye.GetSelf(messages.GetSelfRequest())).user.username == "admin"
    assert len((await eye.ListAccessTokens(messages.ListAccessTokensRequest())).access_tokens) == 1
    calls: list[Awaitable[object]] = [
        eye.CreateAccessToken(messages.CreateAccessTokenRequest(name="more")),
        update(eye, made.access_token.id, "name", name="x"),
        eye.RevokeAccessToken(messages.RevokeAccessTokenRequest(id=made.access_token.id)),
        eye.ChangePassword(messages.ChangePasswordRequest(new_password="12345678")),
        eye.CreateUser(messages.CreateUserRequest(user=user_pb2.User(username="x"), password="12345678")),
    ]
    for call in calls:
        error = await refused(call)
        assert (type(error), error.reason) == (errors.PermissionDenied, "READ_ONLY_TOKEN")


async def test_name_and_end_of_a_token_can_be_changed(
    admin: Stub, anonymous: Stub, running: app.Running[Settings]
) -> None:
    made = await admin.CreateAccessToken(
        messages.CreateAccessTokenRequest(name="a", expire_time=in_seconds(100))
    )
    token = made.access_token
    assert token.update_time == token.create_time
    renamed = (await update(admin, token.id, "name", name="b")).access_token
    assert (renamed.name, renamed.expire_time) == ("b", token.expire_time)
    assert renamed.update_time.ToNanoseconds() > token.update_time.ToNanoseconds()
    assert renamed.create_time == token.create_time

    await running.runtime.db.execute("UPDATE access_token SET expires_at = now()")
    await refused(exchange(anonymous, made.secret))
    endless = (await update(admin, token.id, "expire_time")).access_token
    assert not endless.HasField("expire_time")
    await exchange(anonymous, made.secret)
    found = await admin.GetAccessToken(messages.GetAccessTokenRequest(id=token.id))
    assert (found.access_token.name, found.access_token.HasField("last_use_time")) == ("b", True)


async def test_tokens_of_others_are_not_there(admin: Stub, make_user: MakeUser, log_in: LogIn) -> None:
    made = await admin.CreateAccessToken(messages.CreateAccessTokenRequest(name="a"))
    await make_user("ann")
    ann = await log_in("ann", "ann-password")
    token_id = made.access_token.id
    for call in (
        ann.GetAccessToken(messages.GetAccessTokenRequest(id=token_id)),
        update(ann, token_id, "name", name="b"),
        admin.GetAccessToken(messages.GetAccessTokenRequest(id=token_id + 1)),
    ):
        assert isinstance(await refused(call), errors.NotFound)


async def test_faults_of_a_change_come_at_once(admin: Stub) -> None:
    made = await admin.CreateAccessToken(messages.CreateAccessTokenRequest(name="a"))
    token_id = made.access_token.id
    past = in_seconds(-1)
    for call, fields in (
        (
            update(admin, token_id, "name", "expire_time", expire_time=past),
            ["access_token.name", "access_token.expire_time"],
        ),
        (update(admin, token_id), ["update_mask"]),
        (update(admin, token_id, "read_only"), ["update_mask"]),
    ):
        error = await refused(call)
        assert isinstance(error, errors.InvalidArgument)
        assert [violation.field for violation in error.violations] == fields


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
