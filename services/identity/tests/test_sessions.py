from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import grpc
import pytest
from frameyard.identity.v1 import identity_service_pb2 as messages
from frameyard.identity.v1 import user_pb2
from google.protobuf.field_mask_pb2 import FieldMask
from yard.identity.settings import Settings
from yard.runtime import app, errors
from yard.runtime.auth import TokenVerifier
from yard.testkit.refusals import refused

if TYPE_CHECKING:
    from frameyard.identity.v1.identity_service_pb2_grpc import IdentityServiceAsyncStub as Stub

MakeUser = Callable[[str], Awaitable[user_pb2.User]]
LogIn = Callable[[str, str], Awaitable["Stub"]]
RIGHT = messages.LoginRequest(username="admin", password="admin-password")


def refresh(stub: Stub, token: str) -> Awaitable[messages.RefreshSessionResponse]:
    return stub.RefreshSession(messages.RefreshSessionRequest(refresh_token=token))


async def test_a_login_gives_a_token_that_the_published_keys_verify(anonymous: Stub) -> None:
    answer = await anonymous.Login(RIGHT)
    keys = await anonymous.GetJwks(messages.GetJwksRequest())

    principal = await TokenVerifier.from_jwks(keys.jwks_json).verify(answer.tokens.access_token)
    assert (principal.username, principal.role, principal.user_id) == ("admin", "admin", answer.user.id)
    left_s = answer.tokens.expire_time.ToSeconds() - time.time()
    assert 890 < left_s <= 900


async def test_names_are_found_in_any_case(anonymous: Stub) -> None:
    answer = await anonymous.Login(messages.LoginRequest(username="ADMIN", password="admin-password"))
    assert answer.user.username == "admin"


async def test_wrong_password_and_unknown_name_answer_alike(anonymous: Stub) -> None:
    wrong = messages.LoginRequest(username="admin", password="wrong")
    unknown = messages.LoginRequest(username="nobody", password="wrong")
    answers = []
    for request in (wrong, unknown):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await anonymous.Login(request)
        answers.append((caught.value.code(), caught.value.details(), caught.value.trailing_metadata()))
    assert answers[0] == answers[1]
    assert answers[0][:2] == (grpc.StatusCode.UNAUTHENTICATED, "user name or password is wrong")


@pytest.mark.parametrize("username", ["admin", "nobody"])
async def test_ten_failures_lock_a_name_also_for_the_right_password(anonymous: Stub, username: str) -> None:
    wrong = messages.LoginRequest(username=username, password="wrong")
    tries = await asyncio.gather(*(refused(anonymous.Login(wrong)) for _ in range(12)))
    assert (
        sorted(type(error).__name__ for error in tries)
        == ["ResourceExhausted"] * 2 + ["Unauthenticated"] * 10
    )

    request = messages.LoginRequest(username=username.upper(), password="admin-password")
    error = await refused(anonymous.Login(request))
    assert isinstance(error, errors.ResourceExhausted)
    assert error.retry_after_s is not None
    assert 0 < error.retry_after_s <= 900


async def test_the_lock_ends_with_its_window(anonymous: Stub, running: app.Running[Settings]) -> None:
    wrong = messages.LoginRequest(username="admin", password="wrong")
    await asyncio.gather(*(refused(anonymous.Login(wrong)) for _ in range(10)))
    await running.runtime.db.execute("UPDATE login_failure SET failed_at = failed_at - interval '15 minutes'")
    assert (await anonymous.Login(RIGHT)).user.username == "admin"


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (messages.LoginRequest(password="x"), "username"),
        (messages.LoginRequest(username="a\0", password="x"), "username"),
        (messages.LoginRequest(username="admin"), "password"),
        (messages.LoginRequest(username="admin", password="x" * 1001), "password"),
    ],
)
async def test_a_login_names_the_field_that_is_wrong(
    anonymous: Stub, request_: messages.LoginRequest, field: str
) -> None:
    error = await refused(anonymous.Login(request_))
    assert isinstance(error, errors.InvalidArgument)
    assert [violation.field for violation in error.violations] == [field]


async def test_a_refresh_token_works_once(anonymous: Stub) -> None:
    first = (await anonymous.Login(RIGHT)).tokens
    second = (await refresh(anonymous, first.refresh_token)).tokens
    third = (await refresh(anonymous, second.refresh_token)).tokens
    assert len({first.refresh_token, second.refresh_token, third.refresh_token}) == 3
    assert third.access_token


async def test_a_second_use_ends_the_session_for_the_thief_too(anonymous: Stub) -> None:
    stolen = (await anonymous.Login(RIGHT)).tokens.refresh_token
    other_session = (await anonymous.Login(RIGHT)).tokens.refresh_token
    of_thief = (await refresh(anonymous, stolen)).tokens.refresh_token

    error = await refused(refresh(anonymous, stolen))
    assert (type(error), error.reason) == (errors.Unauthenticated, "SESSION_ENDED")
    await refused(refresh(anonymous, of_thief))
    assert (await refresh(anonymous, other_session)).tokens.access_token


async def test_of_uses_at_the_same_time_one_succeeds(anonymous: Stub) -> None:
    token = (await anonymous.Login(RIGHT)).tokens.refresh_token
    results = await asyncio.gather(*(refresh(anonymous, token) for _ in range(4)), return_exceptions=True)
    assert len([result for result in results if not isinstance(result, BaseException)]) == 1


async def test_a_session_ends_by_logout_and_by_time(anonymous: Stub, running: app.Running[Settings]) -> None:
    tokens = [(await anonymous.Login(RIGHT)).tokens.refresh_token for _ in range(2)]
    await anonymous.Logout(messages.LogoutRequest(refresh_token=tokens[0]))
    await anonymous.Logout(messages.LogoutRequest(refresh_token="unknown"))
    await refused(refresh(anonymous, tokens[0]))

    await running.runtime.db.execute("UPDATE session SET expires_at = now()")
    assert (await refused(refresh(anonymous, tokens[1]))).reason == "SESSION_ENDED"


async def test_a_deactivated_user_can_neither_log_in_nor_go_on(
    admin: Stub, anonymous: Stub, make_user: MakeUser, log_in: LogIn
) -> None:
    user = await make_user("ann")
    login = messages.LoginRequest(username="ann", password="ann-password")
    token = (await anonymous.Login(login)).tokens.refresh_token
    acting = await log_in("ann", "ann-password")
    change = user_pb2.User(id=user.id, is_active=False)
    await admin.UpdateUser(
        messages.UpdateUserRequest(user=change, update_mask=FieldMask(paths=["is_active"]))
    )

    assert (await refused(refresh(anonymous, token))).reason == "SESSION_ENDED"
    assert (await refused(anonymous.Login(login))).reason == "WRONG_CREDENTIALS"
    assert (await refused(acting.GetSelf(messages.GetSelfRequest()))).reason == "ACCOUNT_INACTIVE"


async def test_a_service_account_gets_a_token(anonymous: Stub, connect: Callable[[str], Stub]) -> None:
    right = messages.IssueServiceTokenRequest(service="export", secret="a-secret-of-sixteen-or-more")
    answer = await anonymous.IssueServiceToken(right)
    keys = await anonymous.GetJwks(messages.GetJwksRequest())
    principal = await TokenVerifier.from_jwks(keys.jwks_json).verify(answer.access_token)
    assert (principal.service, principal.user_id, principal.is_service) == ("export", 0, True)

    error = await refused(connect(answer.access_token).GetSelf(messages.GetSelfRequest()))
    assert isinstance(error, errors.PermissionDenied)
    for service, secret in (("export", "wrong"), ("unknown", right.secret), ("", "")):
        request = messages.IssueServiceTokenRequest(service=service, secret=secret)
        assert (await refused(anonymous.IssueServiceToken(request))).reason == "WRONG_CREDENTIALS"


async def test_other_methods_need_a_token(anonymous: Stub) -> None:
    error = await refused(anonymous.GetSelf(messages.GetSelfRequest()))
    assert (type(error), error.reason) == (errors.Unauthenticated, "TOKEN_MISSING")
