"""What runs beside the gRPC server: the relay, the consumer, the work loop and the recorder of progress."""

import asyncio
from typing import Any

from yard.runtime.app.service import Parts, Runtime
from yard.runtime.app.supervision import Supervised, end_all
from yard.runtime.consumer import Consumer
from yard.runtime.outbox import Relay
from yard.runtime.work_loop import WorkLoop


class Engines:
    """Those that a service needs, ended in the order in which they feed each other."""

    def __init__(self, runtime: Runtime[Any], parts: Parts) -> None:
        relay = Relay(runtime.db, runtime.nc, runtime.name)
        self._relay = Supervised("relay", relay.run, relay.stop)
        self._recorder = Supervised("progress", runtime.operations.run, runtime.operations.stop)
        self._takers: list[Supervised] = []
        self._consumer: Consumer | None = None
        if parts.subscriptions:
            self._consumer = Consumer(runtime.db, runtime.nc, runtime.name, parts.subscriptions)
            self._takers.append(Supervised("consumer", self._consumer.run, self._consumer.stop))
        if parts.work:
            loop = WorkLoop(runtime.operations, parts.work)
            self._takers.append(Supervised("work", loop.run, loop.stop))

    def start(self) -> None:
        """All of them."""
        for engine in (self._relay, self._recorder, *self._takers):
            engine.start()

    def ailing(self) -> tuple[str, ...]:
        """Names of engines that have given up for now."""
        return ("consumer",) if self._consumer is not None and self._consumer.is_halted else ()

    def take_no_more(self) -> None:
        """No new events and no new work; what runs goes on."""
        for taker in self._takers:
            taker.ask()

    async def finish(self, timeout_s: float) -> None:
        """Waits for the events and the work that run; what is late is given back."""
        await end_all(self._takers, timeout_s)

    async def flush(self, timeout_s: float) -> None:
        """Publishes what was committed and writes down what was heard, then ends both."""
        await asyncio.gather(self._relay.end(timeout_s), self._recorder.end(timeout_s))
