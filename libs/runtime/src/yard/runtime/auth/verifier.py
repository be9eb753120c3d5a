"""Verifies access tokens with keys that are fetched from identity and kept."""

import asyncio
import json
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, get_args

import jwt
from jwt.types import Options
from yard.runtime import clock, errors
from yard.runtime.auth.principal import Principal, Role
from yard.runtime.auth.tokens import ALGORITHM, ISSUER, SERVICE_PREFIX

LEEWAY_S = 60
REFRESH_S = 3600.0
SHORTEST_REFRESH_S = 10.0
AFTER_FAULT_S = 1.0
KEPT_TOKENS = 4096
LONGEST_TOKEN = 8192

FetchJwks = Callable[[], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class _Verified:
    principal: Principal
    ends_at: float


class TokenVerifier:
    """Keeps keys and the last tokens; keys are asked for hourly and, rate-limited, for an unknown id."""

    def __init__(self, fetch: FetchJwks) -> None:
        self._fetch = fetch
        self._keys: dict[str, jwt.PyJWK] = {}
        self._fault: errors.YardError | None = None
        self._refreshed_at = self._next_try_at = float("-inf")
        self._refreshing = asyncio.Lock()
        self._verified: OrderedDict[str, _Verified] = OrderedDict()

    @classmethod
    def from_jwks(cls, jwks: str) -> "TokenVerifier":
        """A verifier with a key set that never changes."""

        async def fixed() -> str:
            return jwks

        return cls(fixed)

    async def verify(self, token: str) -> Principal:
        """Who the token stands for; Unauthenticated if it is not valid, Unavailable if no keys can be had."""
        known = self._verified.get(token)
        if known is not None and known.ends_at > clock.now().timestamp():
            self._verified.move_to_end(token)
            return known.principal
        if len(token) > LONGEST_TOKEN:
            raise _refused("is too long")
        claims = _decode(token, await self._key(_kid(token)))
        principal = _principal(claims)
        self._keep(token, _Verified(principal, float(claims["exp"]) + LEEWAY_S))
        return principal

    async def _key(self, kid: str) -> jwt.PyJWK:
        if kid not in self._keys or clock.monotonic() - self._refreshed_at > REFRESH_S:
            await self._refresh(kid)
        if kid not in self._keys:
            raise _refused("was signed with an unknown key")
        return self._keys[kid]

    async def _refresh(self, kid: str) -> None:
        """Fetches the keys unless that was just tried; a fault counts only while the key is not known."""
        asked_at = clock.monotonic()
        async with self._refreshing:
            if self._refreshed_at < asked_at and self._next_try_at <= clock.monotonic():
                await self._fetch_keys()
            if self._fault is not None and kid not in self._keys:
                raise errors.Unavailable("the keys of identity cannot be had") from self._fault

    async def _fetch_keys(self) -> None:
        try:
            self._keys = _parse(await self._fetch())
        except errors.YardError as fault:
            self._fault = fault
            self._next_try_at = clock.monotonic() + AFTER_FAULT_S
            return
        self._fault = None
        self._refreshed_at = clock.monotonic()
        self._next_try_at = self._refreshed_at + SHORTEST_REFRESH_S

    def _keep(self, token: str, verified: _Verified) -> None:
        self._verified[token] = verified
        while len(self._verified) > KEPT_TOKENS:
            self._verified.popitem(last=False)


def _kid(token: str) -> str:
    try:
        return str(jwt.get_unverified_header(token).get("kid", ""))
    except jwt.InvalidTokenError as fault:
        raise _refused("is malformed") from fault


def _decode(token: str, key: jwt.PyJWK) -> dict[str, Any]:
    required: Options = {"require": ["exp", "iss", "sub", "role"]}
    try:
        return jwt.decode(
            token, key, algorithms=[ALGORITHM], issuer=ISSUER, leeway=LEEWAY_S, options=required
        )
    except jwt.ExpiredSignatureError as fault:
        raise errors.Unauthenticated("the token has expired", reason="TOKEN_EXPIRED") from fault
    except jwt.InvalidTokenError as fault:
        raise _refused("is not valid") from fault


def _principal(claims: dict[str, Any]) -> Principal:
    subject, role = str(claims["sub"]), claims["role"]
    username, session = str(claims.get("username", "")), str(claims.get("sid", ""))
    is_service = subject.startswith(SERVICE_PREFIX)
    if role not in get_args(Role) or is_service != (role == "service"):
        raise _refused("has no known role")
    if is_service:
        service = subject.removeprefix(SERVICE_PREFIX)
        return Principal(user_id=0, username=username or service, role="service", service=service)
    if not (subject.isascii() and subject.isdigit()):
        raise _refused("names nobody")
    return Principal(
        user_id=int(subject),
        username=username,
        role=role,
        session=session,
        read_only=bool(claims.get("ro", False)),
    )


def _parse(jwks: str) -> dict[str, jwt.PyJWK]:
    """The Ed25519 keys of a set; others are left out, they sign nothing for us."""
    try:
        found = json.loads(jwks)["keys"]
        wanted = [key for key in found if key.get("crv") == "Ed25519" and key.get("kid")]
        return {key["kid"]: jwt.PyJWK.from_dict(key, algorithm=ALGORITHM) for key in wanted}
    except (ValueError, KeyError, TypeError, AttributeError, jwt.PyJWTError) as fault:
        raise errors.Internal("the key set is malformed") from fault


def _refused(why: str) -> errors.Unauthenticated:
    return errors.Unauthenticated(f"the token {why}", reason="TOKEN_INVALID")
