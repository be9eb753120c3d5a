"""Who the client is: tokens of a session, renewed in time."""

import asyncio
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

import grpc
from frameyard.identity.v1 import identity_service_pb2 as identity
from frameyard.identity.v1 import identity_service_pb2_grpc, user_pb2
from yard.client.failures import ClientError, translated

RENEW_BEFORE = timedelta(seconds=60)
TIMEOUT_S = 60.0


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

    @property
    def are_fresh(self) -> bool:
        """Whether the access token works for another minute."""
        return self.expire_time - datetime.now(UTC) >= RENEW_BEFORE


class Keeper(Protocol):
    """Keeps a session for other processes of the same user."""

    def keep(self, tokens: Tokens | None) -> None:
        """Takes each new pair of tokens, and None after the end of the session."""

    def renewing(self) -> AbstractContextManager[Tokens | None]:
        """Held while tokens are renewed, by one process at a time; gives what is kept by then.

        A refresh token works once: two who used the same one would end the session.
        """
        ...


class InMemory:
    """Keeps nothing beyond the process."""

    def keep(self, tokens: Tokens | None) -> None:
        """Nothing to do."""

    @contextmanager
    def renewing(self) -> Iterator[Tokens | None]:
        """Nobody else renews."""
        yield None


class Session:
    """Logs in, renews, logs out; the keeper sees each new pair of tokens."""

    def __init__(self, channel: grpc.aio.Channel, keeper: Keeper | None = None) -> None:
        self._identity = identity_service_pb2_grpc.IdentityServiceStub(channel)
        self._keeper = keeper or InMemory()
        self._renewing = asyncio.Lock()
        self.tokens: Tokens | None = None

    async def login(self, username: str, password: str) -> user_pb2.User:
        """Opens a session; ClientError UNAUTHENTICATED if name or password is wrong."""
        request = identity.LoginRequest(username=username, password=password)
        with translated():
            answer = await self._identity.Login(request, timeout=TIMEOUT_S)
        self._keep(Tokens.from_proto(answer.tokens))
        return answer.user

    async def logout(self) -> None:
        """Ends the session on both sides; on this one even if the platform is away."""
        tokens = self.tokens
        self._keep(None)
        if tokens is not None:
            request = identity.LogoutRequest(refresh_token=tokens.refresh)
            with translated():
                await self._identity.Logout(request, timeout=TIMEOUT_S)

    async def metadata(self) -> tuple[tuple[str, str], ...]:
        """Metadata of a call; empty before login."""
        async with self._renewing:
            if self.tokens is not None and not self.tokens.are_fresh:
                await self._renew(self.tokens)
        return () if self.tokens is None else (("authorization", f"Bearer {self.tokens.access}"),)

    async def _renew(self, old: Tokens) -> None:
        with self._keeper.renewing() as kept:
            if kept is not None and kept.refresh != old.refresh and kept.are_fresh:
                self.tokens = kept
                return
            try:
                self._keep(await self._renewed(old.refresh))
            except ClientError as fault:
                if fault.code == "UNAUTHENTICATED":
                    self._keep(None)
                raise

    async def _renewed(self, refresh_token: str) -> Tokens:
        request = identity.RefreshSessionRequest(refresh_token=refresh_token)
        with translated():
            answer = await self._identity.RefreshSession(request, timeout=TIMEOUT_S)
        return Tokens.from_proto(answer.tokens)

    def _keep(self, tokens: Tokens | None) -> None:
        self.tokens = tokens
        self._keeper.keep(tokens)
