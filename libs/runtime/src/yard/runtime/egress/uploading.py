"""PUT of long bodies at addresses that others name: one request, no redirect, a short answer."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence

import httpcore
from yard.runtime import errors
from yard.runtime.egress.addresses import Network
from yard.runtime.egress.answers import mapped
from yard.runtime.egress.connecting import Resolve, system_resolve
from yard.runtime.egress.faults import Cut
from yard.runtime.egress.fetching import trust
from yard.runtime.egress.listening import ListeningBackend
from yard.runtime.egress.pace import Pace, Patience
from yard.runtime.egress.posting import Reply, short_reply
from yard.runtime.egress.urls import RemoteUrl


class Uploading:
    """Streams bodies to the outside; `networks` are open besides what is public.

    Every request has its own connection. `patience` says how slowly a body may be taken and how long its
    answer may take; how long all of it may take is for the caller to say.
    """

    def __init__(
        self,
        *,
        networks: Sequence[Network] = (),
        ca_file: str = "",
        patience: Patience | None = None,
        answer_bytes: int = 65_536,
        resolve: Resolve = system_resolve,
    ) -> None:
        self._patience = patience or Patience()
        self._answer_bytes = answer_bytes
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=trust(ca_file),
            max_keepalive_connections=0,
            network_backend=ListeningBackend(networks, resolve),
        )

    async def close(self) -> None:
        """Closes all connections."""
        await self._pool.aclose()

    async def put(
        self, url: RemoteUrl, blocks: AsyncIterator[bytes], size: int, headers: Mapping[str, str]
    ) -> Reply:
        """The answer of any status; Refused or Cut without one, DataLoss for blocks that are not `size`."""
        patience = self._patience
        body = _Body(blocks, size, patience)
        request = httpcore.Request(
            "PUT",
            httpcore.URL(scheme=url.scheme, host=url.host, port=url.port, target=url.target),
            headers=[
                ("Host", url.authority),
                ("User-Agent", "frameyard"),
                ("Accept-Encoding", "identity"),
                ("Content-Length", str(size)),
                ("Connection", "close"),
                *headers.items(),
            ],
            content=body,
            extensions={
                "timeout": {
                    "connect": patience.connect_s,
                    "write": patience.window_s,
                    "read": patience.head_s,
                }
            },
        )
        with mapped():
            response = await self._pool.handle_async_request(request)
            try:
                ends_at = asyncio.get_running_loop().time() + patience.head_s
                reply = await short_reply(response, ends_at, self._answer_bytes)
            finally:
                await response.aclose()
        if 200 <= reply.status < 300 and not body.is_gone:
            raise Cut("says that all is well before it has all")
        return reply


class _Body:
    """What is to be sent; `is_gone` once all of it has been taken."""

    def __init__(self, blocks: AsyncIterator[bytes], size: int, patience: Patience) -> None:
        self.is_gone = False
        self._blocks = blocks
        self._left = size
        self._pace = Pace(patience, "takes")

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for block in self._blocks:
            self._left -= len(block)
            if self._left < 0:
                break
            self._pace.begin()
            yield block
            self._pace.note(len(block))
        if self._left:
            words = "longer" if self._left < 0 else "shorter"
            raise errors.DataLoss(f"what was to be sent is {words} than it was said to be")
        self.is_gone = True
