"""Channels to the services: one an address, with retries of what is safe to repeat."""

import json
from types import TracebackType
from typing import Self

import grpc
import grpc.aio

MOST_MESSAGE_BYTES = 64 << 20
# UNAVAILABLE means that the call did not happen, or that it is idempotent by its request id.
_RETRIES = {
    "methodConfig": [
        {
            "name": [{}],
            "retryPolicy": {
                "maxAttempts": 5,
                "initialBackoff": "0.2s",
                "maxBackoff": "5s",
                "backoffMultiplier": 2,
                "retryableStatusCodes": ["UNAVAILABLE"],
            },
        }
    ]
}
_OPTIONS = (
    ("grpc.service_config", json.dumps(_RETRIES)),
    ("grpc.max_receive_message_length", MOST_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MOST_MESSAGE_BYTES),
    ("grpc.keepalive_time_ms", 30_000),
)


class Connection:
    """Open channels by address."""

    def __init__(self, *, secure: bool = False) -> None:
        self._secure = secure
        self._channels: dict[str, grpc.aio.Channel] = {}

    def channel(self, address: str) -> grpc.aio.Channel:
        """The channel to `host:port`, or `https://host:port` for TLS; it connects with the first call."""
        if address not in self._channels:
            self._channels[address] = self._open(address)
        return self._channels[address]

    def _open(self, address: str) -> grpc.aio.Channel:
        scheme, _, place = address.rpartition("://")
        if self._secure or scheme == "https":
            return grpc.aio.secure_channel(place, grpc.ssl_channel_credentials(), options=_OPTIONS)
        return grpc.aio.insecure_channel(place, options=_OPTIONS)

    async def close(self) -> None:
        """Closes all channels and ends calls that run."""
        for channel in self._channels.values():
            await channel.close()
        self._channels.clear()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
