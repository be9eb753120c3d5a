"""Personal access tokens in JSON."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Final, TypeAlias

from frameyard.identity.v1 import identity_service_pb2, user_pb2
from google.protobuf.field_mask_pb2 import FieldMask
from pydantic import BaseModel, ConfigDict, Field
from yard.gateway.cvat.moments import moment, moment_if_set, stamp
from yard.gateway.cvat.people import BasicUser
from yard.runtime import errors

FIELDS: Final[Mapping[str, str]] = {"expire_time": "expiry_date"}

TokenName: TypeAlias = Annotated[str, Field(min_length=1, max_length=100)]


class AccessTokenRead(BaseModel):
    """A token without its secret."""

    id: int
    name: str
    created_date: datetime
    updated_date: datetime
    expiry_date: datetime | None
    last_used_date: datetime | None
    read_only: bool
    owner: BasicUser


class AccessTokenMade(AccessTokenRead):
    """A new token; its secret is shown here only."""

    value: str


class AccessTokenWrite(BaseModel):
    """A new token; without an end it works until it is deleted."""

    model_config = ConfigDict(extra="ignore")

    name: TokenName
    expiry_date: datetime | None = None
    read_only: bool = False


class AccessTokenPatch(BaseModel):
    """Changes of a token: what is not given stays, `expiry_date` null is no end."""

    model_config = ConfigDict(extra="ignore")

    name: TokenName | None = None
    expiry_date: datetime | None = None
    read_only: bool | None = None


def access_token_read(token: user_pb2.AccessToken, owner: BasicUser) -> AccessTokenRead:
    """A token as clients see it."""
    return AccessTokenRead(
        id=token.id,
        name=token.name,
        created_date=moment(token.create_time),
        updated_date=moment_if_set(token.update_time) or moment(token.create_time),
        expiry_date=moment_if_set(token.expire_time),
        last_used_date=moment_if_set(token.last_use_time),
        read_only=token.read_only,
        owner=owner,
    )


def new_access_token(written: AccessTokenWrite) -> identity_service_pb2.CreateAccessTokenRequest:
    """The request that makes it."""
    return identity_service_pb2.CreateAccessTokenRequest(
        name=written.name, expire_time=stamp(written.expiry_date), read_only=written.read_only
    )


def access_token_changes(
    present: user_pb2.AccessToken, written: AccessTokenPatch
) -> identity_service_pb2.UpdateAccessTokenRequest | None:
    """What a PATCH asks for, None if that is nothing; what a token may do cannot be changed."""
    if written.read_only not in (None, present.read_only):
        raise errors.invalid("read_only", "cannot be changed: make another token")
    paths = ["name"] if written.name is not None else []
    paths += ["expire_time"] if "expiry_date" in written.model_fields_set else []
    if not paths:
        return None
    token = user_pb2.AccessToken(
        id=present.id, name=written.name or "", expire_time=stamp(written.expiry_date)
    )
    return identity_service_pb2.UpdateAccessTokenRequest(
        access_token=token, update_mask=FieldMask(paths=paths)
    )
