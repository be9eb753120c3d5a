"""Objects of the store: read here, or at an address that clients are sent to."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Final

from yard.gateway.settings import Settings
from yard.runtime import errors, telemetry
from yard.runtime.blobs import PartAddresses, Relay

ADDRESS_S: Final = 300
MOST_CUTS: Final = 5

_log = telemetry.log(__name__)


class Objects:
    """The store as the gateway uses it; opens no connection before the first read."""

    def __init__(self, settings: Settings) -> None:
        self._relay = Relay.connect(settings)
        address = settings.store_public_url or f"http{'s' * settings.s3_secure}://{settings.s3_endpoint}"
        self._addresses = PartAddresses.connect(settings, address) if settings.redirect_to_store else None

    async def read(self, key: str, offset: int, length: int) -> AsyncGenerator[bytes]:
        """A range of an object; where the store cuts a slow reader off, it goes on from there."""
        end, cuts = offset + length, 0
        while offset < end:
            try:
                async with aclosing(self._relay.stream(key, offset, end - offset)) as pieces:
                    async for piece in pieces:
                        yield piece
                        offset, cuts = offset + len(piece), 0
            except errors.Unavailable as fault:
                cuts += 1
                if cuts == MOST_CUTS:
                    raise
                _log.info("read_again", key=key, offset=offset, error=fault.message)

    def address(self, key: str, answered: Mapping[str, str]) -> str | None:
        """Where clients read the object themselves for some minutes; None if they are not sent there.

        The store answers with these headers: it knows neither the names of downloads nor what they hold.
        """
        return None if self._addresses is None else self._addresses.get(key, ADDRESS_S, answered)

    def close(self) -> None:
        """Ends all connections."""
        self._relay.close()
