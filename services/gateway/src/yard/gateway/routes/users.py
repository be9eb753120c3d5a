"""People."""

from typing import Annotated, Final

from fastapi import APIRouter, Body, Path, Query
from frameyard.identity.v1 import identity_service_pb2 as identity
from frameyard.identity.v1 import user_pb2
from yard.gateway.cvat.faults import told
from yard.gateway.cvat.fields import USERS
from yard.gateway.cvat.matching import selected
from yard.gateway.cvat.numbers import LARGEST_ID
from yard.gateway.cvat.people import (
    BasicUser,
    User,
    UserPatch,
    basic_user,
    full_user,
    user_changes,
    values_of,
)
from yard.gateway.cvat.queries import UserQuery, asked
from yard.gateway.edge.callers import Calling
from yard.gateway.edge.paging import Page, Paged, Problem
from yard.gateway.upstream.caller import Caller
from yard.runtime import errors

router = APIRouter(prefix="/users", tags=["users"])

MOST_LOOKED_AT: Final = 10_000

UserId = Annotated[int, Path(ge=1, le=LARGEST_ID, description="Id of the account.")]


@router.get("/self")
async def read_self(caller: Calling) -> User:
    """Who calls."""
    answer = await caller.call(caller.services.identity.GetSelf, identity.GetSelfRequest())
    return full_user(answer.user, caller.base_url)


@router.get("")
async def list_users(caller: Calling, paging: Paged, query: Annotated[UserQuery, Query()]) -> Page[BasicUser]:
    """Lists accounts by user name unless told; conditions and orders are of the first 10,000."""
    aside = {"username", "is_active"}
    wanted = asked(query.model_copy(update={"search": ""}), USERS, aside=aside, order="username")
    request = identity.ListUsersRequest(
        search=query.search, username=query.username or "", is_active=query.is_active
    )
    if wanted["filter"] is None and not query.sort.strip():
        request.page_size, request.skip, request.with_total_size = paging.size, paging.skip, True
        answer = await caller.call(caller.services.identity.ListUsers, request)
        found, total = list(answer.users), answer.total_size
    else:
        users = await _first(caller, request)
        matching = selected(users, values_of, condition=wanted["filter"], keys=wanted["sort"])
        found, total = matching[paging.skip :][: paging.size], len(matching)
    return paging.page([basic_user(user, caller.base_url) for user in found], total)


@router.get("/{user_id}")
async def read_user(caller: Calling, user_id: UserId) -> User | BasicUser:
    """Reads an account; all of it for the person and for administrators."""
    return _seen(caller, await _user(caller, user_id))


@router.patch("/{user_id}")
async def change_user(
    caller: Calling, user_id: UserId, body: Annotated[UserPatch, Body()]
) -> User | BasicUser:
    """Changes an account: people their own names and address, administrators all of it."""
    user = await _user(caller, user_id)
    changes = user_changes(user, body)
    if changes is not None:
        with told({"role": "groups"}):
            user = (await caller.call(caller.services.identity.UpdateUser, changes)).user
    return _seen(caller, user)


@router.delete("/{user_id}", responses={501: {"model": Problem, "description": "Always."}}, status_code=501)
async def delete_user(caller: Calling, user_id: UserId) -> Problem:
    """Refuses: what people made keeps their names. An account is closed by `is_active: false`."""
    await _user(caller, user_id)
    raise errors.Unimplemented("accounts are not deleted: change is_active to false instead")


async def _first(caller: Caller, request: identity.ListUsersRequest) -> list[user_pb2.User]:
    """Those accounts, in pages until there are enough."""
    found: list[user_pb2.User] = []
    request.page_size = 1_000
    while len(found) < MOST_LOOKED_AT:
        answer = await caller.call(caller.services.identity.ListUsers, request)
        found += answer.users
        request.page_token = answer.next_page_token
        if not request.page_token:
            break
    return found


async def _user(caller: Caller, user_id: int) -> user_pb2.User:
    return (await caller.call(caller.services.identity.GetUser, identity.GetUserRequest(id=user_id))).user


def _seen(caller: Caller, user: user_pb2.User) -> User | BasicUser:
    if caller.principal.is_admin or caller.principal.user_id == user.id:
        return full_user(user, caller.base_url)
    return basic_user(user, caller.base_url)
