"""A way to the store that counts what comes, lets so many through, and holds or cuts the others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field


@dataclass(slots=True, kw_only=True)
class Gate:
    """`passes` PUTs come through, `cut_first` before them are cut, later ones wait."""

    store: str
    passes: int = 1_000
    cut_first: int = 0
    address: str = ""
    begun: int = 0
    answered: int = 0
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    @classmethod
    @asynccontextmanager
    async def before(cls, store: str) -> AsyncIterator[Gate]:
        """One for the length of the block."""
        gate = cls(store=store)
        server = await asyncio.start_server(gate._serve, "127.0.0.1", 0)
        host, port = server.sockets[0].getsockname()[:2]
        gate.address = f"{host}:{port}"
        yield gate
        server.close()
        for task in gate._tasks:
            task.cancel()
        await asyncio.gather(*gate._tasks, return_exceptions=True)

    async def has_heard(self) -> None:
        """Each connection made before has begun, though its client may have ended before it was taken."""
        # Connections are taken in order, and this one gets no answer but its end.
        reader, writer = await asyncio.open_connection(*self.address.split(":"))
        writer.write_eof()
        await reader.read()
        await _close(writer)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.begun += 1
        number = self.begun
        try:
            if self.cut_first < number <= self.cut_first + self.passes:
                await self._forward(reader, writer)
            elif number > self.cut_first:
                await reader.read(-1)
        except (OSError, asyncio.CancelledError):
            pass  # either side may go at any time
        finally:
            await _close(writer)

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host, _, port = self.store.partition(":")
        their_reader, their_writer = await asyncio.open_connection(host, int(port))
        answering = asyncio.create_task(self._answer(their_reader, writer))
        try:
            # The client has one request a connection, and closes it when it has its answer.
            await _copy(reader, their_writer)
        finally:
            answering.cancel()
            await asyncio.gather(answering, return_exceptions=True)
            await _close(their_writer)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.read(1 << 16))
        self.answered += 1
        await _copy(reader, writer)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while piece := await reader.read(1 << 16):
        writer.write(piece)
        await writer.drain()


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
