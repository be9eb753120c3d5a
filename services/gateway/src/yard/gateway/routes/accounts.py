"""Making accounts, and their passwords."""

from typing import Annotated, Final

from fastapi import APIRouter, Body
from frameyard.identity.v1 import identity_service_pb2 as identity
from frameyard.identity.v1 import user_pb2
from pydantic import BaseModel, ConfigDict
from yard.gateway.cvat.faults import told
from yard.gateway.cvat.people import User, full_user
from yard.gateway.cvat.texts import Text
from yard.gateway.edge.callers import Calling
from yard.gateway.routes.sessions import Detail
from yard.runtime import errors

router = APIRouter(prefix="/auth", tags=["auth"])

_PASSWORD: Final = {"new_password": "new_password1", "password": "password1"}


class PasswordChange(BaseModel):
    """The present password, which administrators may leave out, and twice the new one."""

    model_config = ConfigDict(extra="ignore")

    old_password: Text = ""
    new_password1: Text
    new_password2: Text


class Registration(BaseModel):
    """A new account."""

    model_config = ConfigDict(extra="ignore")

    username: Text
    email: Text = ""
    password1: Text
    password2: Text
    first_name: Text = ""
    last_name: Text = ""


@router.post("/password/change")
async def change_password(caller: Calling, body: Annotated[PasswordChange, Body()]) -> Detail:
    """Sets the caller's password, and ends the caller's other sessions."""
    _same(body.new_password1, body.new_password2, "new_password2")
    request = identity.ChangePasswordRequest(old_password=body.old_password, new_password=body.new_password1)
    with told(_PASSWORD):
        await caller.call(caller.services.identity.ChangePassword, request)
    return Detail(detail="New password has been saved.")


@router.post("/register", status_code=201)
async def register(caller: Calling, body: Annotated[Registration, Body()]) -> User:
    """Makes an account; only administrators do, nobody registers alone."""
    _same(body.password1, body.password2, "password2")
    user = user_pb2.User(
        username=body.username,
        email=body.email,
        first_name=body.first_name,
        last_name=body.last_name,
        role=user_pb2.ROLE_USER,
    )
    with told(_PASSWORD):
        answer = await caller.call(
            caller.services.identity.CreateUser,
            identity.CreateUserRequest(user=user, password=body.password1),
        )
    return full_user(answer.user, caller.base_url)


def _same(first: str, second: str, field: str) -> None:
    if first != second:
        raise errors.invalid(field, "the two passwords are not the same")
