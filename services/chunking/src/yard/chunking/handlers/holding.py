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
        self._held: OrderedDict[Rendition, tuple[str, list[bytes]]] = OrderedDict()
        self._size_bytes = 0

    def pieces_of(self, rendition: Rendition, built: Built) -> list[bytes] | None:
        """The pieces that came, if they are held and still what is built."""
        sha256, pieces = self._held.get(rendition, ("", []))
        if sha256 != built.blob.sha256:
            return None
        self._held.move_to_end(rendition)
        return pieces

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
        self._hold(rendition, built.blob.sha256, noted)

    def _hold(self, rendition: Rendition, sha256: str, pieces: list[bytes]) -> None:
        _, before = self._held.pop(rendition, ("", []))
        self._held[rendition] = sha256, pieces
        self._size_bytes += _size(pieces) - _size(before)
        while self._size_bytes > MOST_BYTES:
            _, (_, oldest) = self._held.popitem(last=False)
            self._size_bytes -= _size(oldest)


def _size(pieces: list[bytes]) -> int:
    return sum(map(len, pieces))
