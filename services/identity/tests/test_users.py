from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import pytest
from frameyard.identity.v1 import identity_events_pb2, user_pb2
from frameyard.identity.v1 import identity_service_pb2 as messages
from google.protobuf.field_mask_pb2 import FieldMask
from yard.identity.service import SERVICE
from yard.identity.settings import Settings
from yard.runtime import app, errors
from yard.testkit.refusals import refused

if TYPE_CHECKING:
    from frameyard.identity.v1.identity_service_pb2_grpc import IdentityServiceAsyncStub as Stub

MakeUser = Callable[..., Awaitable[user_pb2.User]]
LogIn = Callable[[str, str], Awaitable["Stub"]]
EVENTS = {
    message.DESCRIPTOR.full_name: message
    for message in (
        identity_events_pb2.UserCreated,
        identity_events_pb2.UserUpdated,
        identity_events_pb2.UserDeactivated,
    )
}


def update(stub: Stub, user_id: int, **changes: object) -> Awaitable[messages.UpdateUserResponse]:
    user = user_pb2.User(id=user_id, **changes)  # type: ignore[arg-type]
    return stub.UpdateUser(messages.UpdateUserRequest(user=user, update_mask=FieldMask(paths=list(changes))))


async def emitted(running: app.Running[Settings], user_id: int) -> list[object]:
    rows = await running.runtime.db.fetch(
        "SELECT type, body FROM outbox WHERE key = $1 ORDER BY key_version", str(user_id)
    )
    return [EVENTS[row["type"]].FromString(row["body"]) for row in rows]


async def test_the_first_administrator_is_made_once(settings: Settings) -> None:
    for _ in range(2):
        async with app.serving(SERVICE, settings) as running:
            names = await running.runtime.db.fetch("SELECT username, role FROM app_user")
            assert [tuple(row) for row in names] == [("admin", "admin")]


async def test_creating_tells_the_account_and_emits_it_without_address(
    admin: Stub, running: app.Running[Settings]
) -> None:
    wanted = user_pb2.User(
        id=7, username="Ann.Lee", first_name="Ann", last_name="Lee", email="ann@example.com"
    )
    answer = await admin.CreateUser(messages.CreateUserRequest(user=wanted, password="12345678"))
    user = answer.user
    assert (user.username, user.first_name, user.last_name, user.email) == (
        "Ann.Lee",
        "Ann",
        "Lee",
        "ann@example.com",
    )
    assert (user.role, user.is_active, user.id != 7) == (user_pb2.ROLE_USER, True, True)

    public = user_pb2.User()
    public.CopyFrom(user)
    public.ClearField("email")
    assert await emitted(running, user.id) == [identity_events_pb2.UserCreated(user=public)]


async def test_all_faults_of_a_new_account_come_at_once(admin: Stub) -> None:
    wrong = user_pb2.User(username="a b", first_name="x" * 151, email="nowhere", last_name="\0")
    error = await refused(admin.CreateUser(messages.CreateUserRequest(user=wrong, password="short")))
    assert isinstance(error, errors.InvalidArgument)
    assert sorted(violation.field for violation in error.violations) == [
        "password",
        "user.email",
        "user.first_name",
        "user.last_name",
        "user.username",
    ]


async def test_a_name_is_taken_in_any_case(admin: Stub, make_user: MakeUser) -> None:
    await make_user("Straße")
    wanted = user_pb2.User(username="STRASSE")
    error = await refused(admin.CreateUser(messages.CreateUserRequest(user=wanted, password="12345678")))
    assert isinstance(error, errors.AlreadyExists)


async def test_a_repeated_request_makes_one_account(admin: Stub, running: app.Running[Settings]) -> None:
    request = messages.CreateUserRequest(
        user=user_pb2.User(username="ann"), password="12345678", request_id=str(uuid.UUID(int=1))
    )
    first, second = await admin.CreateUser(request), await admin.CreateUser(request)
    assert first == second
    assert len(await emitted(running, first.user.id)) == 1

    request.password = "another-password"
    error = await refused(admin.CreateUser(request))
    assert isinstance(error, errors.InvalidArgument)
    assert [violation.field for violation in error.violations] == ["request_id"]


async def test_only_administrators_make_accounts(make_user: MakeUser, log_in: LogIn) -> None:
    await make_user("ann")
    ann = await log_in("ann", "ann-password")
    request = messages.CreateUserRequest(user=user_pb2.User(username="bob"), password="12345678")
    assert isinstance(await refused(ann.CreateUser(request)), errors.PermissionDenied)


async def test_addresses_are_for_the_user_and_administrators(
    admin: Stub, make_user: MakeUser, log_in: LogIn
) -> None:
    ann_id = (await make_user("ann")).id
    await make_user("bob")
    seen = {}
    for name, stub in {
        "admin": admin,
        "ann": await log_in("ann", "ann-password"),
        "bob": await log_in("bob", "bob-password"),
    }.items():
        listed = await stub.ListUsers(messages.ListUsersRequest(search="ann"))
        got = await stub.GetUser(messages.GetUserRequest(id=ann_id))
        seen[name] = (got.user.email, listed.users[0].email)
    assert seen == {
        "admin": ("ann@example.com",) * 2,
        "ann": ("ann@example.com",) * 2,
        "bob": ("", ""),
    }


async def test_an_absent_account_is_named(admin: Stub) -> None:
    error = await refused(admin.GetUser(messages.GetUserRequest(id=999)))
    assert isinstance(error, errors.NotFound)
    assert (error.kind, error.name) == ("user", "999")


async def test_lists_go_by_name_in_pages_and_search_without_case(admin: Stub, make_user: MakeUser) -> None:
    for name in ("bob", "Anton", "anna"):
        await make_user(name)
    request, names = messages.ListUsersRequest(page_size=3), []
    while True:
        page = await admin.ListUsers(request)
        names.append([user.username for user in page.users])
        if not page.next_page_token:
            break
        request.page_token = page.next_page_token
    assert names == [["admin", "anna", "Anton"], ["bob"]]
    found = await admin.ListUsers(messages.ListUsersRequest(search="AN"))
    assert [user.username for user in found.users] == ["anna", "Anton"]

    request.search = "b"
    error = await refused(admin.ListUsers(request))
    assert isinstance(error, errors.InvalidArgument)
    assert error.violations[0].field == "page_token"


async def test_lists_select_by_activity(admin: Stub, make_user: MakeUser) -> None:
    await update(admin, (await make_user("ann")).id, is_active=False)
    for is_active, names in ((True, ["admin"]), (False, ["ann"]), (None, ["admin", "ann"])):
        page = await admin.ListUsers(messages.ListUsersRequest(is_active=is_active))
        assert [user.username for user in page.users] == names


async def test_users_change_their_own_profile_only(make_user: MakeUser, log_in: LogIn) -> None:
    ann_id, bob_id = (await make_user("ann")).id, (await make_user("bob")).id
    ann = await log_in("ann", "ann-password")
    changed = await update(ann, ann_id, first_name="Ann", email="")
    assert (changed.user.first_name, changed.user.email) == ("Ann", "")
    for user_id, changes in (
        (bob_id, {"first_name": "Bob"}),
        (ann_id, {"role": user_pb2.ROLE_ADMIN}),
        (ann_id, {"is_active": False}),
    ):
        assert isinstance(await refused(update(ann, user_id, **changes)), errors.PermissionDenied)


@pytest.mark.parametrize("paths", [[], ["username"], ["id", "first_name"], ["nonsense"]])
async def test_a_mask_names_what_can_be_changed(admin: Stub, make_user: MakeUser, paths: list[str]) -> None:
    user = await make_user("ann")
    request = messages.UpdateUserRequest(user=user, update_mask=FieldMask(paths=paths))
    error = await refused(admin.UpdateUser(request))
    assert isinstance(error, errors.InvalidArgument)
    assert error.violations[0].field == "update_mask"


async def test_a_role_must_be_given(admin: Stub, make_user: MakeUser) -> None:
    error = await refused(update(admin, (await make_user("ann")).id, role=user_pb2.ROLE_UNSPECIFIED))
    assert isinstance(error, errors.InvalidArgument)
    assert error.violations[0].field == "user.role"


async def test_changes_are_emitted_and_addresses_are_not(
    admin: Stub, make_user: MakeUser, running: app.Running[Settings]
) -> None:
    user_id = (await make_user("ann")).id
    await update(admin, user_id, email="new@example.com")
    await update(admin, user_id, role=user_pb2.ROLE_WORKER)
    await update(admin, user_id, is_active=False)
    await update(admin, user_id, is_active=True)
    events = await emitted(running, user_id)
    assert [type(event).__name__ for event in events] == [
        "UserCreated",
        "UserUpdated",
        "UserDeactivated",
        "UserUpdated",
    ]
    assert b"example.com" not in b"".join(event.SerializeToString() for event in events)  # type: ignore[attr-defined]
    assert events[1].user.role == user_pb2.ROLE_WORKER  # type: ignore[attr-defined]
    assert events[3].user.is_active  # type: ignore[attr-defined]


async def test_the_last_administrator_stays(admin: Stub, make_user: MakeUser) -> None:
    admin_id = (await admin.GetSelf(messages.GetSelfRequest())).user.id
    changes_of_last: tuple[dict[str, object], ...] = ({"role": user_pb2.ROLE_USER}, {"is_active": False})
    for changes in changes_of_last:
        error = await refused(update(admin, admin_id, **changes))
        assert (type(error), error.reason) == (errors.FailedPrecondition, "LAST_ADMINISTRATOR")

    await make_user("ann", user_pb2.ROLE_ADMIN)
    assert (await update(admin, admin_id, role=user_pb2.ROLE_USER)).user.role == user_pb2.ROLE_USER
    assert isinstance(
        await refused(update(admin, admin_id, role=user_pb2.ROLE_ADMIN)), errors.PermissionDenied
    )


async def test_a_new_password_ends_the_other_sessions(
    anonymous: Stub, make_user: MakeUser, connect: Callable[[str], Stub]
) -> None:
    await make_user("ann")
    login = messages.LoginRequest(username="ann", password="ann-password")
    here, there = [(await anonymous.Login(login)).tokens for _ in range(2)]
    request = messages.ChangePasswordRequest(old_password="ann-password", new_password="another-password")
    await connect(here.access_token).ChangePassword(request)

    await refused(anonymous.RefreshSession(messages.RefreshSessionRequest(refresh_token=there.refresh_token)))
    await anonymous.RefreshSession(messages.RefreshSessionRequest(refresh_token=here.refresh_token))
    await refused(anonymous.Login(login))
    login.password = "another-password"
    await anonymous.Login(login)


@pytest.mark.parametrize("role", [user_pb2.ROLE_USER, user_pb2.ROLE_ADMIN])
async def test_an_old_password_that_is_given_must_be_right_and_guesses_are_limited(
    make_user: MakeUser, log_in: LogIn, role: user_pb2.Role.ValueType
) -> None:
    await make_user("ann", role)
    ann = await log_in("ann", "ann-password")
    request = messages.ChangePasswordRequest(old_password="wrong", new_password="another-password")
    for _ in range(10):
        error = await refused(ann.ChangePassword(request))
        assert isinstance(error, errors.InvalidArgument)
        assert error.violations[0].field == "old_password"
    request.old_password = "ann-password"
    assert isinstance(await refused(ann.ChangePassword(request)), errors.ResourceExhausted)


async def test_administrators_set_passwords_of_others(
    admin: Stub, anonymous: Stub, make_user: MakeUser, log_in: LogIn
) -> None:
    ann_id, bob_id = (await make_user("ann")).id, (await make_user("bob")).id
    request = messages.ChangePasswordRequest(user_id=ann_id, new_password="another-password")
    bob = await log_in("bob", "bob-password")
    assert isinstance(await refused(bob.ChangePassword(request)), errors.PermissionDenied)
    await admin.ChangePassword(request)
    await log_in("ann", "another-password")

    request = messages.ChangePasswordRequest(user_id=bob_id, new_password="short")
    error = await refused(admin.ChangePassword(request))
    assert isinstance(error, errors.InvalidArgument)
    request = messages.ChangePasswordRequest(user_id=999, new_password="another-password")
    assert isinstance(await refused(admin.ChangePassword(request)), errors.NotFound)
