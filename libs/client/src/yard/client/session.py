"""Who the client is: tokens of a session, renewed in time."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import grpc
from frameyard.identity.v1 import identity_service_pb2 as identity
from frameyard.identity.v1 import identity_service_pb2_grpc, user_pb2
from yard.client.failures import ClientError, translated

RENEW_BEFORE = timedelta(seconds=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """Tokens of a session; `expire_time` is that of the access token."""

    access: str
    refresh: str
    expire_time: datetime

    @classmethod
    def from_proto(cls, pair: identity.TokenPair) -> "Tokens":
        """From identity's answer."""
        expires = pair.expire_time.ToDatetime(UTC)
        return cls(access=pair.access_token, refresh=pair.refresh_token, expire_time=expires)


class Session:
    """Logs in, renews, logs out; `on_change` sees each new pair of tokens, None after the end."""

    def __init__(
        self, channel: grpc.aio.Channel, on_change: Callable[[Tokens | None], None] | None = None
    ) -> None:
        self._identity = identity_service_pb2_grpc.IdentityServiceStub(channel)
        self._on_change = on_change or (lambda _: None)
        self._renewing = asyncio.Lock()
        self.tokens: Tokens | None = None

    async def login(self, username: str, password: str) -> user_pb2.User:
        """Opens a session; ClientError UNAUTHENTICATED if name or password is wrong."""
        with translated():
            answer = await self._identity.Login(identity.LoginRequest(username=username, password=password))
        self._keep(Tokens.from_proto(answer.tokens))
        return answer.user

    async def logout(self) -> None:
        """Ends the session on both sides."""
        if self.tokens is not None:
            with translated():
                await self._identity.Logout(identity.LogoutRequest(refresh_token=self.tokens.refresh))
        self._keep(None)

    async def metadata(self) -> tuple[tuple[str, str], ...]:
        """Metadata of a call; empty before login."""
        async with self._renewing:
            if self.tokens is not None and self.tokens.expire_time - datetime.now(UTC) < RENEW_BEFORE:
                await self._renew(self.tokens)
        return () if self.tokens is None else (("authorization", f"Bearer {self.tokens.access}"),)

    async def _renew(self, old: Tokens) -> None:
        request = identity.RefreshSessionRequest(refresh_token=old.refresh)
        try:
            with translated():
                self._keep(Tokens.from_proto((await self._identity.RefreshSession(request)).tokens))
        except ClientError as fault:
            if fault.code == "UNAUTHENTICATED":
                self._keep(None)
            raise

    def _keep(self, tokens: Tokens | None) -> None:
        self.tokens = tokens
        self._on_change(tokens)
