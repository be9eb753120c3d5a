"""Personal access tokens: what programs use in place of a password."""

from typing import Annotated

from fastapi import APIRouter, Body, Path, Query, Request, Response
from frameyard.identity.v1 import identity_service_pb2 as identity
from frameyard.identity.v1 import user_pb2
from pydantic import BaseModel
from yard.gateway.cvat.access_tokens import (
    FIELDS,
    AccessTokenMade,
    AccessTokenPatch,
    AccessTokenRead,
    AccessTokenWrite,
    access_token_changes,
    access_token_read,
    new_access_token,
)
from yard.gateway.cvat.faults import told
from yard.gateway.cvat.fields import ACCESS_TOKENS
from yard.gateway.cvat.matching import selected
from yard.gateway.cvat.numbers import LARGEST_ID
from yard.gateway.cvat.people import BasicUser
from yard.gateway.cvat.queries import AccessTokenQuery, asked
from yard.gateway.edge.callers import Calling, personal_token
from yard.gateway.edge.paging import Page, Paged
from yard.gateway.upstream.anonymous import call
from yard.gateway.upstream.caller import Caller
from yard.runtime import errors

router = APIRouter(prefix="/auth/access_tokens", tags=["auth"])

TokenId = Annotated[int, Path(ge=1, le=LARGEST_ID, description="Id of the token.")]


@router.get("")
async def list_access_tokens(
    caller: Calling, paging: Paged, query: Annotated[AccessTokenQuery, Query()]
) -> Page[AccessTokenRead]:
    """Lists the caller's tokens, newest first unless told."""
    wanted = asked(query, ACCESS_TOKENS)
    answer = await caller.call(caller.services.identity.ListAccessTokens, identity.ListAccessTokensRequest())
    owner = _owner(caller)
    tokens = [access_token_read(token, owner) for token in answer.access_tokens]
    found = selected(tokens, BaseModel.model_dump, condition=wanted["filter"], keys=wanted["sort"])
    return paging.page(found[paging.skip :][: paging.size], len(found))


@router.post("", status_code=201)
async def create_access_token(caller: Calling, body: Annotated[AccessTokenWrite, Body()]) -> AccessTokenMade:
    """Makes a token of the caller, and shows its secret this once."""
    with told(FIELDS):
        answer = await caller.call(caller.services.identity.CreateAccessToken, new_access_token(body))
    made = access_token_read(answer.access_token, _owner(caller))
    return AccessTokenMade(**made.model_dump(), value=answer.secret)


@router.get("/self")
async def read_own_access_token(request: Request, caller: Calling) -> AccessTokenRead:
    """Reads the token that the request itself carries."""
    secret = personal_token(request)
    if not secret:
        raise errors.NotFound("access token", "self", message="the request carries no personal access token")
    answer = await call(
        caller.services.identity.ExchangeAccessToken, identity.ExchangeAccessTokenRequest(token=secret)
    )
    return access_token_read(answer.description, _owner(caller))


@router.get("/{token_id}")
async def read_access_token(caller: Calling, token_id: TokenId) -> AccessTokenRead:
    """Reads a token of the caller."""
    return access_token_read(await _token(caller, token_id), _owner(caller))


@router.patch("/{token_id}")
async def change_access_token(
    caller: Calling, token_id: TokenId, body: Annotated[AccessTokenPatch, Body()]
) -> AccessTokenRead:
    """Changes name or end of a token of the caller."""
    token = await _token(caller, token_id)
    changes = access_token_changes(token, body)
    if changes is not None:
        with told(FIELDS):
            answer = await caller.call(caller.services.identity.UpdateAccessToken, changes)
        token = answer.access_token
    return access_token_read(token, _owner(caller))


@router.delete("/{token_id}", status_code=204)
async def delete_access_token(request: Request, caller: Calling, token_id: TokenId) -> Response:
    """Ends a token of the caller; other gateways that have just seen it may take it for a minute more."""
    ended = identity.RevokeAccessTokenRequest(id=token_id)
    await caller.call(caller.services.identity.RevokeAccessToken, ended)
    request.app.state.credentials.forget_personal_tokens()
    return Response(status_code=204)


async def _token(caller: Caller, token_id: int) -> user_pb2.AccessToken:
    request = identity.GetAccessTokenRequest(id=token_id)
    return (await caller.call(caller.services.identity.GetAccessToken, request)).access_token


def _owner(caller: Caller) -> BasicUser:
    user_id = caller.principal.user_id
    return BasicUser(
        url=f"{caller.base_url}/api/users/{user_id}", id=user_id, username=caller.principal.username
    )
