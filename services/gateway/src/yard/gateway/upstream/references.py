"""Where chunks lie in the store, for some seconds: players step back and forth, and many read the same."""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from frameyard.chunk.v1 import chunk_service_pb2 as chunks
from yard.runtime import clock

# The chunk service keeps what it has told of for longer than this.
KEPT_S: Final = 10.0
MOST_KEPT: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Frames:
    """Relative frames `first` to `last` of media in a quality."""

    media_id: str
    first: int
    last: int
    quality: chunks.Quality.ValueType


class References:
    """By frames, with no regard to who asks: that they may be seen must have been found before."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Frames, tuple[float, chunks.ChunkHeader]] = OrderedDict()

    def get(self, frames: Frames) -> chunks.ChunkHeader | None:
        """The header that names the object, if it was told a moment ago."""
        until, header = self._kept.get(frames, (0.0, None))
        return header if until > clock.monotonic() else None

    def keep(self, frames: Frames, header: chunks.ChunkHeader) -> None:
        """Notes what was told just now."""
        self._kept[frames] = (clock.monotonic() + KEPT_S, header)
        self._kept.move_to_end(frames)
        while len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)

    def forget(self, frames: Frames) -> None:
        """It is not there any more."""
        self._kept.pop(frames, None)
