"""Personal access tokens and service accounts: programs in place of people."""

import hmac
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from yard.identity import domain
from yard.identity.domain import PersonalToken
from yard.identity.handlers.context import Identity, caller, digest, principal_of
from yard.identity.store import access_tokens, users
from yard.identity.store.access_tokens import NewToken
from yard.runtime import clock, errors, ids
from yard.runtime.auth import IssuedToken, Principal

# Tells scanners for leaked secrets what they have found.
PREFIX = "frameyard_"


async def create(
    identity: Identity, name: str, expires_at: datetime | None, *, read_only: bool
) -> tuple[PersonalToken, str]:
    """A token of the caller and its secret, which is stored nowhere."""
    domain.check_token(name, expires_at, clock.now())
    secret = PREFIX + ids.token()
    async with identity.db.transaction() as tx:
        user = await users.lock(tx, (await caller(tx)).id)
        if await access_tokens.count(tx, user.id) >= domain.ACCESS_TOKEN_LIMIT:
            raise errors.ResourceExhausted(
                f"there are {domain.ACCESS_TOKEN_LIMIT} access tokens already: revoke one first",
                reason="TOO_MANY_ACCESS_TOKENS",
            )
        new = NewToken(name=name, sha256=digest(secret), expires_at=expires_at, read_only=read_only)
        token = await access_tokens.insert(tx, user.id, new)
    return token, secret


async def of_caller(identity: Identity) -> list[PersonalToken]:
    """The caller's tokens, newest first."""
    user = await caller(identity.db)
    return await access_tokens.of_user(identity.db, user.id)


async def get(identity: Identity, token_id: int) -> PersonalToken:
    """A token of the caller; NotFound for those of others."""
    user = await caller(identity.db)
    return _found(await access_tokens.find(identity.db, user.id, token_id), token_id)


async def update(identity: Identity, token_id: int, changes: Mapping[str, Any]) -> PersonalToken:
    """Changes name or end of a token of the caller; one that has ended may be given a new end."""
    user = await caller(identity.db)
    domain.check_token_changes(changes, clock.now())
    return _found(await access_tokens.update(identity.db, user.id, token_id, changes, clock.now()), token_id)


async def revoke(identity: Identity, token_id: int) -> None:
    """Ends a token of the caller; NotFound for those of others."""
    user = await caller(identity.db)
    if not await access_tokens.delete(identity.db, user.id, token_id):
        raise errors.NotFound("access token", token_id)


async def exchange(identity: Identity, secret: str) -> tuple[IssuedToken, PersonalToken]:
    """A JWT for a personal access token, which it does not outlive and lets do no more."""
    found = await access_tokens.use(identity.db, digest(secret), clock.now())
    if found is None:
        raise errors.Unauthenticated("the access token is not valid", reason="WRONG_ACCESS_TOKEN")
    principal = replace(principal_of(found.user), read_only=found.token.read_only)
    return identity.keys.issue(principal, until=found.token.expires_at), found.token


def issue_to_service(identity: Identity, service: str, secret: str) -> IssuedToken:
    """A JWT for a service account; an unknown name and a wrong secret fail alike."""
    known = identity.settings.service_accounts.get(service)
    is_right = hmac.compare_digest(digest(known or ids.token()), digest(secret))
    if known is None or not is_right:
        raise errors.Unauthenticated("service or secret is wrong", reason="WRONG_CREDENTIALS")
    return identity.keys.issue(Principal(user_id=0, username=service, role="service", service=service))


def _found(token: PersonalToken | None, token_id: int) -> PersonalToken:
    if token is None:
        raise errors.NotFound("access token", token_id)
    return token
