"""Connections to checked addresses: a name is resolved once, and what is checked is connected to."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address

import httpcore
from yard.runtime.egress.addresses import Address, Network, is_open
from yard.runtime.egress.faults import Cut, Refused

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""The addresses of a host for a port, at least one."""

MOST_TRIED = 4

STREAM = socket.SOCK_STREAM
# Name servers that do not answer hold threads: these are nobody else's.
_RESOLVING = ThreadPoolExecutor(8, thread_name_prefix="resolving")

SocketOptions = Iterable[httpcore.SOCKET_OPTION]


async def system_resolve(host: str, port: int) -> Sequence[str]:
    """Asks the resolver of the system."""
    loop = asyncio.get_running_loop()
    try:
        found = await loop.run_in_executor(_RESOLVING, lambda: socket.getaddrinfo(host, port, type=STREAM))
    except socket.gaierror as fault:
        if fault.errno == socket.EAI_AGAIN:
            raise Cut("has a name that cannot be resolved now") from fault
        raise Refused("has a name that nobody knows", reason="EGRESS_UNKNOWN_HOST") from fault
    return [str(entry[4][0]) for entry in found]


class CheckedBackend(httpcore.AsyncNetworkBackend):
    """Opens connections for the pool; every address of a name must be open to us, else none is used."""

    def __init__(self, networks: Sequence[Network], resolve: Resolve) -> None:
        self._networks = tuple(networks)
        self._resolve = resolve
        self._backend = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the signature of the pool
        local_address: str | None = None,
        socket_options: SocketOptions | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """A connection to the first address that answers."""
        try:
            async with asyncio.timeout(timeout):
                addresses = await checked_addresses(host, port, self._networks, self._resolve)
        except TimeoutError:
            raise Cut("has a name that is not resolved in time") from None
        for number, address in enumerate(addresses, 1):
            try:
                share_s = None if timeout is None else timeout / len(addresses)
                return await self._backend.connect_tcp(
                    str(address), port, share_s, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if number == len(addresses):
                    raise
        raise Cut("has no address")

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109 - the signature of the pool
        socket_options: SocketOptions | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Never."""
        raise Refused("must not be a local socket", reason="EGRESS_ADDRESS")


async def checked_addresses(
    host: str, port: int, networks: Sequence[Network], resolve: Resolve
) -> list[Address]:
    """At most four addresses of a host; Refused unless all of its addresses are open to us."""
    literal = _literal(host)
    found = [literal] if literal else [ip_address(one) for one in await resolve(host, port)]
    if not all(is_open(address, networks) for address in found):
        raise Refused("leads to an address that is not public", reason="EGRESS_ADDRESS")
    return list(dict.fromkeys(found))[:MOST_TRIED]


def _literal(host: str) -> Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None
