"""What every service asks identity for: keys that verify tokens, and a token of its own."""

import asyncio
from collections.abc import Awaitable, Callable

from frameyard.identity.v1 import identity_service_pb2 as messages
from frameyard.identity.v1 import identity_service_pb2_grpc as stubs
from yard.runtime import clock
from yard.runtime.rpc.channel import channel, translated

TIMEOUT_S = 5.0
# A token is renewed while it still works, so that a call never sets out with one that ends on the way.
RENEW_BEFORE_S = 120.0


def jwks_of_identity(address: str) -> Callable[[], Awaitable[str]]:
    """Asks identity for its key set; raises errors of our tree."""

    async def fetch() -> str:
        async with channel(address) as connection:
            with translated():
                answer = await stubs.IdentityServiceStub(connection).GetJwks(
                    messages.GetJwksRequest(), timeout=TIMEOUT_S
                )
            return str(answer.jwks_json)

    return fetch


class ServiceTokens:
    """Called, gives a token of the service account, asking identity when the last one is about to end."""

    def __init__(self, identity_address: str, service: str, secret: str) -> None:
        self._address = identity_address
        self._request = messages.IssueServiceTokenRequest(service=service, secret=secret)
        self._asking = asyncio.Lock()
        self._token = ""
        self._renew_at = float("-inf")

    async def __call__(self) -> str:
        """A token that works for two minutes or more; errors of our tree."""
        async with self._asking:
            if clock.now().timestamp() >= self._renew_at:
                await self._renew()
            return self._token

    async def _renew(self) -> None:
        async with channel(self._address) as connection:
            with translated():
                answer = await stubs.IdentityServiceStub(connection).IssueServiceToken(
                    self._request, timeout=TIMEOUT_S
                )
        self._token = answer.access_token
        self._renew_at = answer.expire_time.ToSeconds() - RENEW_BEFORE_S
