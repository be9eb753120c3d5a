"""Events as they pass, for readers who can do without: none is kept, and some may be missed."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

from google.protobuf.message import Message
from nats.aio.client import Client
from nats.aio.subscription import Subscription
from yard.runtime import bus, errors
from yard.runtime.bus import Envelope, Event

# What a reader may be behind; what comes on top is dropped.
MOST_WAITING: Final = 1_000
CONNECT_S: Final = 5.0


class LiveEvents:
    """One connection to the broker for all readers of a process, made for the first of them."""

    def __init__(self, url: str, *, token: str = "", name: str = "") -> None:
        self._url, self._token, self._name = url, token, name
        self._client: Client | None = None
        self._connecting = asyncio.Lock()

    @asynccontextmanager
    async def of_key(
        self, key: str, types: Mapping[str, type[Message]]
    ) -> AsyncIterator[AsyncGenerator[Event[Any]]]:
        """The events of a key from now on, those whose full name is in `types`; Unavailable without a broker.

        Nothing that is emitted after the block was entered is missed as long as the connection holds.
        """
        client = await self._connected()
        try:
            subscription = await client.subscribe(
                f"frameyard.event.*.*.{key}", pending_msgs_limit=MOST_WAITING
            )
            await client.flush()
        except bus.NATS_FAULTS as fault:
            raise _away() from fault
        events = _events(subscription, types)
        try:
            yield events
        finally:
            await events.aclose()
            with suppress(*bus.NATS_FAULTS):
                await subscription.unsubscribe()

    async def close(self) -> None:
        """Ends the connection, and with it what is being read."""
        if self._client is not None:
            await self._client.close()

    async def _connected(self) -> Client:
        async with self._connecting:
            if self._client is None:
                try:
                    # The driver by itself would go on trying.
                    async with asyncio.timeout(CONNECT_S):
                        self._client = await bus.connect(self._url, token=self._token, name=self._name)
                except TimeoutError as fault:
                    raise _away() from fault
            return self._client


async def _events(
    subscription: Subscription, types: Mapping[str, type[Message]]
) -> AsyncGenerator[Event[Any]]:
    async for message in subscription.messages:
        # What is no event of ours is for consumers with an inbox to complain about.
        with suppress(errors.Poison):
            envelope = Envelope.parse(message.subject, message.headers, message.data)
            wanted = types.get(envelope.type)
            if wanted is not None:
                yield envelope.decode(wanted)


def _away() -> errors.Unavailable:
    return errors.Unavailable("the broker does not answer", reason="BROKER_UNAVAILABLE")
