"""How the methods of identity are called: by method and case."""

from typing import Any, Final

from frameyard.identity.v1 import identity_service_pb2 as messages
from frameyard.identity.v1 import user_pb2
from google.protobuf.field_mask_pb2 import FieldMask

from tests.rights import parts, people
from tests.rights.calling import Call
from tests.rights.parts import another

_IDENTITY: Final = "identity.v1.IdentityService"
# What everybody may ask is let in without credentials that hold: it then says that they do not.
_OPEN: Final = frozenset({"INVALID_ARGUMENT", "UNAUTHENTICATED"})


def _update(user_id: int, path: str, **fields: Any) -> messages.UpdateUserRequest:
    wanted = user_pb2.User(id=user_id, **fields)
    return messages.UpdateUserRequest(user=wanted, update_mask=FieldMask(paths=[path]))


def _rename(token_id: int) -> messages.UpdateAccessTokenRequest:
    wanted = user_pb2.AccessToken(id=token_id, name="renamed")
    return messages.UpdateAccessTokenRequest(access_token=wanted, update_mask=FieldMask(paths=["name"]))


_CALLS: Final = {
    ("Login", ""): Call(request=lambda _: messages.LoginRequest(), lets_in=_OPEN),
    ("RefreshSession", ""): Call(request=lambda _: messages.RefreshSessionRequest(), lets_in=_OPEN),
    ("Logout", ""): Call(request=lambda _: messages.LogoutRequest(), lets_in=_OPEN),
    ("OpenKeySession", ""): Call(request=lambda _: messages.OpenKeySessionRequest(), lets_in=_OPEN),
    ("ExchangeSessionKey", ""): Call(request=lambda _: messages.ExchangeSessionKeyRequest(), lets_in=_OPEN),
    ("CloseKeySession", ""): Call(request=lambda _: messages.CloseKeySessionRequest(), lets_in=_OPEN),
    ("ExchangeAccessToken", ""): Call(request=lambda _: messages.ExchangeAccessTokenRequest(), lets_in=_OPEN),
    ("IssueServiceToken", ""): Call(request=lambda _: messages.IssueServiceTokenRequest(), lets_in=_OPEN),
    ("GetJwks", ""): Call(request=lambda _: messages.GetJwksRequest()),
    ("GetSelf", ""): Call(request=lambda _: messages.GetSelfRequest()),
    ("CreateUser", ""): Call(
        request=lambda _: messages.CreateUserRequest(user=user_pb2.User(username="new"), password="12345678")
    ),
    ("GetUser", ""): Call(request=lambda _: messages.GetUserRequest(id=people.USER)),
    ("ListUsers", ""): Call(
        request=lambda _: messages.ListUsersRequest(),
        shows=lambda found, _: any(user.id == people.USER for user in found.users),
    ),
    ("UpdateUser", "own names"): Call(request=lambda s: _update(s.caller, "first_name", first_name="A")),
    ("UpdateUser", "names of another"): Call(
        request=lambda s: _update(another(s.caller), "first_name", first_name="A")
    ),
    ("UpdateUser", "own role"): Call(request=lambda s: _update(s.caller, "role", role=user_pb2.ROLE_ADMIN)),
    ("ChangePassword", "of another"): Call(
        request=lambda s: messages.ChangePasswordRequest(user_id=another(s.caller), new_password="12345678")
    ),
    ("CreateAccessToken", ""): Call(request=lambda _: messages.CreateAccessTokenRequest(name="script")),
    ("ListAccessTokens", ""): Call(
        request=lambda _: messages.ListAccessTokensRequest(),
        shows=lambda found, s: (
            [token.id for token in found.access_tokens].count(s.own_token) == 1
            and s.others_token not in [token.id for token in found.access_tokens]
        ),
        parts=(parts.access_tokens,),
    ),
    ("GetAccessToken", "an own one"): Call(
        request=lambda s: messages.GetAccessTokenRequest(id=s.own_token), parts=(parts.access_tokens,)
    ),
    ("GetAccessToken", "one of another"): Call(
        request=lambda s: messages.GetAccessTokenRequest(id=s.others_token), parts=(parts.access_tokens,)
    ),
    ("UpdateAccessToken", "an own one"): Call(
        request=lambda s: _rename(s.own_token), parts=(parts.access_tokens,)
    ),
    ("UpdateAccessToken", "one of another"): Call(
        request=lambda s: _rename(s.others_token), parts=(parts.access_tokens,)
    ),
    ("RevokeAccessToken", "an own one"): Call(
        request=lambda s: messages.RevokeAccessTokenRequest(id=s.own_token), parts=(parts.access_tokens,)
    ),
    ("RevokeAccessToken", "one of another"): Call(
        request=lambda s: messages.RevokeAccessTokenRequest(id=s.others_token), parts=(parts.access_tokens,)
    ),
}
IDENTITY_CALLS: Final = {(f"{_IDENTITY}/{method}", case): call for (method, case), call in _CALLS.items()}
