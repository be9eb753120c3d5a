"""The bytes of chunks that are read again and again, in the memory of this process."""

from collections import OrderedDict
from collections.abc import AsyncIterator

from yard.chunking.domain import Rendition
from yard.chunking.store.chunks import Built

MOST_BYTES = 64 << 20
LARGEST_BYTES = 8 << 20


class Holding:
    """What was read last, up to a total length; larger chunks are never held."""

    def __init__(self) -> None:
        self._held: OrderedDict[Rendition, tuple[str, bytes]] = OrderedDict()
        self._size_bytes = 0

    def bytes_of(self, rendition: Rendition, built: Built) -> bytes | None:
        """All bytes, if they are held and still what is built."""
        sha256, content = self._held.get(rendition, ("", b""))
        if sha256 != built.blob.sha256:
            return None
        self._held.move_to_end(rendition)
        return content

    async def noted(
        self, rendition: Rendition, built: Built, pieces: AsyncIterator[bytes]
    ) -> AsyncIterator[bytes]:
        """Passes pieces on, and holds them once all have come."""
        if built.blob.size_bytes > LARGEST_BYTES:
            async for piece in pieces:
                yield piece
            return
        noted: list[bytes] = []
        async for piece in pieces:
            noted.append(piece)
            yield piece
        self._hold(rendition, built.blob.sha256, b"".join(noted))

    def _hold(self, rendition: Rendition, sha256: str, content: bytes) -> None:
        _, before = self._held.pop(rendition, ("", b""))
        self._held[rendition] = sha256, content
        self._size_bytes += len(content) - len(before)
        while self._size_bytes > MOST_BYTES:
            _, (_, oldest) = self._held.popitem(last=False)
            self._size_bytes -= len(oldest)
