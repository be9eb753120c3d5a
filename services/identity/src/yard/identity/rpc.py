# ruff: noqa: N802 - methods are named as in the proto
"""IdentityService: proto in, proto out."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from frameyard.identity.v1 import identity_service_pb2 as messages
from frameyard.identity.v1 import identity_service_pb2_grpc, user_pb2
from google.protobuf.timestamp_pb2 import Timestamp
from yard.identity import domain
from yard.identity.domain import NewUser, PersonalToken, Role, Tokens, User
from yard.identity.handlers import access_tokens, key_sessions, sessions, users
from yard.identity.handlers.context import Identity
from yard.identity.handlers.messages import ROLES, public_user, user_to_proto
from yard.identity.store.users import Selection
from yard.runtime import auth, errors, paging

SERVICE_NAME = messages.DESCRIPTOR.services_by_name["IdentityService"].full_name
PUBLIC_METHODS = frozenset(
    f"/{SERVICE_NAME}/{method}"
    for method in (
        "Login",
        "RefreshSession",
        "Logout",
        "OpenKeySession",
        "ExchangeSessionKey",
        "CloseKeySession",
        "ExchangeAccessToken",
        "IssueServiceToken",
        "GetJwks",
    )
)
_ROLE_NAMES: dict[int, Role] = {number: role for role, number in ROLES.items()}


class IdentityServicer(identity_service_pb2_grpc.IdentityServiceServicer):
    """Accounts, sessions, tokens and keys over gRPC."""

    def __init__(self, identity: Identity) -> None:
        self._identity = identity

    async def Login(self, request: messages.LoginRequest, context: Any) -> messages.LoginResponse:
        """Opens a session."""
        tokens, user = await sessions.log_in(self._identity, request.username, request.password)
        return messages.LoginResponse(tokens=_pair(tokens), user=user_to_proto(user))

    async def RefreshSession(
        self, request: messages.RefreshSessionRequest, context: Any
    ) -> messages.RefreshSessionResponse:
        """Goes on with a session."""
        tokens = await sessions.refresh(self._identity, request.refresh_token)
        return messages.RefreshSessionResponse(tokens=_pair(tokens))

    async def Logout(self, request: messages.LogoutRequest, context: Any) -> messages.LogoutResponse:
        """Ends a session."""
        await sessions.log_out(self._identity, request.refresh_token)
        return messages.LogoutResponse()

    async def OpenKeySession(
        self, request: messages.OpenKeySessionRequest, context: Any
    ) -> messages.OpenKeySessionResponse:
        """Opens a session with a key."""
        key, issued, user = await key_sessions.open_session(
            self._identity, request.username, request.password
        )
        return messages.OpenKeySessionResponse(
            key=key,
            access_token=issued.token,
            expire_time=_timestamp(issued.expires_at),
            user=user_to_proto(user),
        )

    async def ExchangeSessionKey(
        self, request: messages.ExchangeSessionKeyRequest, context: Any
    ) -> messages.ExchangeSessionKeyResponse:
        """Takes the key of a session."""
        issued = await key_sessions.exchange(self._identity, request.key)
        return messages.ExchangeSessionKeyResponse(
            access_token=issued.token, expire_time=_timestamp(issued.expires_at)
        )

    async def CloseKeySession(
        self, request: messages.CloseKeySessionRequest, context: Any
    ) -> messages.CloseKeySessionResponse:
        """Ends the session of a key."""
        await key_sessions.close(self._identity, request.key)
        return messages.CloseKeySessionResponse()

    async def ExchangeAccessToken(
        self, request: messages.ExchangeAccessTokenRequest, context: Any
    ) -> messages.ExchangeAccessTokenResponse:
        """Takes a personal access token."""
        issued, token = await access_tokens.exchange(self._identity, request.token)
        return messages.ExchangeAccessTokenResponse(
            access_token=issued.token, expire_time=_timestamp(issued.expires_at), description=_token(token)
        )

    async def IssueServiceToken(
        self, request: messages.IssueServiceTokenRequest, context: Any
    ) -> messages.IssueServiceTokenResponse:
        """Takes the secret of a service account."""
        issued = access_tokens.issue_to_service(self._identity, request.service, request.secret)
        return messages.IssueServiceTokenResponse(
            access_token=issued.token, expire_time=_timestamp(issued.expires_at)
        )

    async def GetJwks(self, request: messages.GetJwksRequest, context: Any) -> messages.GetJwksResponse:
        """Publishes the keys."""
        return messages.GetJwksResponse(jwks_json=await self._identity.keys.jwks_json())

    async def GetSelf(self, request: messages.GetSelfRequest, context: Any) -> messages.GetSelfResponse:
        """Says who asks."""
        return messages.GetSelfResponse(user=user_to_proto(await users.get_self(self._identity)))

    async def CreateUser(
        self, request: messages.CreateUserRequest, context: Any
    ) -> messages.CreateUserResponse:
        """Makes an account."""
        return await users.create(self._identity, _new_user(request.user), request)

    async def GetUser(self, request: messages.GetUserRequest, context: Any) -> messages.GetUserResponse:
        """Reads an account."""
        return messages.GetUserResponse(user=_visible(await users.get(self._identity, request.id)))

    async def ListUsers(self, request: messages.ListUsersRequest, context: Any) -> messages.ListUsersResponse:
        """Reads a page of accounts."""
        domain.check_listing(
            search=request.search,
            username=request.username,
            skip=request.skip,
            has_token=bool(request.page_token),
        )
        after = paging.decode_text(request.page_token, request)
        size = paging.size(request.page_size)
        selection = Selection(
            search=request.search,
            is_active=request.is_active if request.HasField("is_active") else None,
            username=request.username,
        )
        found = await users.search(self._identity, selection, after=after, skip=request.skip, limit=size + 1)
        token = ""
        if len(found) > size:
            token = paging.encode([domain.username_key(found[size - 1].username)], request)
        return messages.ListUsersResponse(
            users=[_visible(user) for user in found[:size]],
            next_page_token=token,
            total_size=await users.count(self._identity, selection) if request.with_total_size else 0,
        )

    async def UpdateUser(
        self, request: messages.UpdateUserRequest, context: Any
    ) -> messages.UpdateUserResponse:
        """Changes an account."""
        changes = _changes(request.user, request.update_mask.paths)
        user = await users.update(self._identity, request.user.id, changes)
        return messages.UpdateUserResponse(user=_visible(user))

    async def ChangePassword(
        self, request: messages.ChangePasswordRequest, context: Any
    ) -> messages.ChangePasswordResponse:
        """Sets a password."""
        await users.change_password(
            self._identity,
            request.user_id,
            old=request.old_password,
            new=request.new_password,
            session=auth.current().session,
        )
        return messages.ChangePasswordResponse()

    async def CreateAccessToken(
        self, request: messages.CreateAccessTokenRequest, context: Any
    ) -> messages.CreateAccessTokenResponse:
        """Makes a personal access token."""
        end = _moment(request.expire_time) if request.HasField("expire_time") else None
        token, secret = await access_tokens.create(
            self._identity, request.name, end, read_only=request.read_only
        )
        return messages.CreateAccessTokenResponse(access_token=_token(token), secret=secret)

    async def ListAccessTokens(
        self, request: messages.ListAccessTokensRequest, context: Any
    ) -> messages.ListAccessTokensResponse:
        """Lists the caller's personal access tokens."""
        tokens = await access_tokens.of_caller(self._identity)
        return messages.ListAccessTokensResponse(access_tokens=[_token(token) for token in tokens])

    async def GetAccessToken(
        self, request: messages.GetAccessTokenRequest, context: Any
    ) -> messages.GetAccessTokenResponse:
        """Reads a personal access token."""
        token = await access_tokens.get(self._identity, request.id)
        return messages.GetAccessTokenResponse(access_token=_token(token))

    async def UpdateAccessToken(
        self, request: messages.UpdateAccessTokenRequest, context: Any
    ) -> messages.UpdateAccessTokenResponse:
        """Changes a personal access token."""
        changes = _token_changes(request.access_token, request.update_mask.paths)
        token = await access_tokens.update(self._identity, request.access_token.id, changes)
        return messages.UpdateAccessTokenResponse(access_token=_token(token))

    async def RevokeAccessToken(
        self, request: messages.RevokeAccessTokenRequest, context: Any
    ) -> messages.RevokeAccessTokenResponse:
        """Ends a personal access token."""
        await access_tokens.revoke(self._identity, request.id)
        return messages.RevokeAccessTokenResponse()


def _new_user(user: user_pb2.User) -> NewUser:
    return NewUser(
        username=user.username,
        first_name=user.first_name,
        last_name=user.last_name,
        email=user.email,
        role=_role(user.role or user_pb2.ROLE_USER),
    )


def _changes(user: user_pb2.User, paths: Iterable[str]) -> Mapping[str, Any]:
    """The masked fields; names that are no fields are kept for the domain to refuse."""
    known = user_pb2.User.DESCRIPTOR.fields_by_name
    changes = {path: getattr(user, path) if path in known else None for path in paths}
    if "role" in changes:
        changes["role"] = _role(user.role)
    return changes


def _token_changes(token: user_pb2.AccessToken, paths: Iterable[str]) -> Mapping[str, Any]:
    """The masked fields; names of others are kept for the domain to refuse."""
    changes: dict[str, Any] = dict.fromkeys(paths)
    if "name" in changes:
        changes["name"] = token.name
    if "expire_time" in changes and token.HasField("expire_time"):
        changes["expire_time"] = _moment(token.expire_time, "access_token.expire_time")
    return changes


def _role(number: int) -> Role:
    if number not in _ROLE_NAMES:
        raise errors.invalid("user.role", "must be ROLE_ADMIN, ROLE_USER or ROLE_WORKER")
    return _ROLE_NAMES[number]


def _visible(user: User) -> user_pb2.User:
    return user_to_proto(user) if users.may_see_email(user) else public_user(user)


def _pair(tokens: Tokens) -> messages.TokenPair:
    return messages.TokenPair(
        access_token=tokens.access_token,
        expire_time=_timestamp(tokens.expires_at),
        refresh_token=tokens.refresh_token,
    )


def _token(token: PersonalToken) -> user_pb2.AccessToken:
    message = user_pb2.AccessToken(
        id=token.id,
        name=token.name,
        read_only=token.read_only,
        create_time=_timestamp(token.created_at),
        update_time=_timestamp(token.updated_at),
    )
    if token.expires_at is not None:
        message.expire_time.FromDatetime(token.expires_at)
    if token.used_at is not None:
        message.last_use_time.FromDatetime(token.used_at)
    return message


def _timestamp(moment: datetime) -> Timestamp:
    message = Timestamp()
    message.FromDatetime(moment)
    return message


def _moment(message: Timestamp, field: str = "expire_time") -> datetime:
    try:
        return message.ToDatetime(UTC)
    except ValueError:
        raise errors.invalid(field, "is not between the years 1 and 9999") from None
