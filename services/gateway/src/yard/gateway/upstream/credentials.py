"""What clients show, exchanged for an access token, which is kept for a minute at most.

A minute is what a session or token that was ended at another gateway may still be used at this one.
"""

import hashlib
import hmac
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from frameyard.identity.v1 import identity_service_pb2 as identity
from google.protobuf.timestamp_pb2 import Timestamp
from yard.gateway.upstream.services import Services
from yard.runtime import clock, ids, rpc
from yard.runtime.auth import Principal, TokenVerifier

KEPT_S: Final = 60.0
SPARE: Final = timedelta(seconds=90)
MOST_KEPT: Final = 10_000
TIMEOUT_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class _Kept:
    kind: str
    token: str
    until: float


class Credentials:
    """Exchanges sessions, personal access tokens and passwords; Unauthenticated if they are not valid."""

    def __init__(self, services: Services, verifier: TokenVerifier) -> None:
        self._identity = services.identity
        self._verifier = verifier
        self._salt = ids.token().encode()
        self._kept: OrderedDict[str, _Kept] = OrderedDict()

    def digest(self, kind: str, secret: str) -> str:
        """A name for a secret that tells nothing of it."""
        return hmac.new(self._salt, f"{kind}\0{secret}".encode(), hashlib.sha256).hexdigest()

    async def of_session(self, key: str) -> str:
        """The access token of a session."""
        request = identity.ExchangeSessionKeyRequest(key=key)
        return await self._exchange(
            "session", key, lambda: self._ask(self._identity.ExchangeSessionKey, request)
        )

    async def of_personal_token(self, secret: str) -> str:
        """The access token of a personal access token."""
        request = identity.ExchangeAccessTokenRequest(token=secret)
        return await self._exchange(
            "token", secret, lambda: self._ask(self._identity.ExchangeAccessToken, request)
        )

    def has_password(self, username: str, password: str) -> bool:
        """Whether it was found to be right a moment ago."""
        return self._present("basic", f"{username}\0{password}") is not None

    async def of_password(self, username: str, password: str) -> str:
        """The access token of a person, by a session that nobody else knows."""

        async def login() -> tuple[str, Timestamp]:
            answer = await self._call(
                self._identity.Login, identity.LoginRequest(username=username, password=password)
            )
            return answer.tokens.access_token, answer.tokens.expire_time

        return await self._exchange("basic", f"{username}\0{password}", login)

    async def principal(self, access_token: str) -> Principal:
        """Who an access token stands for."""
        return await self._verifier.verify(access_token)

    def forget_session(self, key: str) -> None:
        """After the end of a session: it is not to be used here again."""
        self._kept.pop(self.digest("session", key), None)

    def forget_personal_tokens(self) -> None:
        """After the end of one, whose secret is not known here: all are asked about anew."""
        for name in [name for name, kept in self._kept.items() if kept.kind == "token"]:
            del self._kept[name]

    async def _exchange(
        self, kind: str, secret: str, ask: Callable[[], Awaitable[tuple[str, Timestamp]]]
    ) -> str:
        present = self._present(kind, secret)
        if present is not None:
            return present
        token, expires = await ask()
        left_s = (expires.ToDatetime(clock.now().tzinfo) - clock.now() - SPARE).total_seconds()
        if left_s > 0:
            self._keep(self.digest(kind, secret), _Kept(kind, token, clock.monotonic() + min(KEPT_S, left_s)))
        return token

    def _present(self, kind: str, secret: str) -> str | None:
        kept = self._kept.get(self.digest(kind, secret))
        return kept.token if kept is not None and kept.until > clock.monotonic() else None

    def _keep(self, name: str, kept: _Kept) -> None:
        self._kept[name] = kept
        self._kept.move_to_end(name)
        while len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)

    async def _ask(self, method: Callable[..., Awaitable[Any]], request: Any) -> tuple[str, Timestamp]:
        answer = await self._call(method, request)
        return answer.access_token, answer.expire_time

    async def _call(self, method: Callable[..., Awaitable[Any]], request: Any) -> Any:
        with rpc.translated():
            return await method(request, timeout=TIMEOUT_S)
