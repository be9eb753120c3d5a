import asyncio
import socket

import pytest
from yard.gateway.service import _listen


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]"])
async def test_answers_leave_at_once(host: str) -> None:
    """The end of an answer does not wait until the client acknowledges its beginning: 40 ms."""
    accepted: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def take(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = writer.get_extra_info("socket")
        accepted.set_result(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    listener = _listen(f"{host}:0")
    async with await asyncio.start_server(take, sock=listener):
        _, writer = await asyncio.open_connection(*listener.getsockname()[:2])
        assert await accepted == 1
        writer.close()
        await writer.wait_closed()
