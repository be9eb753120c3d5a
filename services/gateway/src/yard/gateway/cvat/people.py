"""People in JSON."""

from datetime import datetime
from typing import Any, Final

from frameyard.common.v1.common_pb2 import PersonRef
from frameyard.identity.v1 import identity_service_pb2, user_pb2
from google.protobuf.field_mask_pb2 import FieldMask
from pydantic import BaseModel, ConfigDict
from yard.gateway.cvat.moments import moment
from yard.gateway.cvat.texts import Text
from yard.runtime import errors

GROUPS: Final = {
    user_pb2.ROLE_ADMIN: ["admin"],
    user_pb2.ROLE_USER: ["user"],
    user_pb2.ROLE_WORKER: ["worker"],
}


class BasicUser(BaseModel):
    """A person, as far as everybody may know."""

    url: str
    id: int
    username: str
    first_name: str = ""
    last_name: str = ""


class UserPatch(BaseModel):
    """Changes of an account: what is not given stays. Groups and activity are for administrators."""

    model_config = ConfigDict(extra="ignore")

    username: Text | None = None
    first_name: Text | None = None
    last_name: Text | None = None
    email: Text | None = None
    groups: list[Text] | None = None
    is_staff: bool | None = None
    is_superuser: bool | None = None
    is_active: bool | None = None


class User(BasicUser):
    """An account, as its owner and administrators see it."""

    email: str
    groups: list[str]
    is_staff: bool
    is_superuser: bool
    is_active: bool
    date_joined: datetime
    last_login: datetime | None = None
    has_analytics_access: bool = False
    email_verified: bool | None = None


def person(reference: PersonRef, base_url: str) -> BasicUser | None:
    """An owner or assignee; None for nobody."""
    if not reference.id:
        return None
    return BasicUser(url=f"{base_url}/api/users/{reference.id}", id=reference.id, username=reference.username)


def basic_user(user: user_pb2.User, base_url: str) -> BasicUser:
    """What everybody may see."""
    return BasicUser(
        url=f"{base_url}/api/users/{user.id}",
        id=user.id,
        username=user.username,
        first_name=user.first_name,
        last_name=user.last_name,
    )


def full_user(user: user_pb2.User, base_url: str) -> User:
    """What the person and administrators see."""
    is_admin = user.role == user_pb2.ROLE_ADMIN
    return User(
        **basic_user(user, base_url).model_dump(),
        email=user.email,
        groups=GROUPS.get(user.role, []),
        is_staff=is_admin,
        is_superuser=is_admin,
        is_active=user.is_active,
        date_joined=moment(user.create_time),
    )


def values_of(user: user_pb2.User) -> dict[str, Any]:
    """What lists of people are narrowed and sorted by."""
    return {name: getattr(user, name) for name in ("id", "username", "first_name", "last_name", "is_active")}


def user_changes(present: user_pb2.User, written: UserPatch) -> identity_service_pb2.UpdateUserRequest | None:
    """What a PATCH asks for, None if that is nothing; nobody gets another user name."""
    if written.username not in (None, present.username):
        raise errors.invalid("username", "cannot be changed")
    given = {
        name: getattr(written, name)
        for name in ("first_name", "last_name", "email", "is_active")
        if getattr(written, name) is not None
    }
    role = _role(present, written)
    if role is not None:
        given["role"] = role
    if not given:
        return None
    user = user_pb2.User(id=present.id, **given)
    return identity_service_pb2.UpdateUserRequest(user=user, update_mask=FieldMask(paths=sorted(given)))


def _role(present: user_pb2.User, written: UserPatch) -> user_pb2.Role.ValueType | None:
    """The groups decide; where there are none given, whether it is an administrator."""
    if written.groups is not None:
        roles = [role for role, names in GROUPS.items() if names == written.groups]
        if not roles:
            raise errors.invalid("groups", "must be one of admin, user, worker")
        return roles[0]
    wanted = {flag for flag in (written.is_superuser, written.is_staff) if flag is not None}
    if not wanted:
        return None
    if len(wanted) == 2:
        raise errors.invalid("is_staff", "must be the same as is_superuser")
    if True in wanted:
        return user_pb2.ROLE_ADMIN
    return user_pb2.ROLE_USER if present.role == user_pb2.ROLE_ADMIN else None
